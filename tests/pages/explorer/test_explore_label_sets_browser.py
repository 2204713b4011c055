"""Rows of several artifacts in a real browser: colours, filters, and labels by adding and taking away.

Skipped where Chromium, its driver, selenium or the extra ``serve`` is missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import press, serving, state, wait
from explored import sets
from steered import chord, open_row, script

from contrastive_artifacts.pages.explorer import layout
from contrastive_artifacts.search.index import Index

pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of explored.sets, with a map of two coordinates, so that the script need not compile UMAP."""
    folder = tmp_path_factory.mktemp("sets")
    index = Index.open(sets(folder).index.directory)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(layout, "umap_2d", lambda x, seed: x[:, :2])
        layout.layout_of(index)
    return folder


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    settings = (f"index={home}/index", f"encoder={home}/encoder", "port=0", "who=ana")
    with serving("explore", *settings, folder=home) as (_, address):
        yield address


def labels_in(home: Path) -> dict[int, str]:
    """Number of the last act's row, by the start of its window -> label, in the journal."""
    act = json.loads((home / "index.labels.jsonl").read_text().splitlines()[-1])
    return {int(row["clip"][0]) * 6 + row["start"] // 4000: row["label"] for row in act["rows"]}


def chips(page: Any) -> list[str]:
    return [chip.text for chip in page.find_elements(By.CSS_SELECTOR, "#names button")]


def relabel(page: Any, row: int) -> None:
    open_row(page, row)
    press(page, "l")
    wait(page, page.find_element(By.ID, "relabel-dialog").is_displayed)


def undo_all(page: Any) -> None:
    """A key that is pressed while the server writes is ignored."""
    wait(page, lambda: press(page, "u") or state(page)["labels"] == "0")


def test_the_legend_lists_artifacts_and_filters_by_any(page):
    assert state(page)["colour"] == "present"
    items = {item.get_attribute("title"): item for item in page.find_elements(By.CSS_SELECTOR, "#items button")}
    many = {name: int(item.find_element(By.CLASS_NAME, "many").text) for name, item in items.items()}
    assert many == {"clean": 20, "hum": 30, "hiss": 20}, "a row with both counts for both"
    style = "return styles[arguments[0]]"
    both, hum, hiss = (script(page, style, row) for row in (3, 1, 2))
    assert both == hum != hiss
    ActionChains(page).key_down(Keys.SHIFT).click(items["hiss"]).key_up(Keys.SHIFT).perform()
    wait(page, lambda: state(page)["visible"] == "20")
    assert [script(page, "return shown[arguments[0]]", row) for row in range(6)] == [0, 0, 1, 1, 0, 0]
    wait(page, lambda: script(page, style, 3) == hiss)
    page.find_element(By.CSS_SELECTOR, "#chips button").click()
    wait(page, lambda: state(page)["visible"] == "60")
    wait(page, lambda: script(page, style, 3) == hum)


def test_an_artifact_is_added_and_one_is_taken_away_by_keys(page, home):
    open_row(page, 3)
    assert page.find_element(By.ID, "title").text == "hiss, hum"
    assert "hum" in page.find_element(By.ID, "verdict").text
    relabel(page, 3)
    assert chips(page) == ["hiss ×", "hum ×"]
    press(page, Keys.BACKSPACE, "cli", Keys.ENTER)
    assert chips(page) == ["hiss ×", "clicks ×"]
    assert "save as hiss, clicks" in page.find_element(By.ID, "relabel-hint").text
    press(page, "Tape Squeal", Keys.ENTER)
    assert page.find_element(By.ID, "relabel-dialog").is_displayed(), "a name with a blank is refused"
    chord(page, Keys.CONTROL, "a")
    press(page, "tape_squeal", Keys.ENTER, Keys.ENTER)
    wait(page, lambda: state(page)["labels"] == "1")
    wait(page, lambda: "now clicks, hiss, tape_squeal" in page.find_element(By.ID, "badge").text)
    assert labels_in(home) == {3: "clicks, hiss, tape_squeal"}
    wait(page, lambda: "tape_squeal" in script(page, "return about.labels"))
    press(page, "y")
    wait(page, lambda: "kept" in page.find_element(By.ID, "badge").text)
    assert labels_in(home) == {3: "clicks, hiss, tape_squeal"}, "keep confirms the set that is shown"
    undo_all(page)


def test_chips_and_options_are_buttons(page, home):
    relabel(page, 3)
    page.find_element(By.CSS_SELECTOR, "#names button[title='Take away hiss']").click()
    page.find_element(By.CSS_SELECTOR, "#names button[title='Take away hum']").click()
    assert "save as clean" in page.find_element(By.ID, "relabel-hint").text
    page.find_element(By.CSS_SELECTOR, "#relabel-form button[type=submit]").click()
    wait(page, lambda: state(page)["labels"] == "1")
    assert labels_in(home) == {3: "clean"}
    relabel(page, 3)
    assert chips(page) == []
    page.find_element(By.XPATH, "//ul[@id='options']/li[.='clicks']").click()
    assert chips(page) == ["clicks ×"]
    page.find_element(By.CSS_SELECTOR, "#relabel-form button[type=submit]").click()
    wait(page, lambda: labels_in(home) == {3: "clicks"})
    wait(page, lambda: "following" not in state(page))
    undo_all(page)


def test_many_rows_keep_their_other_artifacts(page, home):
    script(page, "choose(Uint32Array.of(1, 2, 3))")
    chord(page, Keys.SHIFT, "l")
    wait(page, page.find_element(By.ID, "relabel-dialog").is_displayed)
    assert chips(page) == ["hum (2 of 3) ×", "hiss (2 of 3) ×"]
    page.find_element(By.CSS_SELECTOR, "#names button[title='Take away hiss']").click()
    press(page, "clicks", Keys.ENTER)
    assert "add clicks, take away hiss." in page.find_element(By.ID, "relabel-hint").text
    press(page, Keys.ENTER)
    wait(page, lambda: state(page)["labels"] == "3")
    assert labels_in(home) == {1: "clicks, hum", 2: "clicks", 3: "clicks, hum"}
    press(page, "u")
    wait(page, lambda: state(page)["labels"] == "0")


def label(page: Any, rows: list[int], key: str) -> None:
    script(page, "choose(Uint32Array.from(arguments[0]))", rows)
    before = int(state(page)["labels"])
    chord(page, Keys.SHIFT, key)
    if key == "l":
        wait(page, page.find_element(By.ID, "relabel-dialog").is_displayed)
        press(page, "clicks", Keys.ENTER, Keys.ENTER)
    wait(page, lambda: int(state(page)["labels"]) == before + len(rows))


def propose(page: Any) -> str:
    page.find_element(By.ID, "retrain").click()
    wait(page, page.find_element(By.ID, "proposal").is_displayed)
    return page.find_element(By.ID, "proposal").text


def present(page: Any) -> list[str]:
    return script(page, "return load('present').then((c) => [...c.data].map((code) => c.values[code]))")


def test_confirmations_change_nothing_and_discarding_is_the_default(page, home):
    label(page, list(range(30)), "y")
    text = propose(page)
    assert "30 of 30 labels say what the probe says" in text
    assert "No verdict of 60 rows would change" in text
    assert "macro F1" in text
    assert page.switch_to.active_element.get_attribute("id") == "discard"
    press(page, Keys.ENTER)
    wait(page, lambda: state(page).get("retrained") == "discarded")
    assert not (home / "index" / "relabelled").exists()
    undo_all(page)


def test_what_would_change_is_shown_and_heard_before_it_is_used(page, home):
    before = present(page)
    label(page, [n for n in range(48) if n % 6 not in (3, 4)], "y")
    label(page, list(range(4, 48, 6)), "l")
    text = propose(page)
    assert "32 of 40 labels say what the probe says" in text
    assert "10 rows of 60 would get another verdict" in text
    assert "10 clean → clicks" in text
    assert "Better than before" in text
    assert present(page) == before
    assert len(page.find_elements(By.CSS_SELECTOR, ".examples li")) == 10
    page.find_element(By.ID, "play-examples").click()
    wait(page, lambda: state(page)["playing"] != "")
    first = state(page)["playing"]
    wait(page, lambda: state(page)["playing"] not in ("", first))  # by itself
    page.find_element(By.ID, "use").click()
    wait(page, lambda: state(page).get("retrained") == "10")
    assert state(page)["playing"] == ""
    assert present(page)[4::6] == ["clicks"] * 10
    assert "Back to the encoder's own" in propose(page)
    page.find_element(By.ID, "back").click()
    wait(page, lambda: state(page).get("retrained") == "back")
    assert present(page) == before
    undo_all(page)


WORSE = """
const old = window.fetch;
window.fetch = async (path, options) => {
  const answer = await old(path, options);
  if (path !== 'api/retrain') return answer;
  const losses = ['4 more of 60 rows whose artifact is known are wrong than before'];
  return new Response(JSON.stringify({ ...await answer.json(), verdict: 'worse', losses }));
};
"""


def test_a_correction_that_makes_it_worse_is_refused_by_default(page, home):
    """The verdict of :class:`Judgement`, whose tests are elsewhere, is given here."""
    page.execute_script(WORSE)
    label(page, list(range(4, 48, 6)), "l")
    text = propose(page)
    assert "Worse than before: 4 more of 60 rows whose artifact is known are wrong than before." in text
    assert page.find_element(By.ID, "use").text == "Use it all the same"
    assert page.switch_to.active_element.get_attribute("id") == "discard"
    press(page, Keys.ESCAPE)
    wait(page, lambda: state(page).get("retrained") == "discarded")
    assert not (home / "index" / "relabelled").exists()
    undo_all(page)
