"""The review in a real browser: the script serves, keys decide, the journal and the next manifest hold the decisions.

Skipped where Chromium, its driver, selenium or the extra ``serve`` is missing.
"""

from __future__ import annotations

import csv
import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import assert_quiet, press, serving, state, wait

from contrastive_artifacts import audio

pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
RATE = 16000
# See core.html.bundle.
CLIP = "const { slice } = modules['pages/review/clip.js'], { player } = modules['pages/shared/player.js'];"
SPITE = "<img src=x onerror=window.broken=1>.wav"
TIME = np.arange(2 * RATE) / RATE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tone = (0.5 * np.sin(2 * np.pi * 440 * TIME)).astype(np.float32)[None]
    noise = np.random.default_rng(0).normal(0, 0.05, (1, 2 * RATE)).astype(np.float32)
    waves = {"clipped": np.clip(tone, -0.2, 0.2), "offset": noise + np.float32(0.02), "good": noise[:, ::-1]}
    for name, wave in waves.items():
        audio.write(tmp_path / "data" / f"{name}.wav", wave, RATE)
    audio.write(tmp_path / "data" / SPITE, noise * np.float32(0.3) + np.float32(0.012), RATE)
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    arguments = [f"corpus.path={folder}/data", f"to={folder}/to", "port=0", "who=ana", "limits={duplicate: null}"]
    with serving("curate", *arguments, folder=folder) as server:
        yield server


@pytest.fixture
def browser(start_chromium: Callable[..., Any]) -> Any:
    return start_chromium("--disable-gpu")


def test_review_with_the_keyboard(browser, server, folder):
    process, url = server
    browser.get(url)
    wait(browser, lambda: state(browser).get("drawn") == "clipped.wav")
    assert state(browser)["left"] == "3"
    drawn = browser.execute_script(
        "const copy = new OffscreenCanvas(60, 60).getContext('2d'); "
        "copy.drawImage(document.getElementById('spectrogram'), 0, 0, 60, 60);"
        "return new Set(copy.getImageData(0, 0, 60, 60).data).size"
    )
    assert drawn > 20, "the spectrogram has many colours"

    press(browser, " ")
    wait(browser, lambda: state(browser).get("playing") == "clipped.wav")
    wait(browser, lambda: browser.execute_script(f"{CLIP}return player.position()") > 0.1)
    press(browser, " ")
    assert state(browser)["playing"] == ""

    press(browser, "n")
    press(browser, "kurz", Keys.ENTER)  # in the note, y, u and x are letters
    assert state(browser)["decided"] == "0"
    press(browser, "x")
    wait(browser, lambda: state(browser).get("drawn") == "offset.wav")
    wait(browser, lambda: state(browser).get("playing") == "offset.wav")  # by itself
    assert browser.find_element(By.ID, "progress").text == "clip 2 of 3, 1 of 3 decided"
    assert "left out of the manifest" in browser.find_element(By.ID, "meaning").text
    browser.find_element(By.ID, "onwards").click()
    press(browser, "y")
    wait(browser, lambda: state(browser).get("drawn") == SPITE)
    assert browser.find_element(By.ID, "name").text == SPITE
    assert browser.execute_script("return window.broken") is None
    assert state(browser)["decided"] == "2"
    assert state(browser)["playing"] == ""
    precisions = browser.execute_script("return document.getElementById('precisions').textContent")
    assert "clipped: 1 of 1 rejected, 21 – 100 %; about" in precisions
    assert "dc_offset: 0 of 1 rejected" in precisions
    entries = [json.loads(line) for line in (folder / "to" / "decisions.jsonl").read_text().splitlines()]
    assert [(e["clip"], e["decision"], e["note"], e["who"]) for e in entries] == [
        ("clipped.wav", "reject", "kurz", "ana"),
        ("offset.wav", "keep", "", "ana"),
    ]

    press(browser, "u")
    wait(browser, lambda: state(browser).get("drawn") == "offset.wav")
    assert state(browser)["decided"] == "1"
    assert "dc_offset" not in browser.execute_script("return document.getElementById('precisions').textContent")
    press(browser, Keys.ARROW_UP)
    wait(browser, lambda: state(browser).get("drawn") == "clipped.wav")
    assert browser.find_element(By.ID, "reject").get_attribute("aria-pressed") == "true"
    assert browser.find_element(By.ID, "note").get_attribute("value") == "kurz"
    press(browser, "l", "[", "]")  # in the explorer these relabel and mark a span: here they do nothing
    press(browser, "f")
    wait(browser, lambda: browser.execute_script(f"{CLIP}return slice.picture?.top_hz") == 1000)

    assert_quiet(browser, url)

    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0, output
    rows = {row["id"]: row for row in csv.DictReader((folder / "to" / "manifest.csv").read_text().splitlines())}
    assert {name: row["decision"] for name, row in rows.items()} == {
        "clipped.wav": "reject", "good.wav": "keep", "offset.wav": "keep", SPITE: "keep",
    }  # fmt: skip
    assert (rows["clipped.wav"]["decided_by"], rows["clipped.wav"]["note"]) == ("ana", "kurz")
    assert json.loads((folder / "to" / "manifest.json").read_text())["version"] == 2
