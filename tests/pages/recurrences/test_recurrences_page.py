"""The page of recurrences: its data, its players in a browser, and what it says where nothing recurs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import assert_quiet, forget_logs, state, wait
from naming import misnamed

from contrastive_artifacts.pages.recurrences import Place, RecurringFault, write_recurrences

RATE = 16000
SPITE = "</script><img src='https://example.invalid/x.png' onerror='window.broken=1'>"


def place(name: str, sounding: bool = True) -> Place:
    tone = (0.1 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.float32)[None]
    return Place(name, 12, 0.25, 3.2, "00:00:03.000", tone if sounding else None, RATE)


def test_groups_are_drawn_played_and_named(start_chromium: Callable[..., Any], tmp_path: Path) -> None:
    by = pytest.importorskip("selenium.webdriver.common.by").By
    browser = start_chromium("--disable-gpu")
    places = [place(f"a.wav {SPITE}"), place("b.wav"), place("lost.wav", sounding=False)]
    faults = [RecurringFault("hum", 0.9, 40, 5, places), RecurringFault("", 1.0, 9, 2, places[:1])]
    write_recurrences(tmp_path / "r.html", faults, f"Recurring {SPITE}", {"windows": 400})
    forget_logs(browser)
    browser.get((tmp_path / "r.html").as_uri())
    wait(browser, lambda: state(browser).get("drawn") == "3")
    text = browser.find_element(by.ID, "faults").text
    assert "40 similar windows in 5 recordings; 90 % of the windows are labelled hum." in text
    assert "the table has the other 2" in text
    assert "12 windows, 25 % of it; 3.2 times as many as on average" in text
    assert "the recording cannot be read" in text
    assert misnamed(browser) == []
    browser.find_elements(by.CSS_SELECTOR, ".place")[1].click()
    wait(browser, lambda: state(browser).get("playing") == "hum b.wav")
    browser.switch_to.active_element.send_keys(" ")
    wait(browser, lambda: state(browser).get("playing") == "")
    assert browser.execute_script("return window.broken") is None
    assert_quiet(browser, browser.current_url)


def test_where_nothing_recurs_the_page_says_so(tmp_path: Path) -> None:
    write_recurrences(tmp_path / "r.html", [], "Recurring", {}, "No fault recurs: too few windows.")
    assert "No fault recurs: too few windows." in (tmp_path / "r.html").read_text(encoding="utf-8")
