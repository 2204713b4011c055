"""One act is one entry and one undo; labels are valid in other processes, for other indexes and encoders."""

from __future__ import annotations

import json
import os

import numpy as np
import pyarrow as pa
import pytest

from contrastive_artifacts.core.errors import ParameterError, StorageError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.data.curation.decisions import Decisions
from contrastive_artifacts.probes.labels import MOST_ROWS, Labels, matching


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "labels.jsonl") as opened:
        yield opened


def test_labels_in_force_have_their_provenance(journal, a_view, a_window):
    labels = Labels(journal, "ana", "encoder-1")
    assert labels.add([a_view(7)], "relabel", "tape_squeal", "left of the voice") == 1
    assert labels.add([a_window(0, channel=1)], "keep") == 1
    assert labels.add([a_view(8)], "reject") == 1
    in_force = labels.in_force()
    one = in_force[7]
    assert (one.action, one.label, one.before, one.who) == ("relabel", "tape_squeal", "hiss", "ana")
    assert (one.note, one.fingerprint, one.time[-6:]) == ("left of the voice", "encoder-1", "+00:00")
    assert one.tool.startswith("contrastive-artifacts")
    assert {k: one.address[k] for k in ("corpus", "clip", "start", "stop", "sample_rate", "artifact", "source")} == {
        "corpus": "esc", "clip": "7.wav", "start": 0, "stop": 48000, "sample_rate": 16000, "artifact": "hiss",
        "source": "s7",
    }  # fmt: skip
    confirmed = in_force[2**62]
    assert (confirmed.label, confirmed.before, confirmed.address["channel"], confirmed.address["file"]) == (
        "hum",
        "hum",
        1,
        "/films/a/film.wav",
    )
    assert (in_force[8].label, in_force[8].before) == ("", "hiss")


def test_many_rows_are_one_act(journal, a_view):
    labels = Labels(journal, "ana", "f")
    labels.add([a_view(1)], "keep")
    assert labels.add([a_view(n) for n in (0, 1, 2, 2)], "relabel", "hum") == 3
    assert len(journal.entries) == 2
    assert {n: label.label for n, label in labels.in_force().items()} == {0: "hum", 1: "hum", 2: "hum"}
    assert sorted(labels.undo()) == [0, 1, 2]
    assert {n: (label.action, label.label) for n, label in labels.in_force().items()} == {1: ("keep", "hiss")}
    assert labels.undo() == [1]
    assert labels.undo() == []
    assert labels.in_force() == {}
    assert len(journal.entries) == 4, "a journal is only ever added to"


def test_a_label_is_a_set_of_names(journal, a_view, a_window):
    labels = Labels(journal, "ana", "f")
    several = a_window(0) | {"present": "hum, hiss", "heard": "hum"}
    assert labels.shown(several) == "hiss, hum", "all that is present, not the verdict"
    labels.add([several], "keep")
    assert labels.in_force()[2**62].label == "hiss, hum"
    labels.add([several, a_view(1)], "relabel", ["hum, echo, hiss", "clean"])
    assert {n: label.label for n, label in labels.in_force().items()} == {2**62: "echo, hiss, hum", 1: "clean"}
    assert labels.shown(several) == "echo, hiss, hum"
    labels.undo()
    assert {n: label.label for n, label in labels.in_force().items()} == {2**62: "hiss, hum"}
    for text in ("clean, hum", "hum,hiss", "hum, ", ", hum"):
        with pytest.raises(ParameterError, match=r"clean|a-z"):
            labels.add([several], "relabel", text)
    with pytest.raises(ParameterError, match="2 labels for 1 rows"):
        labels.add([several], "relabel", ["hum", "hiss"])
    assert labels.shown(several) == "hiss, hum"


def test_a_journal_of_single_names_is_read(tmp_path, journal, a_view):
    """As written before labels were sets: the label stands once in the act."""
    rows = [{"before": "hiss", **{name: a_view(n)[name] for name in a_view(n) if name != "severity"}} for n in (0, 1)]
    rows = [{"channel": None, "file": "", **row} for row in rows]
    common = {"who": "ana", "time": "", "note": "", "tool": "", "fingerprint": "f"}
    acts = [{"action": "relabel", "label": "hum", "rows": rows}, {"action": "keep", "label": "", "rows": rows[:1]}]
    (tmp_path / "old.jsonl").write_text("".join(json.dumps(act | common) + "\n" for act in acts))
    with Journal(tmp_path / "old.jsonl") as old:
        labels = Labels(old, "ana", "f")
        assert {n: label.label for n, label in labels.in_force().items()} == {1: "hum", 0: "hiss"}
        labels.add([a_view(1)], "relabel", "echo, hum")
        assert labels.in_force()[1].label == "echo, hum"
        assert labels.undo() == [1]
        assert labels.undo() == [0], "old acts are undone, too"
        assert old.entries[-1]["format"] == 2
    journal.add({"format": 3, "action": "keep", "rows": [], **common})
    with pytest.raises(StorageError, match="format 3"):
        Labels(journal, "ana", "f")


def test_labels_persist_and_each_user_undoes_their_own(tmp_path, a_view):
    path = tmp_path / "l.jsonl"
    with Journal(path) as journal:
        ana = Labels(journal, "ana", "f")
        ana.add([a_view(0), a_view(1)], "relabel", "hum")
    with Journal(path) as journal:
        ben = Labels(journal, "ben", "g")
        assert ben.undo() == []
        ben.add([a_view(1)], "reject", note="two faults")
        assert {n: label.who for n, label in ben.in_force().items()} == {0: "ana", 1: "ben"}
    with Journal(path) as journal:
        ana = Labels(journal, "ana", "f")
        assert sorted(ana.undo()) == [0, 1]
        assert {n: (label.action, label.who) for n, label in ana.in_force().items()} == {1: ("reject", "ben")}
        assert ana.in_force()[1].before == "hum", "what was shown when ben said so"


def test_keep_confirms_the_last_label(journal, a_view):
    labels = Labels(journal, "ana", "f")
    labels.add([a_view(0)], "relabel", "crackle")
    labels.add([a_view(0)], "keep")
    assert labels.in_force()[0].label == "crackle"
    labels.add([a_view(0)], "reject")
    labels.add([a_view(0)], "keep")
    assert labels.in_force()[0].label == "hiss", "a rejected row shows what is known of it"


@pytest.mark.parametrize(
    ("change", "action", "label", "message"),
    [({}, "undo", "", "undo"), ({}, "relabel", "", "1 to 40"), ({}, "relabel", "Tape Squeal", "Tape Squeal"),
     ({}, "relabel", "x" * 41, "1 to 40"), ({}, "relabel", "hum\n", "a-z"), ({}, "keep", "hum", "takes no label"),
     ({"id": "esc/7"}, "keep", "", "int64"), ({"id": True}, "keep", "", "int64"),
     ({"clip": None}, "keep", "", "clip None"),
     ({"start": 0.5}, "keep", "", "start 0.5"), ({"sample_rate": None}, "keep", "", "sample_rate"),
     ({"artifact": ""}, "keep", "", "relabel it")],
)  # fmt: skip
def test_an_act_with_one_unfit_row_changes_nothing(journal, a_view, change, action, label, message):
    labels = Labels(journal, "ana", "f")
    with pytest.raises(ParameterError, match=message):
        labels.add([a_view(1), a_view(2) | change], action, label)
    assert labels.in_force() == {}
    assert journal.entries == []


def test_an_act_has_bounds(journal, a_view):
    labels = Labels(journal, "ana", "f")
    with pytest.raises(ParameterError, match="0 rows"):
        labels.add([], "keep")
    with pytest.raises(ParameterError, match="1001"):
        labels.add([a_view(0)], "keep", note="x" * 1001)
    rows = [a_view(n) for n in range(MOST_ROWS + 1)]
    with pytest.raises(ParameterError, match=str(MOST_ROWS + 1)):
        labels.add(rows, "keep")
    assert labels.add(rows[1:], "keep", note="x" * 1000) == MOST_ROWS == len(labels.in_force())


def test_labels_match_rows_of_another_index(journal, a_view, a_window):
    labels = Labels(journal, "ana", "yamnet")
    labels.add([a_view(3), a_window(1, channel=0)], "relabel", "crackle")
    other = [
        a_view(9),
        a_view(3, "hum"),
        a_view(3),
        a_window(1, channel=1),
        a_window(1, channel=0),
        a_window(2, channel=0),
    ]
    table = pa.Table.from_pylist([{**a_window(0), **row, "file": "/moved"} for row in other])
    assert labels.matching(table, np.arange(6) * 10).keys() == {20, 40}
    assert labels.matching(table).keys() == {2, 4}, "rows are numbered where no ids are given"
    plain = table.drop_columns(["channel"])
    assert labels.matching(plain).keys() == {2}
    with pytest.raises(ParameterError, match="corpus"):
        matching([], table.drop_columns(["corpus"]))
    with pytest.raises(ParameterError, match="2 ids"):
        matching([], table, [1, 2])


def test_of_two_labels_the_last_one_matches(journal, a_view):
    labels = Labels(journal, "ana", "f")
    labels.add([a_view(3)], "relabel", "crackle")
    labels.add([{**a_view(3), "id": 77}], "relabel", "thump")  # the same sound, in an index that was built again
    assert {n: label.label for n, label in labels.in_force().items()} == {77: "thump"}
    assert labels.matching(pa.Table.from_pylist([a_view(3)]))[0].label == "thump"


def test_a_journal_of_something_else_is_refused(journal, tmp_path):
    Decisions(journal, "ana").decide("a", "1", "keep")
    with pytest.raises(StorageError, match=r"labels\.jsonl"):
        Labels(journal, "ana", "f")
    (tmp_path / "x.jsonl").write_text(json.dumps({"action": "keep", "who": "ana", "rows": [{"id": 1}]}) + "\n")
    with Journal(tmp_path / "x.jsonl") as other, pytest.raises(StorageError, match="not a journal of labels"):
        Labels(other, "ana", "f")


def test_a_full_disk_changes_nothing(journal, a_view, monkeypatch):
    labels = Labels(journal, "ana", "f")
    labels.add([a_view(0)], "keep")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space"):
        labels.add([a_view(0)], "reject")
    with pytest.raises(StorageError, match="No space"):
        labels.undo()
    assert labels.in_force()[0].action == "keep"
