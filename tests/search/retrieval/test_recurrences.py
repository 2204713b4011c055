"""Planted clusters are found with their files; the exported tables can be read by other programs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.search.index import Index
from contrastive_artifacts.search.retrieval import cluster, recurrences, write_projector, write_recurrences_csv
from contrastive_artifacts.search.retrieval.clusters import _CLUSTERED


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Index, np.ndarray]:
    """200 windows of 20 files: one cluster of hum in three files, clicks in one, clean in all, the rest at random."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((200, 24))
    kinds = np.full(200, 0)
    kinds[:30], kinds[30:50], kinds[50:90] = 1, 2, 3
    centres = rng.standard_normal((4, 24)) * 4
    vectors[kinds > 0] = centres[kinds[kinds > 0]] + 0.1 * vectors[kinds > 0]
    files = np.arange(200) % 20
    files[:30], files[30:50] = np.arange(30) % 3, 7
    verdicts = np.array(["hiss", "hum", "clicks", "clean"])[kinds]
    facts = [
        {"clip": f"f{f:02d}", "deck": f"deck{int(f) < 3}", "start": i * 8000, "stop": i * 8000 + 8000,
         "sample_rate": 8000, "heard": str(h), "artifact": ""}
        for i, (f, h) in enumerate(zip(files, verdicts, strict=True))
    ]  # fmt: skip
    return Index.build(vectors, facts, tmp_path / "index", fingerprint="f"), kinds


def test_what_was_planted_is_found(planted: tuple[Index, np.ndarray], tmp_path: Path) -> None:
    index, kinds = planted
    labels = cluster(index.vectors(), least=16)
    assert {tuple(np.unique(labels[kinds == kind])) for kind in (1, 2, 3)} == {(0,), (1,), (2,)}
    assert (labels[kinds == 3] == 0).all(), "the largest comes first"
    assert (labels[kinds == 0] == -1).mean() > 0.9
    recurring = recurrences(index, labels)
    assert [(one.label, one.windows, len(one.groups)) for one in recurring] == [("hum", 30, 3)]
    (hum,) = recurring
    assert [g.name for g in hum.groups] == ["f00", "f01", "f02"]
    assert hum.purity == 1.0
    total = index.metadata.column("clip").to_pylist().count("f00")
    assert hum.groups[0].share == pytest.approx(10 / total)
    assert hum.groups[0].lift == pytest.approx(10 / total / (30 / 200))
    assert hum.groups[0].time == "00:00:00.000"
    assert hum.example in range(30)
    assert [group.example % 3 for group in hum.groups] == [0, 1, 2], "a window of each file"
    assert [one.label for one in recurrences(index, labels, clean=True)] == ["clean", "hum"]
    write_recurrences_csv(tmp_path / "r.csv", recurring, "clip")
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text().splitlines()))
    assert [(row["artifact"], row["clip"], row["windows"]) for row in rows] == [
        ("hum", "f00", "10"), ("hum", "f01", "10"), ("hum", "f02", "10"),
    ]  # fmt: skip


def test_another_column_groups_and_an_unknown_one_is_named(planted: tuple[Index, np.ndarray]) -> None:
    index, kinds = planted
    labels = np.where(kinds == 1, 0, -1)
    assert recurrences(index, labels, by="deck") == [], "all of the hum lies on one deck"
    with pytest.raises(ParameterError, match="by=reel"):
        recurrences(index, labels, by="reel")
    assert recurrences(index, np.full(200, -1)) == []


def test_more_rows_than_are_clustered_join_their_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _CLUSTERED >= 10_000
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 3, 300)
    vectors = np.eye(8, dtype=np.float32)[kinds] + 0.05 * rng.standard_normal((300, 8)).astype(np.float32)
    whole = cluster(vectors)
    monkeypatch.setattr("contrastive_artifacts.search.retrieval.clusters._CLUSTERED", 90)
    part = cluster(vectors)
    assert ((part == whole) | (part == -1)).mean() > 0.95
    assert len(np.unique(part[part >= 0])) == 3


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_rows_make_no_cluster(count: int) -> None:
    assert cluster(np.ones((count, 4), np.float32)).tolist() == [-1] * count
    with pytest.raises(ParameterError, match="least=1"):
        cluster(np.ones((9, 4)), least=1)


def test_the_tables_for_other_programs(planted: tuple[Index, np.ndarray], tmp_path: Path) -> None:
    index, kinds = planted
    xy = np.random.default_rng(0).random((200, 2)).astype(np.float32)
    write_projector(index, tmp_path / "out", xy, {"cluster": kinds})
    table = pq.read_table(tmp_path / "out" / "atlas.parquet")
    assert np.array_equal(np.stack(table["embedding"].to_pylist()).astype(np.float32), index.vectors())
    assert table["x"].to_numpy().tolist() == xy[:, 0].tolist()
    assert table["id"].to_pylist() == index.ids.tolist()
    vectors = np.loadtxt(tmp_path / "out" / "vectors.tsv", delimiter="\t")
    np.testing.assert_allclose(vectors, index.vectors(), atol=1e-5)
    lines = (tmp_path / "out" / "metadata.tsv").read_text().splitlines()
    assert len(lines) == 201
    assert lines[0].split("\t")[:3] == ["id", "cluster", "clip"]
    assert len({line.count("\t") for line in lines}) == 1
    assert "vectors.tsv" in (tmp_path / "out" / "projector_config.pbtxt").read_text()
    with pytest.raises(ParameterError, match="heard"):
        write_projector(index, tmp_path / "out", xy, {"heard": kinds})
    with pytest.raises(ParameterError, match="xy"):
        write_projector(index, tmp_path / "out", xy[:9])
