"""A and B of an archive in a real browser: B is the nearest clean window, and there is no hint where there is none.

Skipped where Chromium, its driver, selenium or the extra ``serve`` is missing.
"""

from __future__ import annotations

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
FACTS = "const done = arguments[0]; Promise.all(Array.from({ length: 12 }, (_, row) => fetch(`api/rows/${row}`)"
FACTS += ".then((answer) => answer.json()))).then(done)"


def test_b_is_the_nearest_clean_window_of_the_same_file(browser: Any, tmp_path: Path) -> None:
    build(tmp_path, {f"{n}.wav": tone(200 + 99 * n, 12)[None] for n in range(3)})
    with explored(tmp_path) as url:
        open_page(browser, url)
        rows = browser.execute_async_script(FACTS)
        row = next(facts["row"] for facts in rows if facts["clean_window"] is not None)
        alone = next(facts["row"] for facts in rows if facts["clean_window"] is None)
        open_row(browser, row)
        apart = rows[row]["clean_window"]
        assert browser.find_element(By.ID, "clean").text == f"B clean {'−' if apart < 0 else '+'}{abs(apart):.1f} s"
        assert browser.find_element(By.ID, "hint-versions").is_displayed()
        assert not browser.find_element(By.ID, "difference").is_displayed(), "they are not the same sound"
        press(browser, "b")
        wait(browser, lambda: state(browser)["version"] == "clean" and state(browser)["picture"] == str(row))
        wait(browser, lambda: script(browser, "return page.item.picture.start") == int((row % 4 * 3 + apart) * 16000))
        press(browser, "a")
        wait(browser, lambda: script(browser, "return page.item.picture?.start") == row % 4 * 3 * 16000)
        open_row(browser, alone)
        assert not browser.find_element(By.ID, "versions").is_displayed()
        assert not browser.find_element(By.ID, "hint-versions").is_displayed(), "A and B do nothing here"
        assert_quiet(browser, url)
