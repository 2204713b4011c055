"""Rows of several artifacts in the explorer: columns, searches, labels by adding and taking away, retraining."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
import pytest

import contrastive_artifacts as ca
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.pages.explorer.collection import Collection
from contrastive_artifacts.pages.explorer.labelling import Change, Labelling
from contrastive_artifacts.pages.explorer.retraining import Retraining
from contrastive_artifacts.pages.explorer.rows import Rows
from contrastive_artifacts.pages.explorer.searching import Search
from contrastive_artifacts.probes import SetProbe
from contrastive_artifacts.probes.labels import Labels, read_labels

BOTH, CLICKS = slice(3, None, 6), range(4, 60, 6)


@pytest.fixture
def labelling(several: Collection, journal: Journal) -> Labelling:
    return Labelling(several, Labels(journal, "ana", several.index.fingerprint))


def test_rows_show_all_that_is_present(several):
    present = several.index.metadata.column("present").to_pylist()
    assert present[:6] == ["clean", "hum", "hiss", "hiss, hum", "clean", "hum"]
    about = Rows(several).about()
    assert (about["colour"], about["encoder"]["sets"]) == ("present", True)
    columns = {column["name"]: column for column in about["columns"]}
    assert columns["present"]["sets"] is True
    assert columns["source"]["sets"] is False
    facts = Rows(several).facts(3)
    assert (facts["title"], facts["heard"]) == ("hiss, hum", "hiss")
    ((name, chance),) = facts["also"]
    assert name == "hum"
    assert chance == pytest.approx(several.facts(3)["chance_hum"])


def test_searches_by_any_name_of_a_set(several, labelling):
    search, vector = Search(several), several.vector(0)
    rows = {hit["row"] for hit in search.vector(vector, 60, {"present": ["hiss"]})}
    assert rows == {n for n in range(60) if n % 6 in (2, 3)}
    alone = {hit["row"] for hit in search.vector(vector, 60, {"present": ["hiss, hum"]})}
    assert alone == {n for n in range(60) if n % 6 == 3}, "or by a whole set"
    assert search.label("hum", 3)[0]["label"] in ("hum", "hiss, hum")
    labelling.add([4], "relabel", "echo, thump", "")
    assert search.label("thump", 1)[0]["row"] == 4
    assert {hit["row"] for hit in search.vector(vector, 60, {"label": ["echo"]})} == {4}
    assert {"echo", "thump"} < set(several.labels())
    assert "echo, thump" not in several.labels()


def test_names_are_added_and_taken_away_in_one_act(several, labelling, journal):
    assert labelling.shown([1, 2, 3, 0]) == {"hum": 2, "hiss": 2, "clean": 1}
    answer = labelling.add([0, 1, 3], "relabel", "", "", Change(["clicks"], ["hum"]))
    assert answer["labels"] == {0: "clicks", 1: "clicks", 3: "clicks, hiss"}
    assert len(journal.entries) == 1
    labelling.add([3], "relabel", "", "", Change([], ["clicks", "hiss"]))
    assert several.user_labels[3].label == "clean"
    assert labelling.undo()["rows"] == [3]
    assert several.user_labels[3].label == "clicks, hiss"
    labelling.add([3], "keep", "", "")
    assert (several.user_labels[3].action, several.user_labels[3].label) == ("keep", "clicks, hiss")
    with pytest.raises(ParameterError, match="a-z"):
        labelling.add([3], "relabel", "", "", Change(["Tape Squeal"], []))
    assert several.user_labels[3].action == "keep"


def test_the_probe_of_sets_is_retrained(several, labelling, journal, tmp_path):
    """Users say where clicks are, and that hum with hiss is a buzz as well; rows of other recordings follow."""
    first = several.probe
    labelling.add([n for n in range(48) if n % 6 not in (3, 4)], "keep", "", "")
    labelling.add(list(CLICKS)[:8], "relabel", "", "", Change(["clicks"], []))
    labelling.add(list(range(60))[BOTH][:8], "relabel", "", "", Change(["buzz"], []))
    labelling.add([59], "reject", "", "")
    retraining = Retraining(several)
    answer = retraining.propose()
    assert (answer["labels"], answer["agreeing"], answer["left_out"]) == (48, 32, 1)
    ((_, before, after),) = answer["figures"]
    assert after["accuracy"] > before["accuracy"] + 0.1
    assert after["macro_f1"] > before["macro_f1"] + 0.1
    assert answer["moves"] == [["hiss, hum", "buzz, hiss, hum", 10], ["clean", "clicks", 10]]
    precisions = {name: (right, labelled) for name, right, labelled, *_ in answer["precisions"]}
    assert precisions == {"hum": (24, 24), "hiss": (16, 16)}
    saved = retraining.use(answer["proposal"])["saved"]
    present = several.index.metadata.column("present").to_pylist()
    assert [present[n] for n in CLICKS] == ["clicks"] * 10
    assert present[BOTH] == ["buzz, hiss, hum"] * 10
    assert present[1::6] == ["hum"] * 10
    assert answer["changed"] == 20
    assert "chance_buzz" in several.columns
    loaded = ca.load(saved)
    assert isinstance(loaded.probe, SetProbe)
    assert loaded.labels == (*first.classes, "buzz")
    columns = loaded.verdict_columns(np.array(several.index.vectors()))
    assert columns["present"].to_pylist() == present
    retraining.back()
    assert several.probe is first
    assert "chance_buzz" not in several.columns


@pytest.fixture
def api(several: Collection, journal: Journal) -> Any:
    pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
    from served import client

    return client(several, journal)


def test_the_interface_takes_changes(api, tmp_path):
    assert api.post("/api/labels/shown", json={"rows": [2, 3]}).json() == {"hum": 1, "hiss": 2}
    assert api.post("/api/labels/shown", json={"rows": [60]}).status_code == 404
    body = {"rows": [2, 3], "action": "relabel", "change": {"add": ["echo"], "remove": ["hiss"]}}
    assert api.post("/api/labels", json=body).json()["labels"] == {"2": "echo", "3": "echo, hum"}
    export = api.get("/api/labels.csv").text
    assert [row["label"] for row in csv.DictReader(export.splitlines())] == ["echo", "echo, hum"]
    (tmp_path / "l.csv").write_text(export)
    assert [label.label for label in read_labels(tmp_path / "l.csv")] == ["echo", "echo, hum"]
    assert api.post("/api/labels", json={**body, "change": {"add": ["clean", "echo"]}}).status_code == 200
    assert api.get("/api/rows/3").json()["label"] == "echo, hum"
