"""Nothing on the page belongs to another selection: while answers are slow, where they fail, and when they come late.

Skipped where Chromium, its driver, selenium or the extra ``serve`` is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from archived import build, explored, tone
from browsing import assert_quiet, press, state, wait
from steered import open_page, open_row, script

pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
from selenium.webdriver.common.by import By

pytestmark = pytest.mark.slow
FILES = ("a.wav", "b.wav", "c.wav", "gone.wav")
HOLD = """
window.held = []; window.plainFetch ??= window.fetch;
window.fetch = (path, options) => {
  if (!String(path).includes(arguments[0])) return window.plainFetch(path, options);
  const later = () => window.plainFetch(path, { ...options, signal: null });
  return new Promise((resolve) => { window.held.push(() => resolve(later())); });
};"""
INKED = "const d = arguments[0].getContext('2d').getImageData(0, 0, arguments[0].width, arguments[0].height).data;"
INKED += "return d.some((v) => v)"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("selection")
    build(folder, {name: tone(300 + 200 * n, 3)[None] for n, name in enumerate(FILES)})
    return folder


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with explored(home) as address:
        yield address


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    open_page(browser, url)
    yield browser
    browser.execute_script("window.held?.forEach((release) => release())")


def hold(page: Any, part: str) -> None:
    """Answers to addresses with this part wait until they are released."""
    page.execute_script(HOLD, part)


def release(page: Any) -> None:
    page.execute_script("const held = window.held; window.held = []; held.forEach((job) => job())")


def texts(page: Any, *ids: str) -> list[str]:
    return [page.execute_script("return document.getElementById(arguments[0]).textContent", name) for name in ids]


def inked(page: Any, name: str) -> bool:
    return page.execute_script(INKED, page.find_element(By.ID, name))


def test_a_slow_row_shows_nothing_of_the_row_before(page):
    open_row(page, 0)
    wait(page, lambda: int(state(page)["similar"]) > 0)
    page.find_element(By.ID, "note").send_keys("of the first row")
    assert inked(page, "wave")
    assert inked(page, "spectrogram")
    hold(page, "api/rows/1")
    script(page, "select(1)")
    assert state(page)["picture"] == ""
    assert not inked(page, "wave"), "the waveform of another sound"
    assert not inked(page, "spectrogram")
    assert texts(page, "title") == ["Row 1"]
    assert not any(texts(page, "where", "verdict", "facts", "clock", "picture-text", "similar-rows"))
    assert page.find_element(By.ID, "note").get_attribute("value") == ""
    assert script(page, "return [page.item.row, page.item.picture, page.similar.length]") == [1, None, 0]
    wait(page, lambda: texts(page, "picture-note", "info-note", "similar-note") == ["Reading …"] * 3)
    release(page)
    wait(page, lambda: state(page)["picture"] == "1" and int(state(page)["similar"]) > 0)
    assert texts(page, "picture-note", "info-note", "similar-note") == [""] * 3
    assert "b.wav" in texts(page, "where")[0]


def test_a_late_answer_is_dropped(page):
    hold(page, "api/rows/1")
    script(page, "select(1, { play: true })")
    wait(page, lambda: page.execute_script("return window.held.length") >= 3)
    open_row(page, 2)
    release(page)
    wait(page, lambda: int(state(page)["similar"]) > 0)
    page.execute_async_script("setTimeout(arguments[0], 300)")
    assert "c.wav" in texts(page, "where")[0]
    assert state(page)["picture"] == "2"
    assert state(page)["playing"] == "", "a sound that was asked for the row before does not begin"
    assert script(page, "return page.similar.every(({ row }) => row !== 2)")


def test_the_reason_stands_where_the_picture_would(page, home):
    open_row(page, 0)
    moved = home / "data" / "gone.wav"
    aside = moved.rename(home / "aside.wav")
    try:
        script(page, "select(3)")
        wait(page, lambda: "gone.wav is no longer" in texts(page, "picture-note")[0])
        assert page.find_element(By.ID, "picture-note").is_displayed()
        assert not inked(page, "wave")
        assert not inked(page, "spectrogram")
        wait(page, lambda: int(state(page)["similar"]) > 0)
        open_row(page, 1)
        assert texts(page, "picture-note") == [""]
    finally:
        aside.rename(moved)


def test_hits_of_a_slow_search_are_not_those_of_the_search_before(page):
    open_row(page, 0)
    searched = "const label = byId('by-label'); label.value = page.item.info.heard;"
    script(page, f"{searched} label.dispatchEvent(new Event('change'))")
    wait(page, lambda: int(state(page)["hits"]) > 0)
    hold(page, "api/search")
    script(page, "modules['pages/explorer/picture.js'].markSpan([0.5, 1.5])")
    press(page, "s")
    wait(page, lambda: "span" in texts(page, "hits-note")[0])
    assert texts(page, "query", "hit-rows") == ["", ""]
    open_row(page, 2)
    release(page)
    wait(page, lambda: int(state(page)["hits"]) > 0)
    assert state(page)["selected"] == "2", "a search that ends late does not take the panel"
    assert "Span" in texts(page, "query")[0]


def test_the_page_is_quiet(page, url):
    open_row(page, 1)
    assert_quiet(page, url)
