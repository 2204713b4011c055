"""A served timeline in a real browser: sounds from the recording, the picture beside, decisions in the journal.

Skipped where Chromium, its driver or selenium is missing (Debian: ``apt-get install chromium chromium-driver``).
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import assert_quiet, forget_logs, press, state, wait

pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
pytest.importorskip("uvicorn", reason="the extra is not installed: pip install -e '.[serve]'")
from recorded import RATE, film, timeline_of
from selenium.webdriver.common.by import By

from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.pages.shared import server as serving
from contrastive_artifacts.pages.timeline.server import timeline_app
from contrastive_artifacts.probes.labels import Labels


@pytest.fixture
def browser(start_chromium: Callable[..., Any]) -> Any:
    return start_chromium("--disable-gpu", "--autoplay-policy=no-user-gesture-required")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "film.labels.jsonl") as opened:
        yield opened


@pytest.fixture
def address(tmp_path: Path, journal: Journal) -> Iterator[str]:
    app = timeline_app(timeline_of(film(tmp_path)), Labels(journal, "ana", "print"), serving.Access.to("127.0.0.1"))
    server, listener = serving.server_of(app), socket.socket()
    listener.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    server.should_exit = True
    thread.join()
    listener.close()


def test_a_film_is_heard_seen_and_decided_on(browser: Any, address: str, journal: Journal) -> None:
    forget_logs(browser)
    browser.get(address)
    wait(browser, lambda: state(browser).get("picture") == "64")
    press(browser, "j", "j")
    wait(browser, lambda: float(state(browser).get("film", 0)) == 4)
    press(browser, " ")
    wait(browser, lambda: state(browser).get("playing") == "1")
    wait(browser, lambda: int(state(browser).get("head", 0)) > 4 * RATE)
    apart = (
        "const { position } = modules['scan/timeline/playing.js'];"
        f"return Math.abs(document.getElementById('film').currentTime - position() / {RATE})"
    )
    wait(browser, lambda: browser.execute_script(apart) < 0.3)
    press(browser, " ")
    wait(browser, lambda: state(browser).get("playing") == "")
    wait(browser, lambda: browser.execute_script("return document.getElementById('film').paused"))

    press(browser, "y", "j", "x", "j", "x", "u")
    wait(browser, lambda: (state(browser)["kept"], state(browser)["rejected"]) == ("1", "1"))
    wait(browser, lambda: len(journal.entries) == 4)
    assert [entry["action"] for entry in journal.entries] == ["keep", "reject", "reject", "undo"]
    wait(browser, lambda: browser.find_element(By.ID, "said").text.startswith("Decision undone. Finding 4 of 4"))
    browser.refresh()
    wait(browser, lambda: state(browser).get("kept") == "1")
    assert_quiet(browser, address)


def test_a_click_on_the_waveform_plays_from_there(browser: Any, address: str) -> None:
    browser.get(address)
    wait(browser, lambda: state(browser).get("segments") == "4")
    strips = browser.find_element(By.ID, "strips")
    x = browser.execute_script(
        "const { px } = modules['scan/timeline/view.js'], strips = document.getElementById('strips');"
        f"return strips.getBoundingClientRect().left + px({10 * RATE}, strips.clientWidth)"
    )
    y = strips.rect["y"] + 30
    for kind in ("mousePressed", "mouseReleased"):
        button = {"button": "left", "buttons": 1, "clickCount": 1}
        browser.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **button})
    wait(browser, lambda: state(browser).get("playing") == "place")
    wait(browser, lambda: int(state(browser).get("head", 0)) > 10 * RATE)
    wait(browser, lambda: state(browser).get("playing") == "")
