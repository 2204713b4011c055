"""The page of a timeline in a real browser: drawn, selected, played, decided on, saved.

Skipped where Chromium, its driver or selenium is missing (Debian: ``apt-get install chromium chromium-driver``).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import assert_quiet, forget_logs, press, state, wait

from contrastive_artifacts import artifacts, audio
from contrastive_artifacts.scan.measured import Meter
from contrastive_artifacts.scan.overview import OverviewMeter
from contrastive_artifacts.scan.timecode import Timecode
from contrastive_artifacts.scan.timeline import Segment, Timeline

pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
from selenium.webdriver.common.by import By

RATE = 8000
SECONDS = 60
SPITE = "<img src=x onerror=window.broken=1> & two"
CAPTURE = (
    "window.saved = []; URL.createObjectURL = (blob) => { blob.text().then((text) => saved.push(text)); return '#'; };"
)


@pytest.fixture(scope="module")
def browser(start_chromium: Callable[..., Any]) -> Any:
    return start_chromium("--disable-gpu", "--autoplay-policy=no-user-gesture-required")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A minute of quiet noise with a loud tone from 10 to 12 s."""
    samples = np.random.default_rng(0).normal(0, 0.01, (1, SECONDS * RATE)).astype(np.float32)
    samples[:, 10 * RATE : 12 * RATE] += 0.5 * np.sin(2 * np.pi * 1000 * np.arange(2 * RATE) / RATE).astype(np.float32)
    audio.write(tmp_path / f"{SPITE}.wav", samples, RATE)
    return tmp_path / f"{SPITE}.wav"


def timeline_of(recording: Path, *segments: Segment, **more: Any) -> Timeline:
    samples, rate = audio.read(recording)
    meter = OverviewMeter(rate)
    meter.add(samples)
    return Timeline(
        recording, rate, samples.shape[1], segments, ("hum", "clicks", "hiss"), overview=meter.overview(), **more
    )


def opened(browser: Any, timeline: Timeline, tmp_path: Path) -> Any:
    timeline.to_html(tmp_path / "t.html")
    forget_logs(browser)
    browser.get((tmp_path / "t.html").as_uri())
    wait(browser, lambda: state(browser).get("segments") == str(len(timeline.segments) + len(timeline.findings)))
    return browser


def rows(page: Any) -> list[str]:
    return [row.text for row in page.find_elements(By.CSS_SELECTOR, "#rows tr")]


def said(page: Any) -> str:
    return page.find_element(By.ID, "said").text


def hum(start_s: float, stop_s: float, severity: float | None = 0.5, label: str = "hum", **more: Any) -> Segment:
    return Segment(round(start_s * RATE), round(stop_s * RATE), label, severity, 0.9, **more)


def test_findings_are_listed_and_pointed_at(browser: Any, recording: Path, tmp_path: Path) -> None:
    segments = hum(1, 2), hum(10, 20, 1.0, "clicks"), hum(20, 30, None, "squeal")  # a label that users added
    page = opened(browser, timeline_of(recording, *segments), tmp_path)
    assert rows(page) == [
        "0:01.00 0:02.00 1.00 s hum 0.50 90 %",
        "0:10.00 0:20.00 10.00 s clicks 1.00 90 %",
        "0:20.00 0:30.00 10.00 s squeal unknown 90 %",
    ]
    x, y = page.execute_script(
        "const { lanes, px, segments, ROW, RULER } = modules['scan/timeline/view.js'];"
        "const box = lanes.getBoundingClientRect();"
        f"return [box.left + px({15 * RATE}, box.width), box.top + RULER + segments[1].lane * ROW + ROW / 2]"
    )
    page.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})
    tip = page.find_element(By.ID, "tip")
    wait(page, lambda: "clicks" in tip.text)
    assert all(fact in tip.text for fact in ("0:10.000", "0:20.000", "1.00", "90 %"))
    for kind in ("mousePressed", "mouseReleased"):
        button = {"button": "left", "clickCount": 1}
        page.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **button})
    wait(page, lambda: (state(page).get("selected"), state(page).get("playing")) == ("1", "1"))
    assert page.find_element(By.ID, "unheard").text == "Not detected: hiss."
    assert page.execute_script("return window.broken") is None
    assert_quiet(page, page.current_url)


def test_time_codes_are_in_the_table(browser: Any, recording: Path, tmp_path: Path) -> None:
    page = opened(browser, timeline_of(recording, hum(10, 20), timecode=Timecode.of(25, "10:00:00:00")), tmp_path)
    assert rows(page) == ["0:10.00 0:20.00 10.00 s hum 0.50 90 % 10:00:10:00 – 10:00:20:00"]


def test_what_several_channels_mark_counts_once(browser: Any, recording: Path, tmp_path: Path) -> None:
    segments = hum(1, 4, channel=0), hum(2, 6, channel=1), hum(3, 5, label="hiss", channel=0)
    page = opened(browser, timeline_of(recording, *segments), tmp_path)
    facts = [fact.text for fact in page.find_elements(By.CSS_SELECTOR, "#facts div")]
    assert "marked\n0:05.00" in facts
    assert_quiet(page, page.current_url)


def test_keys_go_from_finding_to_finding_and_its_row_follows(browser: Any, recording: Path, tmp_path: Path) -> None:
    segments = [hum(n * 0.08, n * 0.08 + 0.05, (n % 10) / 10) for n in range(700)]
    page = opened(browser, timeline_of(recording, *segments), tmp_path)
    assert len(rows(page)) == 500
    press(page, "j", "j", "k", "j")
    assert state(page)["selected"] == "1"
    assert said(page) == "Finding 2 of 700: hum at 0:00.08, 0.05 s, severity 0.10, confidence 90 %"
    assert page.find_element(By.ID, "said").get_attribute("aria-live") == "polite"
    page.execute_script("modules['scan/timeline/choice.js'].select(650, true)")
    in_view = (
        "const row = document.querySelector('tr.selected').getBoundingClientRect();"
        "const list = document.getElementById('list').getBoundingClientRect();"
        "return row.top >= list.top && row.bottom <= list.bottom + 1"
    )
    assert page.execute_script(in_view), "the row of a selection is filled in and scrolled to"
    assert page.execute_script("return scrollY") == 0, "the lanes stay in view"
    start, stop = map(int, state(page)["range"].split())
    assert 0 < start <= segments[650].start < segments[650].stop <= stop
    assert_quiet(page, page.current_url)


def test_space_plays_the_finding_with_a_second_around_it(browser: Any, recording: Path, tmp_path: Path) -> None:
    page = opened(browser, timeline_of(recording, hum(10, 12), hum(40, 41, 0.1)), tmp_path)
    press(page, " ")
    wait(page, lambda: state(page).get("playing") == "0")
    wait(page, lambda: int(state(page).get("head", 0)) > 9.3 * RATE)
    assert int(state(page)["head"]) < 13 * RATE
    assert not page.find_element(By.ID, "head").get_attribute("hidden")
    sound = page.execute_async_script(
        "const done = arguments[0], { player } = modules['pages/shared/player.js'];"
        "player.buffer(modules['pages/shared/stored.js'].stored('sound0')).then((buffer) => {"
        "  const samples = buffer.getChannelData(0), loud = samples.findIndex((v) => Math.abs(v) > 0.2);"
        "  done([buffer.duration, loud / buffer.sampleRate]); });"
    )
    assert sound[0] == pytest.approx(4, abs=0.1)
    assert sound[1] == pytest.approx(1, abs=0.06), "the finding begins a second after its sound"
    press(page, " ")
    wait(page, lambda: state(page).get("playing") == "")
    assert "Sound of 2 findings, with 1 s around each" in page.find_element(By.ID, "sounds").text
    assert_quiet(page, page.current_url)


def test_without_its_recording_the_page_says_so(browser: Any, recording: Path, tmp_path: Path) -> None:
    timeline = timeline_of(recording, hum(10, 12))
    recording.unlink()
    page = opened(browser, timeline, tmp_path)
    press(page, "j", " ")
    wait(page, lambda: "no sound in this page; the recording was not in its place" in said(page))
    assert not state(page).get("playing")
    assert page.find_elements(By.CSS_SELECTOR, "tr.silent")
    assert_quiet(page, page.current_url)


def test_decisions_are_remembered_and_saved(browser: Any, recording: Path, tmp_path: Path) -> None:
    page = opened(browser, timeline_of(recording, hum(1, 2), hum(10, 12), hum(20, 21, None)), tmp_path)
    press(page, "j", "y", "j", "x", "j", "x", "u")
    assert (state(page)["kept"], state(page)["rejected"]) == ("1", "1")
    page.refresh()
    wait(page, lambda: state(page).get("kept") == "1")
    assert [row.rpartition(" ")[2] for row in rows(page)] == ["keep", "reject", "%"]
    assert page.find_element(By.ID, "decided").text == "2 of 3 decided: 1 kept, 1 rejected"
    page.execute_script(CAPTURE)
    page.find_element(By.ID, "labels").click()
    page.find_element(By.ID, "decisions").click()
    wait(page, lambda: page.execute_script("return saved.length") == 2)
    labels, decisions = page.execute_script("return saved")
    assert labels.splitlines() == [
        "1.000000\t2.000000\thum (severity 0.50, confidence 0.90)",
        "20.000000\t21.000000\thum (severity unknown, confidence 0.90)",
    ]
    value = json.loads(decisions)
    assert [finding["decision"] for finding in value["findings"]] == ["keep", "reject", None]
    assert (value["recording"], value["findings"][1]["start"]) == (recording.name, 10 * RATE)


def test_all_keys_are_listed_and_the_list_keeps_them(browser: Any, recording: Path, tmp_path: Path) -> None:
    page = opened(browser, timeline_of(recording, hum(1, 2), hum(10, 12)), tmp_path)
    press(page, "j", "?")
    sheet = page.find_element(By.ID, "sheet")
    assert sheet.is_displayed()
    listed = {
        row.text.split("\n")[0]: row.text.split("\n")[1] for row in sheet.find_elements(By.CSS_SELECTOR, "dl div")
    }
    assert (listed["J"], listed["K"], listed["U"]) == (
        "next finding (or →)",
        "previous finding (or ←)",
        "undo the last decision",
    )
    press(page, "j", "y")
    assert (state(page)["selected"], state(page)["kept"]) == ("0", "0"), "keys are of the list while it is open"
    press(page, "\ue00c")
    assert not sheet.is_displayed()
    press(page, "j", "y", "u", "u")
    wait(page, lambda: said(page) == "There is nothing left to undo.")
    assert_quiet(page, page.current_url)


def test_measured_findings_and_facts(browser: Any, recording: Path, tmp_path: Path) -> None:
    samples = np.random.default_rng(0).uniform(-0.4, 0.4, (2, 8 * RATE)).astype(np.float32)
    samples[1, 3 * RATE : 3 * RATE + 4] = 0.9
    samples[:, 5 * RATE : 6 * RATE] = 0
    meter = Meter(2, RATE)
    meter.add(0, samples)
    page = opened(browser, timeline_of(recording, hum(4, 5), measured=meter.measured()), tmp_path)
    assert rows(page) == [
        "0:03.00 0:03.00 0.00 s digital clipping measured 4 samples 2",
        "0:04.00 0:05.00 1.00 s hum 0.50 90 % mix",
        "0:05.00 0:06.00 1.00 s digital silence measured 1 s all",
    ]
    names, values = (
        [cell.text for cell in page.find_elements(By.CSS_SELECTOR, f"#measured {tag}")] for tag in ("dt", "dd")
    )
    facts = dict(zip(names, values, strict=True))
    assert facts["bandwidth"] == "4.0 of 4.0 kHz: full band"
    assert facts["sample peak"] == "-0.9 dBFS"
    assert facts["mains hum"] == "none"
    assert_quiet(page, page.current_url)


def test_a_fault_has_its_colour_and_mark_by_its_place_in_the_catalog(
    browser: Any, recording: Path, tmp_path: Path
) -> None:
    page = opened(browser, timeline_of(recording, hum(1, 2), hum(3, 4, label="squeal")), tmp_path)
    place = artifacts.names().index("hum")
    expected, neutral = page.execute_script(
        "const { faultLook } = modules['pages/shared/marks.js']; return [faultLook(arguments[0]), faultLook()]", place
    )
    assert [path.get_attribute("fill") for path in page.find_elements(By.CSS_SELECTOR, "#rows path")] == [
        expected["fill"],
        neutral["fill"],
    ]


def test_the_sound_of_the_selected_finding_is_drawn_in_detail(browser: Any, recording: Path, tmp_path: Path) -> None:
    page = opened(browser, timeline_of(recording, hum(10, 12)), tmp_path)
    press(page, "j")
    wait(page, lambda: state(page).get("detail") == "sound0")
    start, hop, loudest, band = page.execute_script(
        "const { part } = modules['scan/timeline/detail.js'].detail, { data } = modules['scan/timeline/view.js'];"
        "const levels = atob(part.spectrogram), column = Math.floor(part.columns / 2);"
        "const heights = Array.from({ length: part.rows }, (_, row) => levels.charCodeAt(row * part.columns + column));"
        "const row = heights.indexOf(Math.max(...heights));"
        "const octaves = Math.log(data.overview.highest_hz / data.overview.lowest_hz);"
        "const hertz = data.overview.lowest_hz * Math.exp(octaves * (1 - (row + 0.5) / part.rows));"
        "return [part.start, part.hop, Math.max(...part.high), hertz]"
    )
    assert (start, hop) == (9 * RATE, RATE / 1000)
    assert loudest == pytest.approx(127, abs=6), "on the scale of the whole recording"
    assert band == pytest.approx(1000, rel=0.08)
    assert_quiet(page, page.current_url)


def test_waveform_and_spectrogram_are_drawn_where_the_sound_is(browser: Any, recording: Path, tmp_path: Path) -> None:
    page = opened(browser, timeline_of(recording, hum(10, 12)), tmp_path)
    page.set_window_size(1024, 800)
    strips = "const { strips } = modules['scan/timeline/strips.js'];"
    fitted = f"{strips} return strips.width - strips.clientWidth * devicePixelRatio"
    wait(page, lambda: page.execute_script("return document.documentElement.scrollWidth <= innerWidth"))
    wait(page, lambda: abs(page.execute_script(fitted)) <= 1)
    tall = page.execute_script(
        "const { strips } = modules['scan/timeline/strips.js'], { px } = modules['scan/timeline/view.js'];"
        "const ratio = strips.width / strips.clientWidth;"
        "const copy = new OffscreenCanvas(1, strips.height).getContext('2d');"
        "const inked = (second) => { copy.clearRect(0, 0, 1, strips.height);"
        f"  copy.drawImage(strips, -Math.round(px(second * {RATE}, strips.clientWidth) * ratio), 0);"
        "  const wave = copy.getImageData(0, 0, 1, Math.round(60 * ratio)).data;"
        "  return wave.filter((v, n) => n % 4 === 3 && v > 100).length / ratio; };"
        "return [inked(11), inked(30)]"
    )
    assert tall[0] > 50, "the loud tone fills the strip"
    assert tall[1] < 8, "the noise does not"
