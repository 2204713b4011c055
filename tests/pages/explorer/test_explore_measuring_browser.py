"""Measuring on the picture: channels apart, crosshair, zoom, scales, marks, speed and volume.

Skipped where Chromium, its driver, selenium or the extra ``serve`` is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from archived import RATE, build, explored, tone
from browsing import press, state, wait
from steered import open_row, script

pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

pytestmark = pytest.mark.slow
TONE, NOISE = tone(2000, 6), np.random.default_rng(0).normal(0, 0.001, 6 * RATE).astype(np.float32)
HUM = np.sum([tone(50 * k, 6, 0.1 / k) for k in (1, 2, 3, 4)], axis=0)
POINT = """
const [t, hz] = arguments, { axes } = modules['pages/explorer/picture.js'], frame = axes();
const box = byId('view').getBoundingClientRect(), top = box.y + byId('wave').getBoundingClientRect().height;
const at = { clientX: box.x + frame.x(t), clientY: top + frame.y(hz), bubbles: true, cancelable: true };"""
MOVE = f"{POINT} byId('view').dispatchEvent(new PointerEvent('pointermove', at)); return byId('clock').textContent"
WHEEL = f"{POINT} byId('view').dispatchEvent(new WheelEvent('wheel', {{ ...at, ...arguments[2] }}));"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("measuring")
    recordings = {
        "tone.wav": (TONE + NOISE)[None],
        "inverted.wav": np.stack([TONE + NOISE, -TONE - NOISE]),
        "lost.wav": np.stack([TONE + NOISE, 0 * TONE]),
        "each.wav": np.stack([HUM + NOISE, TONE]),
        "clipped.wav": np.clip(6 * TONE + NOISE, -0.9, 0.9)[None],
    }
    return {**build(folder, recordings, each=["each.wav"]), "folder": folder}


@pytest.fixture(scope="module")
def url(rows: dict[str, Any]) -> Iterator[str]:
    with explored(rows["folder"]) as address:
        yield address


def text(page: Any, name: str) -> str:
    return page.find_element(By.ID, name).text


def loudest(page: Any) -> int:
    return script(page, "return page.item.picture.levels.reduce((a, b) => Math.max(a, b))")


def test_channels_are_seen_and_heard_apart(page, rows):
    open_row(page, rows["inverted.wav"])
    assert text(page, "marks") == "R is −L"
    assert loudest(page) > 200, "the mean of the channels is silent"
    assert script(page, "return page.item.picture.lanes.length") == 2
    press(page, "p", " ")
    wait(page, lambda: state(page)["playing"] != "")
    Select(page.find_element(By.ID, "channel")).select_by_visible_text("mid")
    wait(page, lambda: "channel=mid" in script(page, "return player.voice.id"))
    wait(page, lambda: script(page, "return page.item.picture?.lanes.length") == 0)
    assert loudest(page) == 0
    script(page, "map.focus()")
    press(page, "v")
    wait(page, lambda: script(page, "return page.item.channel") == "side" and state(page)["picture"])
    assert loudest(page) > 200
    assert "channel=side" in script(page, "return player.voice.id"), "it goes on playing"
    script(page, "select(arguments[0])", rows["lost.wav"])
    wait(page, lambda: state(page)["picture"] == str(rows["lost.wav"]))
    assert text(page, "marks") == "R is silent"
    assert script(page, "return page.item.channel") == "side", "the channel stays from row to row"
    open_row(page, rows["tone.wav"])
    assert script(page, "return page.item.channel") == "all", "where there is one"
    assert not page.find_element(By.ID, "channel").is_displayed()


def test_the_verdicts_on_both_channels_of_a_window(page, rows):
    first = rows["each.wav"]
    open_row(page, first)
    buttons = page.find_elements(By.CSS_SELECTOR, "#beside button")
    assert [button.get_attribute("aria-pressed") for button in buttons] == ["true", "false"]
    assert text(page, "marks").startswith("mains hum 50 Hz, −2")
    buttons[1].click()
    wait(page, lambda: state(page)["picture"] == str(first + 1))
    assert "channel 2" in text(page, "where")
    assert text(page, "marks") == ""


def test_the_crosshair_reads_seconds_hertz_and_decibels(page, rows):
    open_row(page, rows["tone.wav"])
    seconds, hertz, level = script(page, MOVE, 1.5, 2000).split("  ")
    assert float(seconds.removesuffix(" s")) == pytest.approx(1.5, abs=0.02)
    assert float(hertz.removesuffix(" kHz")) == pytest.approx(2, abs=0.05)
    assert level in ("−10 dBFS", "−11 dBFS"), "20 log10(0.3) is -10.5"
    assert int(script(page, MOVE, 1.5, 6000).split("  ")[2].removesuffix(" dBFS").replace("−", "-")) < -70
    view = page.find_element(By.ID, "view")
    view.send_keys(Keys.ARROW_UP)
    assert "dBFS" in text(page, "say") or "dBFS" in script(page, "return byId('say').textContent")


def test_zoom_in_time_and_frequency_by_wheel_span_and_key(page, rows):
    open_row(page, rows["tone.wav"])
    script(page, WHEEL, 1.0, 2000, {"deltaY": -600})
    wait(page, lambda: script(page, "const p = page.item.picture; return p && p.shown[1] - p.shown[0] < 1.5 * p.rate"))
    start, stop = (edge / RATE for edge in script(page, "return page.item.picture.shown"))
    assert start < 1.0 < stop
    assert (1.0 - start) / (stop - start) == pytest.approx(1 / 3, abs=0.02), "the place under the pointer stays"
    script(page, WHEEL, 1.0, 2000, {"deltaY": -400, "shiftKey": True})
    wait(page, lambda: script(page, "return page.item.picture.top_hz") < 7000)
    assert script(page, "const p = page.item.picture; return [p.bottom_hz < 2000, p.top_hz > 2000]") == [True, True]
    assert float(script(page, MOVE, 1.0, 2000).split("  ")[1].removesuffix(" kHz")) == pytest.approx(2, abs=0.03)
    page.find_element(By.ID, "whole").click()
    wait(page, lambda: script(page, "return page.item.picture.shown.join()") == f"0,{3 * RATE}")
    assert not page.find_element(By.ID, "whole").is_displayed()
    script(page, "modules['pages/explorer/picture.js'].markSpan([0.5, 0.75])")
    press(page, "m", "z")
    wait(page, lambda: script(page, "return page.item.picture.shown.join()") == f"{RATE // 2},{3 * RATE // 4}")
    page.find_element(By.ID, "view").send_keys("0")
    wait(page, lambda: script(page, "return page.item.picture.shown.join()") == f"0,{3 * RATE}")
    page.find_element(By.ID, "view").send_keys("+")
    wait(page, lambda: script(page, "const p = page.item.picture; return p.shown[1] - p.shown[0]") == 1.5 * RATE)


def test_scales_and_marks(page, rows):
    open_row(page, rows["clipped.wav"])
    assert text(page, "marks").endswith("clipped samples")
    ((start, stop, _),) = script(page, "return page.item.picture.clipped")
    assert start < 100
    assert stop > 3 * RATE - 100
    page.find_element(By.ID, "log").click()
    wait(page, lambda: script(page, "return page.item.picture?.log && page.item.picture.bottom_hz") == 20)
    assert float(script(page, MOVE, 1.0, 2000).split("  ")[1].removesuffix(" kHz")) == pytest.approx(2, abs=0.05)
    colours = "return byId('spectrogram').toDataURL()"
    before = script(page, colours)
    Select(page.find_element(By.ID, "range-db")).select_by_value("-60 0")
    assert script(page, colours) != before


def test_speed_and_volume(page, rows):
    open_row(page, rows["tone.wav"])
    press(page, "p", " ")
    wait(page, lambda: state(page)["playing"] != "")
    lag = "return [player.context.currentTime, player.position()]"
    press(page, ">", ">")
    assert page.find_element(By.ID, "speed").get_attribute("value") == "2"
    wait(page, lambda: script(page, "return player.voice.node.playbackRate.value") == 2)
    wait(page, lambda: script(page, "return player.context.currentTime > player.voice.at"))
    (clock, at), length = script(page, lag), 3.0
    page.execute_async_script("setTimeout(arguments[0], 400)")
    later, then = script(page, lag)
    assert (then - at) % length == pytest.approx(2 * (later - clock) % length, abs=0.02)
    script(page, "byId('volume').value = 50; byId('volume').dispatchEvent(new Event('input'))")
    wait(page, lambda: abs(script(page, "return player.output.gain.value") - 0.25) < 0.01)
