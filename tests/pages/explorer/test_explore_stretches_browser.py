"""A long query in a real browser: its strip, a search by one of its stretches, and a span of it.

Skipped where Chromium, its driver, selenium or the extra ``serve`` is missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archived import RATE, build, explored, tone
from browsing import assert_quiet, press, state, wait
from steered import open_page, script

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.data import corpora

pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive, and a sound of 12 s whose second half is clipped."""
    home = tmp_path_factory.mktemp("stretches")
    build(home, {f"{n}.wav": tone(200 + 99 * n, 3)[None] for n in range(4)})
    corpus = corpora.create("builtin", seed=2, sources=1, duration_s=6.0, sample_rate=RATE)
    clean = audio.mono(corpus.load(corpus.clips[0])[0])[None]
    halves = np.concatenate([clean, ca.render("clipping", clean, RATE, severity=1.0, seed=1).waveform], axis=1)
    audio.write(home / "long.wav", halves / max(1.0, audio.peak(halves)), RATE)
    return home


def test_the_strip_says_what_is_heard_when_and_searches_by_it(browser: Any, folder: Path) -> None:
    with explored(folder) as url:
        open_page(browser, url)
        browser.find_element(By.ID, "file").send_keys(str(folder / "long.wav"))
        wait(browser, lambda: state(browser)["picture"].startswith("query:"))
        whole = state(browser)["query"]
        stretches = script(browser, "return page.item.query.stretches")
        assert len(stretches) > 1
        assert stretches[-1]["label"] == "clipping"
        buttons = browser.find_elements(By.CSS_SELECTOR, "#strip button")
        assert len(buttons) == 1 + len(stretches), "one for all, and one for each"
        widths = [button.rect["width"] for button in buttons[1:]]
        assert widths[-1] / sum(widths) == pytest.approx((12 - stretches[-1]["start"]) / 12, abs=0.05)
        assert "clipping 0:0" in browser.find_element(By.ID, "verdict").text, "not one verdict for all of it"
        buttons[1].send_keys(Keys.END, Keys.ENTER)
        wait(browser, lambda: state(browser)["query"] not in ("", whole) and state(browser)["picture"])
        assert script(browser, "return page.item.query.parent") == whole
        assert script(browser, "return page.item.info.seconds") == pytest.approx(12 - stretches[-1]["start"], abs=0.01)
        pressed = [b.get_attribute("aria-pressed") for b in browser.find_elements(By.CSS_SELECTOR, "#strip button")]
        assert pressed == ["false"] * len(stretches) + ["true"], "the strip stays that of the whole sound"
        browser.find_element(By.CSS_SELECTOR, "#strip .whole").click()
        wait(browser, lambda: state(browser)["query"] == whole and state(browser)["picture"])
        script(browser, "modules['pages/explorer/picture.js'].markSpan([1, 4]); map.focus()")
        press(browser, "s")
        wait(browser, lambda: state(browser)["query"] != whole)
        assert "1.000 - 4.000 s" in browser.find_element(By.ID, "title").text
        assert_quiet(browser, url)
