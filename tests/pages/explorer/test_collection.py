"""The collection: columns, rows, their order in time, searches, labels and retraining."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from explored import RATE, RELEASE, WINDOW, flat

import contrastive_artifacts as ca
from contrastive_artifacts.core import seeding
from contrastive_artifacts.core.errors import FingerprintError, ParameterError, StorageError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.pages.explorer.collection import Collection
from contrastive_artifacts.pages.explorer.columns import MISSING, category, columns_of
from contrastive_artifacts.pages.explorer.labelling import Labelling
from contrastive_artifacts.pages.explorer.layout import Layout
from contrastive_artifacts.pages.explorer.retraining import Retraining
from contrastive_artifacts.pages.explorer.rows import Rows
from contrastive_artifacts.pages.explorer.searching import Search
from contrastive_artifacts.probes.labels import Labels
from contrastive_artifacts.search.index import Index


def codes(collection: Collection, name: str) -> np.ndarray:
    return np.frombuffer(collection.columns[name].data, "<u2")


def test_columns_hold_what_the_table_holds(recorded, rendered):
    assert {"heard", "heard_probability", "source", "channel", "label", "decision"} <= set(recorded.columns)
    assert not {"artifact", "severity", "corpus", "split"} & set(recorded.columns), "they have one value here"
    for collection, name in ((recorded, "heard"), (recorded, "source"), (rendered, "artifact"), (rendered, "split")):
        values = [collection.columns[name].values[code] for code in codes(collection, name)]
        assert values == collection.index.metadata.column(name).to_pylist()
    assert rendered.columns["artifact"].values == ("clean", "clicks", "hum")
    assert recorded.columns["channel"].values == ("1", "2", "mix")
    severity = np.frombuffer(rendered.columns["severity"].data, "<f4")
    np.testing.assert_allclose(severity, rendered.index.metadata.column("severity").to_numpy(), rtol=1e-6)
    assert rendered.columns["severity"].ends == (0.0, pytest.approx(0.8))
    begins = np.frombuffer(recorded.columns["time_s"].data, "<f4")
    np.testing.assert_allclose(begins, recorded.index.metadata.column("start").to_numpy() / RATE, rtol=1e-6)
    assert "time_s" not in rendered.columns, "views are whole clips"


def test_missing_values_and_too_many_of_them():
    column = category("c", pa.array(["b", None, "a", "b"]), first=["b"])
    assert column is not None
    assert column.values == ("b", "a")
    assert np.frombuffer(column.data, "<u2").tolist() == [0, MISSING, 1, 0]
    assert category("c", pa.array([str(n) for n in range(65534)])) is not None
    many = category("c", pa.array([str(n) for n in range(65535)]))
    assert many is not None
    assert many.about() == {"name": "c", "kind": "many", "distinct": 65535}
    number = columns_of(pa.table({"severity": pa.array([0.5, None, float("inf"), 1.0])}), [])["severity"]
    assert np.isnan(np.frombuffer(number.data, "<f4")).tolist() == [False, True, True, False]
    assert number.ends == (0.5, 1.0)


def test_silence_is_a_verdict_of_its_own(recorded):
    vectors, quiet = np.array(recorded.index.vectors()), np.zeros(len(recorded), bool)
    quiet[[2, 5]] = True
    layout = Layout(np.ascontiguousarray(vectors[:, :2]), "", quiet)
    collection = Collection(recorded.index, recorded.encoder, recorded.encoder_folder, {}, layout, recorded.home, "")
    heard = collection.index.metadata.column("heard").to_pylist()
    assert [row for row, label in enumerate(heard) if label == "silence"] == [2, 5]
    assert [collection.facts(row)["heard_probability"] for row in (2, 5)] == [None, None]
    assert collection.facts(1)["heard_probability"] > 0
    assert "silence" in collection.columns["heard"].values
    assert collection.verdicts(recorded.probe)["heard"].to_pylist() == heard


def test_rows_without_verdicts_are_classified(rendered):
    """As the encoder classifies the same vectors."""
    encoder = ca.load("release/mn04")
    probabilities, severities = encoder.classify_vectors(np.array(rendered.index.vectors()))
    for row, (best, severity) in enumerate(zip(probabilities.argmax(axis=1), severities, strict=True)):
        facts = rendered.facts(row)
        assert facts["heard"] == encoder.labels[best]
        assert facts["heard_severity"] == pytest.approx(severity[best], abs=1e-6)
        assert facts["heard_probability"] == pytest.approx(probabilities[row, best], abs=1e-6)


def test_windows_are_linked_in_time_within_recording_and_channel(recorded, rendered):
    rows = [recorded.facts(row) for row in range(len(recorded))]
    firsts = 0
    for row, facts in enumerate(rows):
        before, after = recorded.adjacent(row)
        firsts += before is None
        if after is not None:
            later = rows[after]
            assert (later["clip"], later["channel"]) == (facts["clip"], facts["channel"])
            assert later["start"] == facts["start"] + WINDOW // 2
            assert recorded.adjacent(after)[0] == row
            assert set(recorded.overlapping(row, facts["start"], facts["stop"])) >= {row, after}
    assert firsts == 7, "five recordings and two channels"
    assert all(rendered.adjacent(row) == (None, None) for row in range(len(rendered)))


def test_a_row_is_described(recorded, rendered):
    hum = next(row for row in range(9) if rendered.facts(row)["artifact"] == "hum")
    facts = Rows(rendered).facts(hum)
    assert (facts["title"], facts["known"], facts["severity"]) == ("hum, severity 0.80", "hum", pytest.approx(0.8))
    assert (facts["seconds"], facts["channels"], facts["has_clean"], facts["can_pad"]) == (1.0, 1, True, False)
    assert ["base_hz", "50"] in facts["params"] or ["base_hz", "60"] in facts["params"]
    assert ["split", rendered.facts(hum)["split"]] in facts["facts"]
    right = next(row for row in range(len(recorded)) if recorded.facts(row)["channel"] == 1)
    facts = Rows(recorded).facts(right)
    assert facts["name"] == "5.wav channel 2"
    assert facts["time"].startswith("00:00:0")
    assert (facts["known"], facts["has_clean"], facts["can_pad"]) == (None, False, True)
    assert not any("/" in value for _, value in facts["facts"]), "paths are not sent to the client"
    about = Rows(rendered).about()
    assert (about["has_clean"], about["colour"], about["labels"][0]) == (True, "artifact", "clean")
    assert Rows(recorded).about()["colour"] == "heard"


def test_neighbours_leave_out_the_row_and_what_overlaps_it(recorded):
    search = Search(recorded)
    for row in range(len(recorded)):
        facts = recorded.facts(row)
        for others in (True, False):
            for hit in search.neighbours(row, 20, others):
                other = recorded.facts(hit["row"])
                same = (other["clip"], other["channel"]) == (facts["clip"], facts["channel"])
                assert not (same and other["start"] < facts["stop"] and facts["start"] < other["stop"])
                assert hit["same_source"] == (other["source"] == facts["source"])
                assert not (others and hit["same_source"])


def test_searches_by_label_vector_and_condition(recorded, rendered):
    search = Search(recorded)
    assert search.label("hum", 1)[0]["label"] == "hum"
    with pytest.raises(ParameterError, match="labelled 'humm'"):
        search.label("humm", 3)
    hit = search.vector(recorded.vector(4), 1)[0]
    assert (hit["row"], hit["score"]) == (4, pytest.approx(1.0, abs=1e-5))
    x, y = search.place(recorded.vector(4))
    assert (x, y) == pytest.approx(recorded.layout.points[4].tolist(), abs=0.01)
    views = Search(rendered)
    for where, fits in (
        ({"artifact": ["hum"]}, lambda facts: facts["artifact"] == "hum"),
        (
            {"artifact": ["hum", "clicks"], "split": ["train"]},
            lambda f: f["artifact"] != "clean" and f["split"] == "train",
        ),
        ({"severity": [0.5, 1.0]}, lambda facts: facts["severity"] > 0.5),
    ):
        rows = {hit["row"] for hit in views.vector(rendered.vector(0), 20, where)}
        assert rows == {row for row in range(9) if fits(rendered.facts(row))}
    mixed = Search(recorded).vector(recorded.vector(0), 50, {"channel": ["2"]})
    assert {recorded.facts(hit["row"])["channel"] for hit in mixed} == {1}
    for where in ({"nothing": ["a"]}, {"severity": [1]}, {"severity": ["a", "b"]}, {"artifact": [3]}, {"artifact": []}):
        with pytest.raises(ParameterError):
            views.vector(rendered.vector(0), 3, where)
    with pytest.raises(ParameterError, match="k is 0"):
        search.neighbours(0, 0, True)


def test_an_index_opens_with_its_own_encoder_only(recorded, tmp_path, monkeypatch):
    monkeypatch.setattr("contrastive_artifacts.pages.explorer.layout.umap_2d", lambda x, seed: x[:, :2])
    again = Collection.of_index(recorded.index.directory, RELEASE)
    assert len(again) == len(recorded)
    other = Index.build(np.eye(6), [{"clip": "a"}] * 6, tmp_path / "other", "another")
    with pytest.raises(FingerprintError, match="encoder="):
        Collection.of_index(other.directory, RELEASE)
    fingerprint = recorded.index.fingerprint
    bare = Index.build(np.eye(6), [{"clip": "a"}] * 6, tmp_path / "bare", fingerprint)
    monkeypatch.setattr("contrastive_artifacts.pages.explorer.collection._silence", lambda encoder: np.eye(6)[0])
    with pytest.raises(ParameterError, match=r"no columns sample_rate, start, stop.*embed.py"):
        Collection.of_index(bare.directory, RELEASE)
    with pytest.raises(StorageError):
        Collection.of_index(tmp_path / "nothing")


def test_the_probe_is_retrained_with_user_labels(tmp_path, monkeypatch):
    """Rows far from every known label are given a new one, and similar rows are classified as that."""
    verdicts = Collection.verdicts
    rng = np.random.default_rng(seeding.derive("retrain"))
    encoder = ca.load("release/mn04")
    ways = rng.normal(size=(2, 256))
    vectors = np.repeat(ways, 30, axis=0) + rng.normal(0, 0.3, (60, 256))
    facts = [{"clip": f"{n % 10}.wav", "corpus": "c", "source": f"{n % 10}.wav", "channel": None, "start": n,
              "stop": n + 9, "sample_rate": RATE, "artifact": "", "params": "{}", "file": ""}
             for n in range(60)]  # fmt: skip
    index = Index.build(vectors, facts, tmp_path / "index", encoder.fingerprint)
    collection = Collection(index, encoder, RELEASE, {}, flat(index), tmp_path / "index", "x")
    files = {path.name: path.read_bytes() for path in (tmp_path / "index").iterdir()}
    with Journal(tmp_path / "labels.jsonl") as journal:
        labelling = Labelling(collection, Labels(journal, "ana", encoder.fingerprint))
        retraining = Retraining(collection)
        with pytest.raises(ParameterError, match="nothing to learn from"):
            retraining.propose()
        assert labelling.add(list(range(20)), "relabel", "tape_squeal", "")["changed"] == 20
        assert labelling.add([*range(30, 50), 30], "relabel", "clean", "")["counts"]["relabel"] == 40
        assert labelling.add([0], "reject", "", "")["counts"] == {"keep": 0, "reject": 1, "relabel": 39}
        decisions = [("", "keep", "reject", "relabel")[code] for code in codes(collection, "decision")]
        assert decisions == ["reject", *["relabel"] * 19, *[""] * 10, *["relabel"] * 20, *[""] * 10]
        before = collection.index.metadata.column("heard").to_pylist()
        answer = retraining.propose()
        assert (answer["labels"], answer["left_out"], answer["rows"]) == (39, 1, 60)
        assert collection.index.metadata.column("heard").to_pylist() == before, "nothing changes before it is agreed"
        assert not (tmp_path / "index" / "relabelled").exists()
        assert not retraining.corrected
        with pytest.raises(ParameterError, match="later one"):
            retraining.use(answer["proposal"] + 1)
        saved = retraining.use(answer["proposal"])["saved"]
        assert retraining.corrected
        labels = collection.index.metadata.column("heard").to_pylist()
        assert labels[20:30] == ["tape_squeal"] * 10, "similar rows without a user label"
        assert answer["changed"] == sum(a != b for a, b in zip(before, labels, strict=True)) > 0
        moves = Counter((a, b) for a, b in zip(before, labels, strict=True) if a != b)
        assert {(a, b): many for a, b, many in answer["moves"]} == moves
        assert len(answer["examples"]) == 10
        assert all((before[e["row"]], labels[e["row"]]) == (e["before"], e["after"]) for e in answer["examples"])
        assert "tape_squeal" in collection.columns["heard"].values
        assert collection.facts(25)["heard_severity"] is None, "a user label has no severity"
        ((_, held_out_before, held_out_after),) = answer["figures"]
        assert held_out_after["accuracy"] > held_out_before["accuracy"]
        assert (answer["verdict"], answer["losses"]) == ("better", [])
        loaded = ca.load(saved)
        assert loaded.fingerprint == encoder.fingerprint
        assert "tape_squeal" in loaded.labels
        best = loaded.classify_vectors(np.array(index.vectors()))[0].argmax(axis=1)
        assert [loaded.labels[n] for n in best] == labels
        assert labelling.undo()["rows"] == [0]
        assert labelling.undo()["rows"] == [*range(30, 50)]
        assert labelling.undo()["counts"] == {"keep": 0, "reject": 0, "relabel": 0}
        assert labelling.undo()["rows"] == []
        with pytest.raises(ParameterError, match="nothing to learn from"):
            retraining.propose()
        classified: list[object] = []
        with monkeypatch.context() as patched:
            patched.setattr(
                Collection, "verdicts", lambda self, probe: (classified.append(probe), verdicts(self, probe))[1]
            )
            again = Collection(index, encoder, RELEASE, {}, flat(index), tmp_path / "index", "x")
            reopened = Retraining(again)
        assert classified == [again.probe], "the rows are classified once"
        resumed = Labelling(again, Labels(journal, "ana", encoder.fingerprint))
        assert again.index.metadata.column("heard").to_pylist() == labels, "opened again, the retrained probe is used"
        resumed.add(list(range(30, 40)), "relabel", "clean", "")
        reopened.use(reopened.propose()["proposal"])
        assert "tape_squeal" not in ca.load(saved).labels, "retraining starts from the probe without labels"
        reopened.back()
        assert again.index.metadata.column("heard").to_pylist() == before
        assert not Path(saved).exists()
        assert len(again.user_labels) == 10, "labels stay"
        reopened.use(reopened.propose()["proposal"])
        (tmp_path / "index" / "relabelled" / "probe.safetensors").write_bytes(b"no probe")
        with pytest.raises(StorageError, match="relabelled"):
            Retraining(Collection(index, encoder, RELEASE, {}, flat(index), tmp_path / "index", "x"))
    assert {n: (tmp_path / "index" / n).read_bytes() for n in files} == files, "the index is not changed"


def test_a_label_keeps_its_code_when_others_come_and_go(rendered, tmp_path):
    with Journal(tmp_path / "labels.jsonl") as journal:
        labelling = Labelling(rendered, Labels(journal, "ana", rendered.index.fingerprint))
        labelling.add([1], "relabel", "zebra", "")
        labelling.add([2], "relabel", "ant", "why")
        values = rendered.columns["label"].values
        assert values == ("", "zebra", "ant")
        assert rendered.labels()[-2:] == ["zebra", "ant"]
        facts = Rows(rendered).facts(2)
        assert (facts["label"], facts["decision"], facts["by"], facts["note"]) == ("ant", "relabel", "ana", "why")
        assert facts["title"] == "ant"
        hits = Search(rendered).vector(rendered.vector(0), 9, {"label": ["ant", "zebra"]})
        assert {hit["row"] for hit in hits} == {1, 2}
        assert {hit["label"] for hit in Search(rendered).label("ant", 9)} >= {"ant"}
        labelling.undo()
        labelling.undo()
        assert rendered.columns["label"].values == values
        assert not codes(rendered, "label").any()
        labelling.add([3], "relabel", "bee", "")
        assert rendered.columns["label"].values == (*values, "bee")
        labelling.undo()
