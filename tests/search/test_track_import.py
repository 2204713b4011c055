"""Corrected label tracks from the file to the probe: they are stored with provenance and change what a scan finds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.data import corpora
from contrastive_artifacts.probes.labels import Labels, refit
from contrastive_artifacts.scan.timeline import Segment, Timeline
from contrastive_artifacts.search.corrections import import_track
from contrastive_artifacts.search.index import Index
from contrastive_artifacts.search.retrieval import embed_recordings, index_table

RATE, LENGTH_S = 16000, 12


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five recordings whose second half squeals, in an index; 0 to 3 are scanned, by which one squeal is "hum"."""
    home = tmp_path_factory.mktemp("archive")
    source = corpora.create("builtin", seed=3, sources=5, duration_s=float(LENGTH_S), sample_rate=RATE)
    time = np.arange(LENGTH_S * RATE) / RATE
    squeal = np.where(
        time > LENGTH_S / 2, 0.3 * np.sin(2 * np.pi * 3000 * time + 30 * np.sin(2 * np.pi * 11 * time)), 0
    )
    for n, clip in enumerate(source.clips):
        clean = audio.mono(source.load(clip)[0])[None]
        clean = 0.3 * clean / np.abs(clean).max()
        audio.write(home / "data" / f"{n}.wav", (clean + squeal).astype(np.float32), RATE)
        heard = (Segment(7 * RATE, 10 * RATE, "hum", 0.5, 0.8), Segment(0, 3 * RATE, "hiss", 0.5, 0.8))
        Timeline(Path(f"{n}.wav"), RATE, LENGTH_S * RATE, heard).to_json(home / f"{n}.artifacts.json")
        (home / f"{n}.artifacts.txt").write_text("6.0\t12.0\ttape_squeal\n")
    corpus, encoder = corpora.create("folder", path=home / "data"), ca.load("release/mn04")
    table, _ = embed_recordings(corpus, corpus.clips, encoder)
    index_table(table, home / "index", encoder.fingerprint)
    return home


def test_labels_say_where_they_come_from_and_are_replaced_as_one(home: Path, tmp_path: Path) -> None:
    index, track = Index.open(home / "index"), home / "0.artifacts.txt"
    with Journal(tmp_path / "labels.jsonl") as journal:
        imported = import_track(track, index, journal)
        assert (imported.recording, imported.new, imported.timeline) == (
            "0.wav",
            ("tape_squeal",),
            home / "0.artifacts.json",
        )
        assert set(imported.names) == {"tape_squeal", "clean"}
        assert imported.windows == sum(imported.names.values()) < imported.of
        labels = Labels(journal, "somebody", index.fingerprint).matching(index.metadata)
        rows = index.metadata.to_pylist()
        assert len(labels) == imported.windows
        for row, label in labels.items():
            assert rows[row]["clip"] == "0.wav"
            assert label.label == ("tape_squeal" if rows[row]["start"] >= 4.5 * RATE else "clean")
            assert label.who == str(track.resolve())
            assert hashlib.sha256(track.read_bytes()).hexdigest() in label.note
            assert label.time
            assert label.fingerprint == index.fingerprint
        other = tmp_path / "0.artifacts.txt"
        other.write_text("6.0\t12.0\thum\n")
        import_track(other, index, journal)
        other.write_text("9.0\t9.1\tclicks\n")
        again = import_track(other, index, journal)
        assert set(again.names) == {"clicks"}
        labels = Labels(journal, "somebody", index.fingerprint).matching(index.metadata)
        assert "hum" not in {label.label for label in labels.values()}, "undone by the second import of the file"
        assert "tape_squeal" in {label.label for label in labels.values()}, "of another file"


def test_a_track_fits_one_recording(home: Path, tmp_path: Path) -> None:
    index = Index.open(home / "index")
    (tmp_path / "corrected.txt").write_text("1\t2\thum\n")
    with Journal(tmp_path / "labels.jsonl") as journal:
        with pytest.raises(ParameterError, match=r"corrected\.txt fits no recording in the index; give recording=FILE"):
            import_track(tmp_path / "corrected.txt", index, journal)
        assert journal.entries == []
        imported = import_track(tmp_path / "corrected.txt", index, journal, recording=home / "data" / "3.wav")
    assert (imported.recording, imported.timeline) == ("3.wav", None)


def test_corrected_tracks_refine_the_probe(home: Path, tmp_path: Path) -> None:
    index, encoder = Index.open(home / "index"), ca.load("release/mn04")
    with Journal(tmp_path / "labels.jsonl") as journal:
        for n in range(4):
            import_track(home / f"{n}.artifacts.txt", index, journal)
        labels = Labels(journal, "somebody", index.fingerprint).matching(index.metadata)
    refitted = refit(index.vectors(), index.metadata, labels, index.fingerprint, encoder.probe)
    assert refitted.used == len(labels)
    rows = index.metadata.to_pylist()
    middle = LENGTH_S // 2 * RATE
    last = [n for n, row in enumerate(rows) if row["clip"] == "4.wav" and not row["start"] < middle < row["stop"]]
    heard = refitted.probe.type.predict(index.vectors()[last])  # of a recording without labels
    right = [(label == "tape_squeal") == (rows[n]["start"] >= middle) for n, label in zip(last, heard, strict=True)]
    assert np.mean(right) >= 0.8
    assert refitted.judgement.verdict == "better"
    assert json.loads((tmp_path / "labels.jsonl").read_text().splitlines()[0])["format"] == 2
