"""The map in a browser: names on clusters, clean rows beneath, silence apart, and columns with too many values.

Skipped where Chromium, its driver, selenium or the extra ``serve`` is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from archived import RATE, WINDOW_S, explored
from browsing import state, wait
from naming import misnamed
from steered import open_page, script

import contrastive_artifacts as ca
from contrastive_artifacts.pages.explorer import layout
from contrastive_artifacts.pages.explorer.collection import SILENCE
from contrastive_artifacts.search.index import Index

pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
from selenium.webdriver.common.by import By

pytestmark = pytest.mark.slow
GROUPS = {"hum": (-0.5, 0.0, 60), "hiss": (0.5, 0.0, 60), "clean": (0.0, 0.5, 168)}
MIDDLE = (0.0, -0.5)  # where one row that hums lies among 100 clean ones
PIXEL = """
const { x, y } = { x: rowX(arguments[0]), y: rowY(arguments[0]) }, ratio = devicePixelRatio;
const copy = new OffscreenCanvas(1, 1).getContext("2d");
copy.drawImage(byId("dots"), -Math.round(x * ratio), -Math.round(y * ratio));
return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, rng, encoder = tmp_path_factory.mktemp("map"), np.random.default_rng(0), ca.load("release/mn04")
    silence = encoder.embed((np.zeros((1, WINDOW_S * RATE), np.float32), RATE)).clip
    vectors, names = [], []
    for name, (x, y, many) in GROUPS.items():
        vectors += [rng.normal((x, y), 0.02) for _ in range(many)]
        names += [name] * many
    vectors += [np.array(MIDDLE)] * 101
    names += [*["clean"] * 50, "hum", *["clean"] * 50]
    rows = [
        {"clip": f"{n}.wav", "file": f"{folder}/{n}.wav", "corpus": "c", "source": f"tape {n}", "channel": None,
         "start": 0, "stop": WINDOW_S * RATE, "sample_rate": RATE, "params": "{}", "heard": name,
         "heard_severity": 0.5, "heard_probability": 0.9}
        for n, name in enumerate([*names, *["clean"] * 8])
    ]  # fmt: skip
    whole = np.zeros((len(rows), encoder.dim), np.float32)
    whole[: len(vectors), :2], whole[: len(vectors), 2] = vectors, 0.5
    whole[len(vectors) :] = silence
    index = Index.build(whole, rows, folder / "index", encoder.fingerprint)
    with pytest.MonkeyPatch.context() as patched:  # UMAP takes half a minute to compile
        patched.setattr(layout, "umap_2d", lambda x, seed: x[:, :2])
        layout.layout_of(index, silence=silence)
    with explored(folder) as address:
        yield address


@pytest.fixture
def page(browser: Any, url: str) -> Any:
    open_page(browser, url)
    return browser


def test_clusters_have_names_and_silence_is_one(page):
    wait(page, lambda: set(state(page).get("named", "").split(", ")) == {"hum", "hiss", "clean", SILENCE})
    legend = [line.text.split() for line in page.find_elements(By.CSS_SELECTOR, "#items li")]
    assert [SILENCE, "8"] in legend
    below = script(page, "return [...points.y.slice(389)].every((y) => y < Math.min(...points.y.slice(0, 389)))")
    assert below
    script(page, "select(390)")
    wait(page, lambda: SILENCE in page.find_element(By.ID, "verdict").text)
    assert "%" not in page.find_element(By.ID, "verdict").text


def test_clean_rows_lie_small_and_beneath(page):
    def spread(row: int) -> int:  # of the colour at a row's place: large for a fault, small for grey
        colour = script(page, PIXEL, row)
        return max(colour) - min(colour)

    wait(page, lambda: spread(5) > 60)
    assert spread(338) > 60, "the row that hums is on top of a hundred clean ones"
    assert spread(200) < 40, "grey"


def test_a_column_of_many_values_says_so(page):
    script(page, "byId('colour').value = 'source'; byId('colour').dispatchEvent(new Event('change'))")
    wait(page, lambda: state(page)["colour"] == "source")
    hint = page.find_element(By.ID, "legend-hint").text
    assert "397 values are too many to colour apart" in hint
    assert "56 of 397 rows" in hint


def test_bars_are_shares_of_the_selection(page):
    script(page, "choose(Uint32Array.from({ length: 397 }, (_, row) => row))")
    wait(page, lambda: page.find_elements(By.CSS_SELECTOR, "#chosen .rail span"))
    read = "return [...document.querySelectorAll('#chosen .bars .many')].map((node) => [node.textContent,"
    read += "parseFloat(node.previousSibling.firstChild.style.width)])"
    shares = page.execute_script(read)
    assert ["15 %", pytest.approx(100 * 61 / 397, abs=0.1)] in shares
    assert all(width < 1 for text, width in shares if text == "< 1 %")


@pytest.mark.parametrize("width", [1280, 1024])
def test_no_text_is_cut_off_but_names_of_files(page, width):
    size = {"width": width, "height": 720, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        script(page, "select(3)")
        wait(page, lambda: int(state(page)["similar"]) > 0)
        cut = page.execute_script(
            "const parts = document.querySelectorAll('button, select, #items .text, .rows .score, .rows .name b,'"
            " + '#verdict, #clock, .key span, #legend-hint, #count');"
            "return [...parts].filter((node) => node.checkVisibility() && !node.matches('.row') &&"
            "node.scrollWidth > node.clientWidth + 1 && node.clientWidth).map((node) => node.id || node.textContent)"
        )
        assert cut == []
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_what_a_control_shows_is_part_of_its_name(page):
    script(page, "select(3)")
    first = "return document.querySelector('#similar .row')?.textContent ?? ''"
    wait(page, lambda: "similarity 1.00" in page.execute_script(first))
    assert misnamed(page) == []
