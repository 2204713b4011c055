"""The table beside the map in a real browser: sorted, endless, by keyboard, following filters, selection and hits.

Skipped where Chromium, its driver, selenium or the extra ``serve`` is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import assert_quiet, press, serving, state, wait
from explored import sets
from steered import open_page, script

from contrastive_artifacts.pages.explorer import layout
from contrastive_artifacts.search.index import Index

pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("table")
    index = Index.open(sets(folder).index.directory)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(layout, "umap_2d", lambda x, seed: x[:, :2])
        layout.layout_of(index)
    settings = (f"index={folder}/index", f"encoder={folder}/encoder", "port=0", "who=ana")
    with serving("explore", *settings, folder=folder) as (_, address):
        yield address


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    open_page(browser, url)
    press(browser, "t")
    wait(browser, lambda: state(browser).get("table") == "60")
    yield browser
    assert_quiet(browser, url)


def cells(page: Any, place: int) -> list[str]:
    texts = "return [...byId(`line-${arguments[0]}`).children].map((cell) => cell.textContent)"
    return script(page, texts, place)


def order(page: Any) -> list[int]:
    return script(page, "return [...page.table]")


def test_lines_are_made_as_they_come_into_view(page):
    wait(page, lambda: cells(page, 0)[0] == "0.wav")
    assert cells(page, 1)[1].startswith("00:00:00.500")
    assert cells(page, 1)[2] == "hum"
    assert len(page.find_elements(By.CLASS_NAME, "table-line")) < 60
    press(page, Keys.END)
    wait(page, lambda: state(page)["selected"] == "59")
    wait(page, lambda: script(page, "return Boolean(byId('line-59'))") and cells(page, 59)[0] == "9.wav")
    rows = page.find_element(By.ID, "table-rows")
    assert rows.get_attribute("aria-activedescendant") == "line-59"
    assert rows.get_attribute("aria-rowcount") == "61"
    press(page, Keys.ARROW_UP)
    wait(page, lambda: state(page)["selected"] == "58")
    press(page, Keys.HOME, "j")
    wait(page, lambda: state(page)["selected"] == "1")


def test_least_sure_first_and_other_orders(page):
    page.find_element(By.ID, "least").click()
    wait(page, lambda: page.find_element(By.ID, "least").get_attribute("aria-pressed") == "true")
    chance = script(page, "return load('heard_probability').then(({ data }) => [...data])")
    assert [chance[row] for row in order(page)] == sorted(chance)
    page.find_element(By.XPATH, "//div[@id='table-head']//button[.='heard']").click()
    wait(page, lambda: script(page, "return document.querySelector('[data-name=present]').ariaSort") == "ascending")
    present = script(page, "return load('present').then((c) => [...c.data].map((code) => c.values[code]))")
    assert [present[row] for row in order(page)] == sorted(present)
    page.find_element(By.XPATH, "//div[@id='table-head']//button[.='heard']").click()
    wait(page, lambda: present[order(page)[0]] == max(present))
    page.find_element(By.XPATH, "//div[@id='table-head']//button[.='time']").click()
    times = script(page, "return load('time_s').then(({ data }) => [...data])")
    assert len(set(times)) < 60, "several recordings"
    wait(page, lambda: order(page) == sorted(range(60), key=times.__getitem__))


def test_the_table_is_the_list_of_the_selection_the_hits_and_the_filter(page):
    script(page, "choose(Uint32Array.of(3, 9, 20))")
    Select(page.find_element(By.ID, "scope")).select_by_value("chosen")
    wait(page, lambda: order(page) == [3, 9, 20])
    Select(page.find_element(By.ID, "by-label")).select_by_value("hum")
    wait(page, lambda: int(state(page)["hits"]) > 0)
    Select(page.find_element(By.ID, "scope")).select_by_value("hits")
    wait(page, lambda: set(order(page)) == {hit["row"] for hit in script(page, "return page.hits.rows")})
    Select(page.find_element(By.ID, "scope")).select_by_value("shown")
    page.find_element(By.CSS_SELECTOR, "#items button[title=clean]").click()
    wait(page, lambda: state(page)["table"] == state(page)["visible"] == "40")


def test_labels_show_in_the_table(page):
    press(page, Keys.ARROW_DOWN)
    wait(page, lambda: state(page)["selected"] == "0")
    starts = "window.played = []; const { soundChanged } = modules['pages/shared/player.js'];"
    script(page, f"{starts} soundChanged.on(() => window.played.push(document.body.dataset.playing))")
    press(page, "x")
    wait(page, lambda: cells(page, 0)[5] == "reject")
    wait(page, lambda: page.find_element(By.ID, "table-count").text == "1 of 60 rows labelled")
    wait(page, lambda: "1" in script(page, "return window.played"))  # the next one, by itself
    press(page, "u")
    wait(page, lambda: cells(page, 0)[5] == "")
    press(page, "t")
    assert not page.find_element(By.ID, "table").is_displayed()
