"""The report of a shelf in a real browser: five hundred recordings, filters, keys, sound and print.

Skipped where Chromium, its driver or selenium is missing (Debian: ``apt-get install chromium chromium-driver``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import assert_quiet, forget_logs, press, state, wait

from contrastive_artifacts import audio
from contrastive_artifacts.scan.overview import OverviewMeter
from contrastive_artifacts.scan.results import write_results
from contrastive_artifacts.scan.shelf import write_report
from contrastive_artifacts.scan.summary import FileSummary, ordered, summary
from contrastive_artifacts.scan.timeline import Segment, Timeline

pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
from selenium.webdriver.common.by import By

RATE = 8000
SECONDS = 20
COUNT = 500
SPITE = "<img src=x onerror=window.broken=1>"
KINDS = ("hum", "clicks", "hiss", "dropout")


@pytest.fixture(scope="module")
def browser(start_chromium: Callable[..., Any]) -> Any:
    return start_chromium("--disable-gpu", "--autoplay-policy=no-user-gesture-required")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of 500 recordings, of which every fifth is clean, and of three that cannot be read."""
    home = tmp_path_factory.mktemp("shelf")
    samples = np.random.default_rng(0).normal(0, 0.1, (1, SECONDS * RATE)).astype(np.float32)
    audio.write(home / "films" / "a.wav", samples, RATE)
    meter = OverviewMeter(RATE)
    meter.add(samples)
    rows = []
    for n, kind in enumerate((*KINDS, "")):
        segments = (
            (Segment(5 * RATE, 6 * RATE, kind, 0.2 * (n + 1), 0.9), Segment(9 * RATE, 12 * RATE, "hum", 0.3, 0.7))
            if kind
            else ()
        )
        path = home / "films" / "a.wav"
        timeline = Timeline(path, RATE, samples.shape[1], segments, KINDS, overview=meter.overview())
        write_results(timeline, home / "out" / f"{n}")
        rows.append(summary(timeline, audio.probe(path), "", f"{n}"))
    many, bad = [], []
    for n in range(COUNT):
        name, row = str(home / "films" / f"reel {n // 50}" / f"{n:03d} {SPITE}.wav"), rows[n % 5]
        many.append(replace(row, path=name, title=name, damage=row.damage * (1 + n / 5000)))
    for name in (str(home / f"films/bad{n}.wav") for n in range(3)):
        bad.append(FileSummary(name, name, None, f"{name} is empty (0 bytes)"))
    return write_report(ordered([*many, *bad]), home / "out")


@pytest.fixture
def page(browser: Any, report: Path) -> Any:
    forget_logs(browser)
    browser.get(report.as_uri())
    wait(browser, lambda: int(state(browser).get("drawn", 0)) > 0)
    return browser


def said(page: Any) -> str:
    return page.find_element(By.ID, "said").text


def shown(page: Any) -> int:
    return page.execute_script("return document.querySelectorAll('#files > li:not([hidden])').length")


def test_all_recordings_are_there_and_only_those_in_view_are_drawn(page: Any) -> None:
    assert state(page)["files"] == str(COUNT)
    assert (
        "500 recordings of 2.8 hours in all were scanned; 3 could not be read"
        in page.find_element(By.ID, "summary").text
    )
    assert len(page.find_elements(By.CSS_SELECTOR, "#failed tr")) == 3
    filled = "return [...document.querySelectorAll('.stage canvas')].filter((canvas) => canvas.width > 300).length"
    assert 0 < page.execute_script(filled) < 60
    page.execute_script("document.querySelector('#files > li:nth-child(400)').scrollIntoView()")
    wait(page, lambda: page.execute_script("return document.querySelectorAll('.stage canvas')[399].width > 300"))
    assert page.execute_script(filled) < 60, "those out of view are emptied"
    assert page.execute_script("return window.broken") is None
    assert page.find_elements(By.TAG_NAME, "img") == []
    assert_quiet(page, page.current_url)


def test_faults_severity_and_name_filter(page: Any) -> None:
    assert shown(page) == COUNT
    buttons = {b.text.rpartition(" ")[0]: b for b in page.find_elements(By.CSS_SELECTOR, "#faults button")}
    assert next(iter(buttons)) == "hum", "the most frequent one first"
    buttons["dropout"].click()
    assert shown(page) == 100
    buttons["clicks"].click()
    assert shown(page) == 200
    assert buttons["clicks"].get_attribute("aria-pressed") == "true"
    slider = (
        "const slider = document.getElementById('severity');"
        "slider.value = arguments[0]; slider.dispatchEvent(new Event('input'))"
    )
    page.execute_script(slider, 0.6)
    assert shown(page) == 100, "clicks are of severity 0.4, dropouts of 0.8"
    page.find_element(By.ID, "find").send_keys("reel 3")
    assert shown(page) == 10
    assert page.find_element(By.ID, "shown").text == "10 of 500 recordings"
    page.execute_script(slider, 0.95)
    assert page.find_element(By.ID, "nothing").is_displayed()
    page.find_element(By.ID, "all").click()
    assert shown(page) == COUNT
    assert_quiet(page, page.current_url)


def test_moments_play_and_keys_go_from_place_to_place(page: Any) -> None:
    assert state(page)["moments"] == "20"
    first = page.find_element(By.CSS_SELECTOR, "#moments button")
    first.click()
    wait(page, lambda: state(page).get("playing"))
    assert "playing" in first.get_attribute("class")
    assert said(page).startswith("dropout at 0:05.0, 1.0 s, severity 0.80, in reel ")
    head = "return [...document.querySelectorAll('.head:not([hidden])')].length"
    wait(page, lambda: page.execute_script(head) == 1)
    press(page, " ")
    wait(page, lambda: not state(page).get("playing"))
    first.parent.execute_script("document.activeElement.blur()")
    press(page, "j")
    assert said(page).startswith("hum at 0:09.0, 3.0 s, severity 0.30")
    place = state(page)["place"].split()
    press(page, "k")
    assert state(page)["place"].split()[0] == place[0]
    press(page, "\ue015")  # arrow down
    assert int(state(page)["place"].split()[0]) == int(place[0]) + 1
    row = (
        "const box = document.querySelector('.file.current').getBoundingClientRect();"
        "return box.top >= 0 && box.bottom <= innerHeight"
    )
    wait(page, lambda: page.execute_script(row))
    assert_quiet(page, page.current_url)


def test_a_click_on_a_lane_plays_its_place(page: Any) -> None:
    x, y = page.execute_script(
        "const canvas = document.querySelector('.stage canvas'); canvas.scrollIntoView({ block: 'center' });"
        f"const box = canvas.getBoundingClientRect(); return [box.left + box.width * 5.5 / {SECONDS}, box.top + 17]"
    )
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        button = {"button": "left", "clickCount": 1} if kind != "mouseMoved" else {}
        page.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **button})
    wait(page, lambda: state(page).get("playing") == "0 0")
    page.find_element(By.CSS_SELECTOR, "#files a").click()
    wait(page, lambda: page.current_url.endswith("/out/3.artifacts.html"))
    wait(page, lambda: state(page).get("segments") == "2")


@pytest.mark.parametrize("width", [1024, 1280])
def test_nothing_is_wider_than_the_window(page: Any, width: int) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
        cut = (
            "return [...document.querySelectorAll('button, td, .about span, .about a')].filter((node) =>"
            "  node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).display !== 'inline')"
            ".map((node) => node.textContent)"
        )
        assert page.execute_script(cut) == []
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_it_prints_without_its_tools(page: Any) -> None:
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert not page.find_element(By.CSS_SELECTOR, ".tools").is_displayed()
        assert page.find_element(By.ID, "advice").is_displayed()
        page.execute_script("dispatchEvent(new Event('beforeprint'))")
        filled = "return [...document.querySelectorAll('.stage canvas')].filter((canvas) => canvas.width > 0).length"
        assert page.execute_script(filled) == COUNT
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
