"""The pages in a real browser: drawn, read and played, without a message on the console and without a request.

Skipped where Chromium, its driver or selenium is missing (Debian: ``apt-get install chromium chromium-driver``).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import assert_quiet, forget_logs, state, wait
from naming import misnamed

from contrastive_artifacts import artifacts
from contrastive_artifacts.audio.preview import encode_preview
from contrastive_artifacts.pages.hits import HitRow, write_hits
from contrastive_artifacts.pages.map import MapPoint, write_map
from contrastive_artifacts.pages.sheet import SheetRow, write_sheet

pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

RATE = 22050
MAP = (  # names of the map page that the tests read; see core.html.bundle
    "const { points } = modules['pages/map/points.js'], { player } = modules['pages/shared/player.js'];"
    "const { progress } = modules['pages/map/playing.js'];"
    "const { canvas: map, screenX, screenY } = modules['pages/map/view.js'];"
)
SPITE = "</script><img src='https://example.invalid/x.png' onerror='window.broken=1'>"


@pytest.fixture(scope="module")
def browser(start_chromium: Callable[..., Any]) -> Any:
    return start_chromium("--disable-gpu", "--force-device-scale-factor=2")


def points() -> list[MapPoint]:
    """A cross: "middle" with a neighbour in each direction, all of them with sound but the right one."""
    time = np.arange(2 * RATE) / RATE
    preview, mime = encode_preview((0.2 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)[None], RATE)
    places = {"middle": (0, 0), "left": (-2, 0.2), "right": (2, -0.2), "up": (0.1, 1), "down": (0, -1)}
    artifacts = {"middle": "hum", "left": "clean", "right": "hum", "up": "clicks", "down": "clicks"}
    return [
        MapPoint(
            float(x),
            float(y),
            id=name,
            artifact=artifacts[name],
            severity=0.0 if name == "left" else 0.75 if name == "middle" else 0.1,
            source=SPITE if name == "middle" else f"film {name}",
            corpus="demo",
            params={"parameters": {"base_hz": 50.0, "note": SPITE}},
            audio=None if name == "right" else preview,
            mime=mime,
        )
        for name, (x, y) in places.items()
    ]


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Any:
    write_map(tmp_path / "map.html", points(), f"Demo {SPITE}", {"encoder": SPITE, "clips": 5})
    forget_logs(browser)
    browser.get((tmp_path / "map.html").as_uri())
    wait(browser, lambda: state(browser).get("drawn") == "5")
    return browser


def pointer(browser: Any, name: str, *kinds: str) -> None:
    """Real mouse events through the DevTools protocol, at the point's place on the screen."""
    x, y = browser.execute_script(
        f"{MAP}const i = points.id.indexOf(arguments[0]), box = map.getBoundingClientRect();"
        "return [box.left + screenX(i), box.top + screenY(i)]",
        name,
    )
    for kind in kinds:
        button = {"button": "left", "buttons": 1, "clickCount": 1} if kind != "mouseMoved" else {}
        browser.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **button})


def colour(browser: Any, name: str) -> list[int]:
    """RGBA at the point, read from a copy: Chromium warns of every canvas that is read twice."""
    return browser.execute_script(
        f"{MAP}const i = points.id.indexOf(arguments[0]), r = devicePixelRatio;"
        "const copy = new OffscreenCanvas(1, 1).getContext('2d');"
        "copy.drawImage(map, -Math.round(screenX(i) * r), -Math.round(screenY(i) * r));"
        "return [...copy.getImageData(0, 0, 1, 1).data]",
        name,
    )


def test_points_are_drawn_sharp_and_coloured_by_artifact(page: Any) -> None:
    assert page.execute_script(f"{MAP}return map.width / map.clientWidth") == pytest.approx(2, abs=0.01)
    up, down, middle, left = (colour(page, name) for name in ("up", "down", "middle", "left"))
    assert up == down
    assert len({tuple(c) for c in (up, middle, left)}) == 3
    assert all(c[3] > 200 for c in (up, middle, left)), "something opaque lies where the points are"
    assert_quiet(page, page.current_url)


def test_a_fault_has_the_look_of_its_place_in_the_catalog(page: Any) -> None:
    places = [artifacts.names().index(name) for name in ("clicks", "hum")]
    looks = page.execute_script(
        "const { faultLook } = modules['pages/shared/marks.js'];"
        "return arguments[0].map((place) => faultLook(place).fill)",
        places,
    )
    marks = page.find_elements(By.CSS_SELECTOR, "#items button path")
    assert [mark.get_attribute("fill") for mark in marks][1:] == looks


def test_hover_shows_the_facts_as_text(page: Any) -> None:
    pointer(page, "middle", "mouseMoved")
    wait(page, lambda: state(page).get("hovered") == "middle")
    tip = page.find_element(By.ID, "tip")
    assert tip.is_displayed()
    for fact in ("hum · severity 0.75", SPITE, "base_hz", "50"):
        assert fact in tip.text
    assert "playing" not in state(page), "no sound before it was asked for"
    assert page.find_elements(By.TAG_NAME, "img") == []
    assert page.execute_script("return window.broken") is None
    assert_quiet(page, page.current_url)


def test_click_plays_and_space_stops(page: Any) -> None:
    pointer(page, "middle", "mouseMoved", "mousePressed", "mouseReleased")
    wait(page, lambda: state(page).get("playing") == "middle")
    assert page.execute_script(f"{MAP}return player.context.state") == "running"
    wait(page, lambda: page.execute_script(f"{MAP}return progress()") > 0.02)
    page.find_element(By.ID, "map").send_keys(Keys.SPACE)
    assert state(page)["playing"] == ""
    pointer(page, "right", "mouseMoved", "mousePressed", "mouseReleased")
    wait(page, lambda: state(page)["selected"] == "right")
    assert page.find_element(By.ID, "play").text == "No sound"
    assert_quiet(page, page.current_url)


def test_sound_ends_by_itself(page: Any) -> None:
    pointer(page, "up", "mouseMoved", "mousePressed", "mouseReleased")
    wait(page, lambda: state(page).get("playing") == "up")
    wait(page, lambda: state(page)["playing"] == "")
    assert_quiet(page, page.current_url)


def test_hover_plays_once_sound_is_on(page: Any) -> None:
    page.find_element(By.ID, "sound").click()
    pointer(page, "down", "mouseMoved")
    wait(page, lambda: state(page).get("playing") == "down")
    pointer(page, "left", "mouseMoved")
    wait(page, lambda: state(page)["playing"] == "left")
    assert_quiet(page, page.current_url)


def test_arrows_go_to_the_neighbour_and_enter_plays(page: Any) -> None:
    page.find_element(By.ID, "map").send_keys(Keys.ARROW_RIGHT)
    assert state(page)["selected"] == "middle", "the first key selects the clip in the middle"
    for key, name in (
        (Keys.ARROW_LEFT, "left"),
        (Keys.ARROW_RIGHT, "middle"),
        (Keys.ARROW_UP, "up"),
        (Keys.ARROW_DOWN, "middle"),
        (Keys.ARROW_DOWN, "down"),
    ):
        page.find_element(By.ID, "map").send_keys(key)
        assert state(page)["selected"] == name
    assert "down: clicks · severity 0.10" in page.find_element(By.ID, "say").get_attribute("textContent")
    page.find_element(By.ID, "map").send_keys(Keys.ENTER)
    wait(page, lambda: state(page).get("playing") == "down")
    page.find_element(By.ID, "map").send_keys(Keys.ESCAPE)
    assert (state(page)["playing"], state(page)["selected"]) == ("", "")
    assert_quiet(page, page.current_url)


def test_switching_the_colour_recolours(page: Any) -> None:
    seen = {"artifact": colour(page, "middle")}
    for mode in ("severity", "source"):
        page.find_element(By.CSS_SELECTOR, f"[data-mode={mode}]").click()
        wait(page, lambda: colour(page, "middle") not in seen.values())
        seen[mode] = colour(page, "middle")
    page.find_element(By.CSS_SELECTOR, "[data-mode=severity]").click()
    wait(page, lambda: colour(page, "middle") == seen["severity"])
    assert colour(page, "up") == colour(page, "down") != seen["severity"]
    assert_quiet(page, page.current_url)


def test_legend_and_search_filter(page: Any) -> None:
    legend = {b.text.split("\n")[0]: b for b in page.find_elements(By.CSS_SELECTOR, "#items button")}
    assert list(legend) == ["clean", "clicks", "hum"]
    legend["clicks"].click()
    assert state(page)["visible"] == "3"
    assert legend["clicks"].get_attribute("aria-pressed") == "false"
    page.find_element(By.ID, "find").send_keys("film")
    assert state(page)["visible"] == "2"
    pointer(page, "up", "mouseMoved")
    assert not state(page).get("hovered"), "what is hidden cannot be pointed at"
    page.find_element(By.ID, "all").click()
    assert state(page)["visible"] == "5"
    assert_quiet(page, page.current_url)


def test_a_map_of_many_clips_names_its_clusters_and_is_not_squeezed(browser: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    places = {"hum": (-1, 0), "hiss": (1, 0), "clean": (0, 1)}
    many = [
        MapPoint(*(float(v) for v in rng.normal(places[name], 0.1)), id=f"{name} {n}", artifact=name)
        for name in places
        for n in range(60)
    ]
    far = MapPoint(400.0, 0.0, id="far", artifact="clicks")
    fault = MapPoint(0.0, 1.0, id="middle", artifact="hum")
    write_map(tmp_path / "map.html", [fault, far, *many], "Demo")
    browser.get((tmp_path / "map.html").as_uri())
    wait(browser, lambda: state(browser).get("drawn") == "182")
    assert set(state(browser)["named"].split(", ")) == {"hum", "hiss", "clean"}
    xs = browser.execute_script(f"{MAP}return points.x.map((_, i) => screenX(i))")
    assert max(xs[2:]) - min(xs[2:]) > 0.8 * (max(xs) - min(xs)), "one far clip leaves the map to the others"
    red, _, blue, _ = colour(browser, "middle")
    assert blue - red > 60, "the clip that hums lies on the clean ones"


def test_dark_scheme_is_followed(page: Any) -> None:
    light = colour(page, "middle"), page.execute_script("return getComputedStyle(document.body).backgroundColor")
    scheme = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
    try:
        wait(page, lambda: colour(page, "middle") != light[0])
        assert page.execute_script("return getComputedStyle(document.body).backgroundColor") != light[1]
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert_quiet(page, page.current_url)


def test_contact_sheet_draws_plays_switches_and_filters(browser: Any, tmp_path: Path) -> None:
    tone = (0.1 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.float32)[None]
    rows = [
        SheetRow(artifacts.artifact(name), tone, [artifacts.render(name, tone, RATE, s) for s in (0.0, 1.0)])
        for name in ("hum", "dropout")
    ]
    write_sheet(tmp_path / "sheet.html", rows, f"Demo {SPITE}", {"clip": SPITE})
    forget_logs(browser)
    browser.get((tmp_path / "sheet.html").as_uri())
    wait(browser, lambda: state(browser).get("drawn") == "6")
    worst = browser.find_element(By.CSS_SELECTOR, "[aria-label='dropout, severity 1']")
    wait(browser, lambda: browser.execute_script("return arguments[0].querySelector('canvas').width", worst) > 200)
    worst.click()
    wait(browser, lambda: state(browser).get("playing") == "dropout 1")
    position = "return modules['pages/shared/player.js'].player.position()"
    wait(browser, lambda: (browser.execute_script(position) or 0) > 0.5)
    worst.send_keys("c")
    wait(browser, lambda: state(browser).get("playing") == "dropout clean")
    assert browser.execute_script(position) > 0.5, "the other version goes on from the same position"
    browser.switch_to.active_element.send_keys("c")
    wait(browser, lambda: state(browser).get("playing") == "dropout 1")
    browser.switch_to.active_element.send_keys(Keys.ARROW_UP)
    assert browser.switch_to.active_element.get_attribute("aria-label") == "hum, severity 1"
    browser.switch_to.active_element.send_keys(" ")
    wait(browser, lambda: state(browser).get("playing") == "")
    browser.find_element(By.ID, "find").send_keys("AC beat")
    wait(browser, lambda: state(browser).get("shown") == "1")
    assert misnamed(browser) == []
    browser.find_element(By.ID, "find").send_keys("xyz")
    wait(browser, lambda: state(browser).get("shown") == "0")
    assert "“AC beatxyz”" in browser.find_element(By.ID, "none").text
    assert_quiet(browser, browser.current_url)


def test_hits_are_drawn_and_played(browser: Any, tmp_path: Path) -> None:
    tone = (0.1 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.float32)[None]
    rows = [HitRow(f"{name} {SPITE}", "0:00 - 0:02", score, tone, RATE, {"heard": "hum"}) for name, score in
            (("query", None), ("first", 0.9))]  # fmt: skip
    write_hits(tmp_path / "hits.html", rows, f"Like {SPITE}", {"index": SPITE})
    forget_logs(browser)
    browser.get((tmp_path / "hits.html").as_uri())
    wait(browser, lambda: state(browser).get("drawn") == "2")
    corner = (  # the highest band: a tone of 440 Hz leaves it silent
        "const canvas = document.querySelector('.hit canvas'), copy = new OffscreenCanvas(1, 1).getContext('2d');"
        "copy.drawImage(canvas, -4, -4); return [...copy.getImageData(0, 0, 1, 1).data]"
    )
    assert misnamed(browser) == []
    assert min(browser.execute_script(corner)[:3]) > 225, "silence does not glare on a light page"
    browser.find_elements(By.CSS_SELECTOR, "#rows button")[1].click()
    wait(browser, lambda: (state(browser).get("playing") or "").startswith("first"))
    browser.switch_to.active_element.send_keys(" ")
    wait(browser, lambda: state(browser).get("playing") == "")
    assert_quiet(browser, browser.current_url)
