"""Labels change the training rows of probes, matched by address; held-out rows do not change."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from contrastive_artifacts.core import files
from contrastive_artifacts.core.errors import StorageError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.embedding.embedder import WindowEmbedder
from contrastive_artifacts.embedding.pretrained import PretrainedEncoder, load
from contrastive_artifacts.embedding.table import read_table
from contrastive_artifacts.models.encoder import Encoder
from contrastive_artifacts.probes import Embedded, Probe
from contrastive_artifacts.probes.bundle import severity_probes
from contrastive_artifacts.probes.labels import Labels, apply_labels, refit
from contrastive_artifacts.runs import run
from contrastive_artifacts.runs.run import Run

CONFIG: dict[str, Any] = {
    "corpus": {"kind": "builtin", "seed": 3, "sources": 12, "duration_s": 1.0, "sample_rate": 16000},
    "split": {"by": "source", "train": 0.6, "validation": 0.2, "test": 0.2, "seed": 0}, "window_s": 0.6,
    "artifacts": {"states": ["clean", "hiss", "hum"], "severity": [0.6, 1.0]},
    "backbone": {"name": "yamnet", "weights": "none"}, "encoder": {"hidden": 32, "embedding": 128, "dropout": 0.0},
    "objective": {}, "optim": {}, "views": {}, "trainer": {"steps": 2, "sources": 2, "validate_every": 2, "seed": 0},
}  # fmt: skip
PROBE: dict[str, Any] = {"unseen": {}, "probes": ["linear"], "duration_s": 0.6, "draws": 1, "bootstrap": 10, "seed": 0}


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows)


def test_training_rows_alone_are_changed(tmp_path, a_view):
    rows = [a_view(n) for n in range(6)]
    rows[4]["split"] = "test"
    with Journal(tmp_path / "l.jsonl") as journal:
        labels = Labels(journal, "ana", "f")
        labels.add([rows[0], rows[4]], "relabel", "squeal")
        labels.add([rows[1]], "relabel", "clean")
        labels.add([rows[2]], "reject")
        labels.add([rows[3], a_view(99)], "keep")
        in_force = list(labels.in_force().values())
    table, applied = apply_labels(table_of(rows), in_force)
    assert table["clip"].to_pylist() == ["0.wav", "1.wav", "3.wav", "4.wav", "5.wav"]
    assert table["artifact"].to_pylist() == ["squeal", "clean", "hiss", "hiss", "hiss"]
    assert np.array_equal(table["severity"].to_numpy(), [np.nan, 0, 0.5, 0.5, 0.5], equal_nan=True)
    assert (applied.kept, applied.relabelled, applied.rejected, applied.held_out) == (1, 2, 1, 1)
    assert [label.address["clip"] for label in applied.unmatched] == ["99.wav"]


def test_rows_with_several_faults_fit_no_class(tmp_path, a_view):
    rows = [a_view(n) for n in range(3)]
    with Journal(tmp_path / "l.jsonl") as journal:
        labels = Labels(journal, "ana", "f")
        labels.add(rows[:2], "relabel", ["hiss, hum", "hum"])
        table, applied = apply_labels(table_of(rows), list(labels.in_force().values()))
    assert table["artifact"].to_pylist() == ["hum", "hiss"]
    assert (applied.relabelled, applied.several) == (2, 1)


def test_rows_of_unknown_severity_are_left_out():
    x = np.random.default_rng(0).standard_normal((8, 3))
    severity = np.array([0, 0.2, 0.4, 0.9, np.nan, np.nan, 0.5, 0.1])
    artifact = np.array(["clean", "hum", "hum", "hum", "hum", "squeal", "hum", "hum"])
    train = Embedded(x, artifact, severity, np.arange(8).astype(str))
    probes = severity_probes(train)
    assert probes.keys() == {"hum"}
    known = severity_probes(train.take(np.isfinite(severity)))["hum"]
    assert np.array_equal(probes["hum"].weights, known.weights)


@pytest.fixture(scope="module")
def probed(tmp_path_factory) -> Path:
    directory: Path = tmp_path_factory.mktemp("labelled") / "run"
    run.pretrain(CONFIG, directory)
    Run(directory).probe(**PROBE)
    return directory


def rows_of(directory: Path, **columns: str) -> list[dict[str, Any]]:
    rows = read_table(directory / "tables" / "h.parquet").drop_columns(["embedding"]).to_pylist()
    numbered = [{**row, "id": n} for n, row in enumerate(rows)]
    return [row for row in numbered if all(row[name] == value for name, value in columns.items())]


@pytest.mark.slow
def test_exported_labels_change_the_probe_of_a_run(probed, a_view, tmp_path, caplog):
    assert files.read_json(probed / "probing.json")["labels"] is None
    before = (probed / "tables" / "h.parquet").read_bytes()
    with Journal(tmp_path / "labels.jsonl") as journal:
        labels = Labels(journal, "ana", "whatever encoder")
        labels.add(rows_of(probed, artifact="hum", split="train")[:4], "relabel", "mains_buzz")
        hiss = [rows_of(probed, artifact="hiss", split=side)[0] for side in ("train", "test")]
        labels.add(hiss, "reject")
        labels.add([a_view(7)], "keep")
        labels.export(tmp_path / "l.csv")
    with caplog.at_level(logging.WARNING, "contrastive_artifacts"):
        figures = Run(probed).probe(**PROBE, labels=tmp_path / "l.csv")
    assert "1 of 7 labels" in caplog.text
    assert "7.wav" in caplog.text
    record = files.read_json(probed / "probing.json")["labels"]
    assert record == {
        "file": str(tmp_path / "l.csv"), "kept": 0, "relabelled": 4, "rejected": 1, "several": 0, "held_out": 1,
        "unmatched": 1,
    }  # fmt: skip
    assert (probed / "tables" / "h.parquet").read_bytes() == before, "tables say what was rendered, not what was said"
    assert figures["h"]["test"]["counts"]["test"] == len(rows_of(probed, split="test")), "what judges stays"
    assert figures["h"]["test"]["counts"]["train"] == len(rows_of(probed, split="train")) - 1
    encoder = load(probed)
    assert encoder.labels == ("clean", "hiss", "hum", "mains_buzz")
    classification = encoder.classify((np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32), 16000))
    assert list(classification.probabilities) == list(encoder.labels)
    assert sum(classification.probabilities.values()) == pytest.approx(1)
    assert classification.severity.keys() == {"hiss", "hum", "mains_buzz"}
    assert classification.severity["mains_buzz"] is None


@pytest.mark.slow
def test_a_file_without_labels_is_refused_before_the_work(probed, tmp_path):
    (tmp_path / "l.csv").write_text("file,label\n")
    with pytest.raises(StorageError, match=r"l\.csv"):
        Run(probed).probe(**PROBE, labels=tmp_path / "l.csv")


@pytest.mark.slow
def test_an_added_label_is_classified_and_stored(probed, tmp_path):
    """A refitted probe that is saved with its encoder is loaded like any other; added labels come last."""
    rows = read_table(probed / "tables" / "h.parquet")
    embedder = WindowEmbedder(Encoder.load(probed / "encoder"))
    x = Embedded.from_table(rows).x
    old = Probe.fit(Embedded.from_table(rows, "train"), embedder.fingerprint)
    with Journal(tmp_path / "l.jsonl") as journal:
        labels = Labels(journal, "ana", embedder.fingerprint)
        labels.add(rows_of(probed, artifact="hum"), "relabel", "a_buzz")
        result = refit(x, rows, labels.matching(rows), embedder.fingerprint, old)
    folder = tmp_path / "new"
    embedder.encoder.save(folder)
    result.probe.save(folder)
    encoder = load(folder)
    assert encoder.labels[:2] == ("clean", "hiss")
    assert encoder.labels[-1] == "a_buzz"
    probabilities, severities = encoder.classify_vectors(x)
    assert probabilities.shape == severities.shape == (len(x), len(encoder.labels))
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert np.isnan(severities[:, -1]).all(), "nobody defined a severity scale for a label that users added"
    assert np.isfinite(severities[:, :-1]).all()
    straight = result.probe.type.predict(x)
    assert (np.array(encoder.labels)[probabilities.argmax(axis=1)] == straight).all()
    assert PretrainedEncoder(embedder, None).labels == ("clean", "hiss", "hum")
