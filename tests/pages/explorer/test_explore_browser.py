"""The explorer in a real browser, served by the real script: drawing, playback, searches, and labels in the journal.

Skipped where Chromium, its driver, selenium or the extra ``serve`` is missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import assert_quiet, press, serving, state, wait
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from steered import chord, open_page, open_row, rows_of, script

from contrastive_artifacts import audio
from contrastive_artifacts.runs import run
from contrastive_artifacts.runs.run import Run

pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
RATE = 16000
SPITE = "<img src=x onerror=window.broken=1>.wav"
TIME = np.arange(2 * RATE) / RATE
TINY = (
    *("run=x", "objective_name=contrastive", "corpus=folder", "window_s=1.0", "backbone.weights=none"),
    *("artifacts.states=[clean,hum,clicks]", "artifacts.severity=[0.8,1.0]", "encoder.hidden=32"),
    *("trainer.steps=2", "trainer.sources=3", "trainer.validate_every=2", "trainer.workers=0"),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A probed run over ten tones, one of them in a file whose name is markup."""
    folder = tmp_path_factory.mktemp("explore")
    noise = np.random.default_rng(0)
    for n in range(10):
        tone = 0.3 * np.sin(2 * np.pi * (200 + 60 * n) * TIME) + noise.normal(0, 0.01, TIME.size)
        audio.write(folder / "data" / (SPITE if n == 0 else f"take {n}.wav"), tone.astype(np.float32)[None], RATE)
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        config = OmegaConf.to_container(compose("pretrain", [*TINY, f"corpus.path={folder}/data"]), resolve=True)
    assert isinstance(config, dict)
    del config["run"]
    run.pretrain(config, folder / "run")
    Run(folder / "run").probe({}, ["linear"], 1.0, 1, 10, 0)
    return folder


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with serving("explore", f"run={home}/run", "port=0", "who=ana", folder=home) as (_, address):
        yield address


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    """The page, drawn; at the end, the console must be empty and every request must have gone to the server."""
    open_page(browser, url)
    yield browser
    assert_quiet(browser, url)
    assert browser.execute_script("return window.broken") is None
    assert browser.find_elements(By.TAG_NAME, "img") == []


def drag(browser: Any, element: str, *places: tuple[float, float]) -> None:
    """Drags the pointer through places given as fractions of the element's width and height."""
    box = browser.execute_script(
        "return document.getElementById(arguments[0]).getBoundingClientRect().toJSON()", element
    )
    chain = ActionChains(browser, duration=15)
    for n, (x, y) in enumerate(places):
        pointer = chain.w3c_actions.pointer_action
        pointer.move_to_location(int(box["x"] + x * box["width"]), int(box["y"] + y * box["height"]))
        if n == 0:
            pointer.pointer_down()
    chain.w3c_actions.pointer_action.pointer_up()
    chain.perform()


def journal_of(home: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home / "run" / "labels.jsonl").read_text().splitlines()]


def test_playback_by_keyboard_alone(page):
    assert page.switch_to.active_element.get_attribute("id") == "map"
    press(page, Keys.ARROW_RIGHT)
    wait(page, lambda: state(page)["picture"] == state(page)["selected"] != "")
    visited = {state(page)["selected"]}
    for key in (Keys.ARROW_LEFT, Keys.ARROW_UP, Keys.ARROW_DOWN, Keys.ARROW_RIGHT):
        press(page, key)
        visited.add(state(page)["selected"])
    assert len(visited) > 1
    open_row(page, rows_of(page, "artifact", "hum")[0])
    press(page, "p", " ")  # looped, so that it cannot end while this looks
    wait(page, lambda: state(page)["playing"] == state(page)["selected"])
    before = script(page, "const now = player.context.currentTime; return now - player.position(now)")
    wait(page, lambda: script(page, "return player.position()") > 0.1)
    playing = "return new URL(player.voice.id, location).searchParams.get('version')"
    for key, version in (("b", "clean"), ("d", "difference"), ("a", "damaged")):
        press(page, key)
        wait(page, lambda version=version: script(page, playing) == version)
        assert state(page)["version"] == version
        assert state(page)["playing"] != "", "switching does not stop the sound"
        lag = script(
            page,
            "const { start, stop } = player.voice.span, now = player.context.currentTime;"
            "return (now - player.position(now)) % (stop - start)",
        )
        assert lag == pytest.approx(before % 1.0, abs=0.002), "and it goes on from the same position"
    press(page, " ")
    assert state(page)["playing"] == ""
    press(page, "f")
    wait(page, lambda: script(page, "return page.item.picture?.top_hz") == 1000)
    colours = "const copy = new OffscreenCanvas(60, 60).getContext('2d');"
    colours += (
        "copy.drawImage(byId('spectrogram'), 0, 0, 60, 60); return new Set(copy.getImageData(0, 0, 60, 60).data).size"
    )
    assert script(page, colours) > 20, "the spectrogram has many colours"
    press(page, "4")
    assert "hz" in page.find_element(By.ID, "facts").text
    press(page, "?")
    assert page.find_element(By.ID, "sheet").is_displayed()
    press(page, Keys.ESCAPE, Keys.ESCAPE)
    assert state(page)["selected"] == ""


def test_the_map_is_drawn_in_colour_and_follows_the_theme(page):
    ground = "const g = byId('dots').getContext('webgl2'), p = new Uint8Array(4);"
    ground += "g.readPixels(0, 0, 1, 1, g.RGBA, g.UNSIGNED_BYTE, p); return [...p]"
    assert script(page, ground) == [255, 255, 255, 255]
    marker = "const row = arguments[0], p = new Uint8Array(4), dots = byId('dots'), g = dots.getContext('webgl2');"
    marker += "g.readPixels(rowX(row), dots.height - rowY(row), 1, 1, g.RGBA, g.UNSIGNED_BYTE, p); return [...p]"
    seen = {}
    for name in ("clean", "hum", "clicks"):
        apart = "return arguments[0].find((row) => nearest(rowX(row), rowY(row)) === row)"
        seen[name] = tuple(script(page, marker, script(page, apart, rows_of(page, "artifact", name))))
    assert len({*seen.values(), (255, 255, 255, 255)}) == 4
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    wait(page, lambda: script(page, ground) == [0x14, 0x17, 0x1C, 255])
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    Select(page.find_element(By.ID, "colour")).select_by_value("severity")
    wait(page, lambda: state(page)["colour"] == "severity")
    assert page.find_element(By.ID, "histogram").is_displayed()


def test_filters_combine(page):
    script(page, "document.querySelector('#items button[title=clicks]').focus(); refreshSoon()")
    wait(page, lambda: "following" not in state(page))
    assert page.switch_to.active_element.get_attribute("title") == "clicks", "a new legend keeps the keyboard focus"
    everything = int(state(page)["visible"])
    hum = page.find_element(By.CSS_SELECTOR, "#items button[title=hum]")
    many = int(hum.find_element(By.CLASS_NAME, "many").text)
    hum.click()
    wait(page, lambda: int(state(page)["visible"]) == everything - many)
    assert page.find_element(By.ID, "count").text == f"{everything - many} of {everything} shown"
    press(page, "/", "onerror")
    wait(page, lambda: int(state(page)["visible"]) == 2)  # clean and clicks of that one recording
    press(page, Keys.ESCAPE)
    page.find_element(By.ID, "all").click()
    wait(page, lambda: int(state(page)["visible"]) == everything)
    Select(page.find_element(By.ID, "colour")).select_by_value("severity")
    wait(page, lambda: page.find_element(By.ID, "high").is_displayed())
    page.find_element(By.ID, "high").send_keys(Keys.HOME)
    severity = script(page, "return [...columns.get('severity').data].filter((v) => v === 0).length")
    wait(page, lambda: int(state(page)["visible"]) == severity)


def test_play_on_hover(page):
    row = script(page, "return central()")
    place = script(
        page, "const b = map.getBoundingClientRect(); return [b.x + rowX(arguments[0]), b.y + rowY(arguments[0])]", row
    )
    press(page, "h")
    page.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": place[0], "y": place[1]})
    wait(page, lambda: state(page)["playing"] == state(page)["hovered"] != "")
    name = script(page, "return columns.get('source').values[columns.get('source').data?.[page.hovered]] ?? ''")
    assert page.find_element(By.ID, "tip").is_displayed()
    assert name in page.find_element(By.ID, "tip").text
    page.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": 2, "y": 2})
    wait(page, lambda: state(page)["playing"] == "")


def test_lasso_and_search_by_its_rows(page):
    press(page, "g")
    drag(page, "map", (0.01, 0.02), (0.6, 0.02), (0.6, 0.98), (0.01, 0.98))
    middle = "return [...points.x].filter((_, row) => rowX(row) < 0.6 * size.width).length"
    assert 0 < int(state(page)["lasso"]) == script(page, middle) < int(state(page)["visible"])
    wait(page, lambda: "%" in page.find_element(By.CLASS_NAME, "mixture").text)
    page.find_element(By.XPATH, "//button[.='Search like these']").click()
    wait(page, lambda: int(state(page)["hits"]) > 0)
    assert page.find_element(By.ID, "hits").is_displayed()
    rings = script(page, "return ringed().length")
    assert rings == len(page.find_elements(By.CSS_SELECTOR, "#hit-rows li")) > 0
    page.find_element(By.CSS_SELECTOR, "#hit-rows .row").send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    second = min(1, rings - 1)  # of few rows outside of the lasso only one may be a hit: the arrow stays on it
    wait(page, lambda: state(page)["selected"] == str(script(page, f"return page.hits.rows[{second}].row")))
    press(page, "m", Keys.ESCAPE, Keys.ESCAPE)
    assert state(page)["lasso"] == "0"


def test_search_by_a_file_a_span_and_a_label(page, tmp_path):
    hum = 0.4 * np.sin(2 * np.pi * 50 * TIME) + 0.2 * np.sin(2 * np.pi * 150 * TIME)
    audio.write(tmp_path / SPITE, hum.astype(np.float32)[None], RATE)
    page.find_element(By.ID, "file").send_keys(str(tmp_path / SPITE))
    wait(page, lambda: int(state(page)["hits"]) > 0 and state(page)["picture"].startswith("query:"))
    assert page.find_element(By.ID, "title").text == SPITE
    assert "%" in page.find_element(By.ID, "query").text
    first = state(page)["query"]
    press(page, " ")
    wait(page, lambda: state(page)["playing"] == f"query:{first}")
    open_row(page, 0)
    drag(page, "view", (0.4, 0.5), (0.8, 0.5))
    wait(page, lambda: state(page)["span"])
    press(page, "s")
    wait(page, lambda: state(page)["query"] not in ("", first))
    assert script(page, "return page.stars.length") == 2
    Select(page.find_element(By.ID, "by-label")).select_by_value("hum")
    wait(page, lambda: "like hum" in page.find_element(By.ID, "query").text)
    (tmp_path / "no.wav").write_bytes(b"")
    page.find_element(By.ID, "file").send_keys(str(tmp_path / "no.wav"))
    wait(page, lambda: "empty" in page.find_element(By.ID, "trouble").text)


def test_search_by_a_file_that_is_dropped(page, tmp_path):
    audio.write(tmp_path / "dropped.wav", (0.3 * np.sin(2 * np.pi * 50 * TIME)).astype(np.float32)[None], RATE)
    data = {"items": [], "files": [str(tmp_path / "dropped.wav")], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver"):
        page.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, "x": 500, "y": 400, "data": data})
    wait(page, page.find_element(By.ID, "drop").is_displayed)
    page.execute_cdp_cmd("Input.dispatchDragEvent", {"type": "drop", "x": 500, "y": 400, "data": data})
    wait(page, lambda: int(state(page)["hits"]) > 0 and state(page)["picture"].startswith("query:"))
    assert page.find_element(By.ID, "title").text == "dropped.wav"
    assert not page.find_element(By.ID, "drop").is_displayed()


def test_labels_are_in_the_journal_and_can_be_undone(page, home):
    row, other, third = rows_of(page, "artifact", "clean")[:3]
    open_row(page, row)
    press(page, "n")
    page.switch_to.active_element.send_keys("kurz", Keys.ENTER)
    press(page, "y")
    wait(page, lambda: state(page)["labels"] == "1")
    assert page.find_element(By.ID, "keep").get_attribute("aria-pressed") == "true"
    open_row(page, other)
    press(page, "x")
    wait(page, lambda: state(page)["labels"] == "2")
    open_row(page, third)
    press(page, "l")
    page.switch_to.active_element.send_keys("Tape Hiss", Keys.ENTER)
    assert page.find_element(By.ID, "relabel-dialog").is_displayed(), "a name with a blank is refused"
    page.switch_to.active_element.send_keys(Keys.CONTROL + "a")
    page.switch_to.active_element.send_keys("tape_hiss", Keys.ENTER)
    wait(page, lambda: state(page)["labels"] == "3")
    wait(page, lambda: "now tape_hiss" in page.find_element(By.ID, "badge").text)
    entries = journal_of(home)
    assert [e["action"] for e in entries[-3:]] == ["keep", "reject", "relabel"]
    assert all(e["who"] == "ana" for e in entries)
    assert (entries[-3]["note"], entries[-1]["rows"][0]["label"]) == ("kurz", "tape_hiss")
    wait(page, lambda: "tape_hiss" in script(page, "return about.labels"))
    press(page, "u")
    wait(page, lambda: state(page)["labels"] == "2")
    wait(page, lambda: page.find_element(By.ID, "badge").text == "")
    chord(page, Keys.CONTROL, "z")
    wait(page, lambda: state(page)["labels"] == "1")
    assert state(page)["selected"] == str(other)
    assert journal_of(home)[-1]["action"] == "undo"
    page.refresh()
    wait(page, lambda: "ready" in state(page))
    assert state(page)["labels"] == "1", "labels outlive the page"


def test_a_label_that_is_not_stored_is_not_shown(page):
    open_row(page, 0)
    before = state(page)["labels"]
    page.execute_script("window.fetch = () => Promise.reject(new TypeError('no network'))")
    press(page, "x")
    wait(page, lambda: "does not answer" in page.find_element(By.ID, "trouble").text)
    assert state(page)["labels"] == before
    assert page.find_element(By.ID, "reject").get_attribute("aria-pressed") == "false"


def show_only(page: Any, name: str) -> None:
    Select(page.find_element(By.ID, "colour")).select_by_value("artifact")
    item = page.find_element(By.CSS_SELECTOR, f"#items button[title={name}]")
    ActionChains(page).key_down(Keys.SHIFT).click(item).key_up(Keys.SHIFT).perform()
    wait(page, lambda: state(page)["visible"] == str(len(rows_of(page, "artifact", name))))


def test_acts_apply_to_what_is_shown(page, home):
    hum, clicks = rows_of(page, "artifact", "hum"), rows_of(page, "artifact", "clicks")
    script(page, "choose(Uint32Array.from(arguments[0]))", hum)
    show_only(page, "clicks")
    assert page.find_element(By.ID, "selected-text").text == f"{len(hum)} selected, 0 shown"
    before, entries = state(page)["labels"], len(journal_of(home))
    press(page, "m")
    chord(page, Keys.SHIFT, "x")
    wait(page, lambda: "0 shown" in page.find_element(By.ID, "trouble").text)
    assert (state(page)["labels"], len(journal_of(home))) == (before, entries), "hidden rows are not rejected"
    script(page, "choose(Uint32Array.from(arguments[0]))", [*hum, *clicks[:2]])
    assert page.find_element(By.ID, "selected-text").text == f"{len(hum) + 2} selected, 2 shown"
    chord(page, Keys.SHIFT, "x")
    wait(page, lambda: len(journal_of(home)) == entries + 1)
    assert [row["artifact"] for row in journal_of(home)[-1]["rows"]] == ["clicks", "clicks"]
    wait(page, lambda: int(state(page)["labels"]) == int(before) + 2)  # before that, an undo would be ignored
    wait(page, lambda: "following" not in state(page))
    press(page, "u")
    wait(page, lambda: state(page)["labels"] == before)


def test_searches_and_counts_follow_the_filter(page):
    hum = rows_of(page, "artifact", "hum")
    show_only(page, "clicks")
    clicks = set(rows_of(page, "artifact", "clicks"))
    Select(page.find_element(By.ID, "by-label")).select_by_value("hum")
    wait(page, lambda: int(state(page)["hits"]) > 0)
    assert {hit["row"] for hit in script(page, "return page.hits.rows")} <= clicks
    open_row(page, hum[0])
    wait(page, lambda: int(state(page)["similar"]) > 0)
    assert {hit["row"] for hit in script(page, "return page.similar")} <= clicks
    Select(page.find_element(By.ID, "colour")).select_by_value("heard")
    wait(page, lambda: state(page)["colour"] == "heard")
    many = (
        "return [...document.querySelectorAll('#items .many')].reduce((sum, { textContent }) => sum + +textContent, 0)"
    )
    assert script(page, many) == len(clicks), "the legend counts what the other filters show"
    page.find_element(By.ID, "all").click()
    wait(page, lambda: str(script(page, many)) == state(page)["ready"])


def test_one_act_over_many_and_retraining(page, home):
    for name in ("hum", "clicks"):
        Select(page.find_element(By.ID, "colour")).select_by_value("artifact")
        item = page.find_element(By.CSS_SELECTOR, f"#items button[title={name}]")
        ActionChains(page).key_down(Keys.SHIFT).click(item).key_up(Keys.SHIFT).perform()
        many = len(rows_of(page, "artifact", name))
        wait(page, lambda many=many: state(page)["visible"] == str(many))
        press(page, "3")
        page.find_element(By.XPATH, "//button[.='Select all shown']").click()
        wait(page, lambda many=many: state(page)["lasso"] == str(many))
        entries = len(journal_of(home))
        before = int(state(page)["labels"])
        press(page, "m")
        chord(page, Keys.SHIFT, "y")
        wait(page, lambda before=before, many=many: int(state(page)["labels"]) == before + many)
        assert len(journal_of(home)) == entries + 1, "one act, one entry"
        press(page, Keys.ESCAPE)
        assert state(page)["lasso"] == "0"
        page.find_element(By.ID, "all").click()
        wait(page, lambda: "following" not in state(page))  # the legend is new by then
    page.find_element(By.ID, "retrain").click()
    wait(page, page.find_element(By.ID, "proposal").is_displayed)
    assert "before" in page.find_element(By.ID, "proposal").text
    assert not (home / "run" / "relabelled").exists(), "nothing is saved before it is agreed"
    page.find_element(By.ID, "use").click()
    wait(page, lambda: state(page).get("retrained", "").isdigit())
    assert state(page)["colour"] == "heard"
    assert (home / "run" / "relabelled" / "probe.json").exists()
    page.find_element(By.ID, "retrain").click()
    wait(page, page.find_element(By.ID, "back").is_displayed)
    page.find_element(By.ID, "back").click()
    wait(page, lambda: state(page).get("retrained") == "back")
    assert not (home / "run" / "relabelled").exists()


def test_a_name_that_is_markup_stays_text(page):
    script(page, "return load('source')")
    row = rows_of(page, "source", SPITE)[0]
    open_row(page, row)
    assert SPITE in page.find_element(By.ID, "where").text
    press(page, "4")
    assert SPITE in page.find_element(By.ID, "facts").text
    Select(page.find_element(By.ID, "colour")).select_by_value("source")
    wait(page, lambda: SPITE in page.find_element(By.ID, "items").text)


def test_without_webgl_the_rest_works(browser, url):
    script = "const old = HTMLCanvasElement.prototype.getContext;"
    script += "HTMLCanvasElement.prototype.getContext = function (kind, ...more) "
    script += "{ return kind === 'webgl2' ? null : old.call(this, kind, ...more); }"
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    browser.get(url)
    wait(browser, lambda: "ready" in state(browser))
    assert state(browser)["webgl"] == "none"
    assert browser.find_element(By.ID, "no-map").is_displayed()
    open_row(browser, 1)
    wait(browser, lambda: int(state(browser)["similar"]) > 0)
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
