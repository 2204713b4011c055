"""Search equals brute force; filters; errors name what cannot be built or searched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrastive_artifacts.core.errors import FingerprintError, ParameterError
from contrastive_artifacts.search.index import Index

KINDS = ("clean", "hum", "hiss")


def rows_of(count: int, seed: int = 0) -> tuple[np.ndarray, list[dict]]:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((count, 8)).astype(np.float32)
    metadata = [
        {"artifact": KINDS[i % 3], "source": f"s{i % 5}", "severity": float(i % 11) / 10, "take": i % 4}
        for i in range(count)
    ]
    return vectors, metadata


def cosines(vectors: np.ndarray, query: np.ndarray) -> np.ndarray:
    vectors, query = vectors.astype(np.float64), query.astype(np.float64)
    return np.array([row @ query / np.sqrt((row @ row) * (query @ query)) for row in vectors])


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index.build(*rows_of(40), tmp_path / "index", fingerprint="f1")


@settings(max_examples=25, deadline=None)
@given(count=st.integers(1, 60), k=st.integers(1, 70), seed=st.integers(0, 10**6), repeats=st.integers(1, 6))
def test_search_equals_brute_force(
    tmp_path_factory: pytest.TempPathFactory, count: int, k: int, seed: int, repeats: int
) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.permutation(np.repeat(rng.standard_normal((count, 4)).astype(np.float32), repeats, axis=0))
    takes = rng.integers(0, 3, len(vectors))
    metadata = [{"take": int(take)} for take in takes]
    built = Index.build(vectors, metadata, tmp_path_factory.mktemp("index"), fingerprint="f")
    query = rng.standard_normal(4)
    truth = cosines(vectors, query)
    for where, exclude, keep in (
        (None, None, takes < 3),
        ({"take": [0, 1]}, None, takes < 2),
        (None, {"take": 1}, takes != 1),
        ({"take": (1, 2)}, {"take": 2}, takes == 1),
    ):
        ids = [hit.id for hit in built.search(query, k, where, exclude)]
        allowed = np.flatnonzero(keep)
        np.testing.assert_allclose(truth[ids], np.sort(truth[allowed])[::-1][:k], atol=1e-6)
        for i in set(ids):  # of equal rows the first ones, in order
            twins = [j for j in allowed if (vectors[j] == vectors[i]).all()]
            assert [j for j in ids if j in twins] == twins[: sum(j in twins for j in ids)]


def test_scores_are_cosines_and_lengths_do_not_matter(tmp_path: Path) -> None:
    vectors, metadata = rows_of(30)
    scales = np.geomspace(1e-20, 1e20, 30).astype(np.float32)[:, None]
    built = Index.build(vectors * scales, metadata, tmp_path, fingerprint="f")
    hit = built.search(vectors[7] * 3, k=1)[0]
    assert (hit.id, hit.metadata) == (7, metadata[7])
    assert 1.0 - 1e-6 <= hit.score <= 1.0
    scores = [h.score for h in built.search(-vectors[7], k=30)]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] == pytest.approx(-1.0, abs=1e-6)


def test_results_follow_the_rows_when_the_input_is_permuted(tmp_path: Path) -> None:
    vectors, metadata = rows_of(50)
    order = np.random.default_rng(1).permutation(50)
    straight = Index.build(vectors, metadata, tmp_path / "a", fingerprint="f")
    mixed = Index.build(vectors[order], [metadata[i] for i in order], tmp_path / "b", fingerprint="f")
    for query in vectors[:5] + 0.1:
        first, second = straight.search(query, 12), mixed.search(query, 12)
        assert [hit.id for hit in first] == [int(order[hit.id]) for hit in second]
        assert [hit.score for hit in first] == [hit.score for hit in second]
        assert [hit.metadata for hit in first] == [hit.metadata for hit in second]


def test_a_label_set_matches_each_of_its_names(tmp_path: Path) -> None:
    present = ["hiss, hum", "hum", "clean", None, "echo"]
    index = Index.build(np.eye(5), [{"present": text, "clip": text} for text in present], tmp_path / "i", "f")
    for asked, rows in (
        ("hum", [0, 1]), (["hiss", "echo"], [0, 4]), ("hiss, hum", [0]), ("clean", [2]), (None, [3]), ("hi", []),
    ):  # fmt: skip
        assert index.matching({"present": asked}).tolist() == rows
    assert index.matching({"clip": "hum"}).tolist() == [1], "other texts are compared as they are"
    assert sorted(hit.id for hit in index.search(np.ones(5), exclude={"present": "hum"})) == [2, 3, 4]


@pytest.mark.parametrize(
    ("where", "test"),
    [
        ({"artifact": "hum"}, lambda row: row["artifact"] == "hum"),
        ({"artifact": ["hum", "hiss"], "take": 2}, lambda row: row["artifact"] != "clean" and row["take"] == 2),
        ({"severity": (0.25, 0.6)}, lambda row: 0.25 <= row["severity"] <= 0.6),
        ({"take": (1, 2.5)}, lambda row: row["take"] in (1, 2)),
        ({"take": 2.0}, lambda row: row["take"] == 2),
        ({"artifact": []}, lambda row: False),
        ({"artifact": "no such"}, lambda row: False),
    ],
)
def test_where_and_exclude_are_each_others_complement(index: Index, where: dict, test) -> None:
    _, metadata = rows_of(40)
    query = np.ones(8)
    inside = {hit.id for hit in index.search(query, 100, where=where)}
    assert inside == {i for i, row in enumerate(metadata) if test(row)}
    assert {hit.id for hit in index.search(query, 100, exclude=where)} == set(range(40)) - inside


def test_a_batch_is_the_searches_one_by_one(index: Index) -> None:
    vectors, metadata = rows_of(40)
    exclude = [None if i % 3 == 0 else {"source": metadata[i]["source"]} for i in range(40)]
    batch = index.search_batch(vectors, 6, {"artifact": ["hum", "clean"]}, exclude)
    for i, hits in enumerate(batch):
        assert hits == index.search(vectors[i], 6, {"artifact": ["hum", "clean"]}, exclude[i])
        assert exclude[i] is None or all(hit.metadata["source"] != metadata[i]["source"] for hit in hits)


def test_float32_columns_take_the_decimal_that_was_written(tmp_path: Path) -> None:
    table = pa.table({"severity": pa.array([0.1, 0.6, 0.7], pa.float32())})
    built = Index.build(np.eye(3), table, tmp_path, fingerprint="f")
    assert [hit.id for hit in built.search(np.ones(3), where={"severity": 0.6})] == [1]
    assert [hit.id for hit in built.search(np.ones(3), where={"severity": (0.1, 0.6)})] == [0, 1]


def test_metadata_comes_back_as_given(tmp_path: Path) -> None:
    metadata = [
        {"name": "ä", "params": {"a": 1, "b": {"c": [1, 2]}}, "score": np.float32(0.5)},
        {"name": None, "params": {}, "score": 1.0},
        {"name": "z", "extra": 3},
    ]
    hits = Index.build(np.eye(3), metadata, tmp_path, fingerprint="f").search(np.array([3.0, 2, 1]))
    assert [hit.metadata for hit in hits] == [
        {"name": "ä", "params": {"a": 1, "b": {"c": [1, 2]}}, "score": 0.5, "extra": None},
        {"name": None, "params": {}, "score": 1.0, "extra": None},
        {"name": "z", "params": None, "score": None, "extra": 3},
    ]
    reopened = Index.open(tmp_path)
    assert [h.id for h in reopened.search(np.ones(3), where={"name": None})] == [1]
    with pytest.raises(ParameterError, match="nested"):
        reopened.search(np.ones(3), where={"params": {"a": 1}})


def test_empty_and_columnless(tmp_path: Path) -> None:
    empty = Index.build(np.zeros((0, 4)), [], tmp_path / "a", fingerprint="f")
    assert len(empty) == 0
    assert empty.search(np.ones(4)) == []
    bare = Index.build(np.eye(4), [{}] * 4, tmp_path / "b", fingerprint="f")
    assert [(hit.id, hit.metadata) for hit in bare.search(np.array([0, 0, 1, 0]), k=1)] == [(2, {})]


def test_a_second_build_replaces_the_first(tmp_path: Path) -> None:
    Index.build(*rows_of(40), tmp_path, fingerprint="f1")
    Index.build(*rows_of(9, seed=3), tmp_path, fingerprint="f2")
    opened = Index.open(tmp_path, "f2")
    assert (len(opened), opened.dim, opened.fingerprint) == (9, 8, "f2")
    assert [p.name.partition("-")[0] for p in sorted(tmp_path.iterdir())] == ["index.json", "metadata", "vectors"]
    np.testing.assert_allclose(np.linalg.norm(opened.vectors([8, 0, 0]), axis=1), 1.0, rtol=1e-6)


def test_another_encoder_is_refused(index: Index) -> None:
    assert Index.open(index.directory, "f1").search(np.ones(8), 3) == index.search(np.ones(8), 3)
    with pytest.raises(FingerprintError, match=r"'f1'.*'f2'"):
        Index.open(index.directory, "f2")


@pytest.mark.parametrize(
    ("vectors", "metadata", "message"),
    [
        (np.ones((3, 4)), [{}] * 2, "3 vectors but 2"),
        (np.ones((3, 4)), pa.table({"a": [1, 2]}), "3 vectors but 2"),
        (np.ones(4), [{}], "shape"),
        (np.ones((2, 0)), [{}] * 2, "shape"),
        (np.array([[1.0, 2.0], [np.nan, 1.0]]), [{}] * 2, "first is row 1"),
        (np.array([[1.0, np.inf]]), [{}], "NaN or infinity"),
        (np.zeros((1, 3)), [{}], "length zero"),
        (np.ones((2, 3)), [{"a": 1}, {"a": "x"}], "'a' cannot be stored"),
        (np.ones((1, 3)), [{"_id": 1}], "_id"),
        (np.ones((1, 3)), ["text"], "list of dicts"),
        ([["x"]], [{}], "numbers"),
    ],
)
def test_what_cannot_be_built_is_named(tmp_path: Path, vectors, metadata, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Index.build(vectors, metadata, tmp_path / "index", fingerprint="f")
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize(
    ("query", "options", "message"),
    [
        (np.ones(7), {}, r"shape \(1, 7\); expected \[N, 8\]"),
        (np.ones((1, 8)), {}, "search_batch"),
        (np.full(8, np.nan), {}, "NaN"),
        (np.zeros(8), {}, "length zero"),
        (np.ones(8), {"k": 0}, "k is 0"),
        (np.ones(8), {"k": 2.5}, "k is 2.5"),
        (np.ones(8), {"where": {"artefact": "hum"}}, "'artefact'.*artifact, source"),
        (np.ones(8), {"where": {"artifact": ("a", "b")}}, "range"),
        (np.ones(8), {"where": {"severity": (0, 0.5, 1)}}, "range"),
        (np.ones(8), {"where": {"severity": ("low", "high")}}, "severity"),
        (np.ones(8), {"where": {"take": "many"}}, "take"),
        (np.ones(8), {"where": {"take": True}}, "True"),
    ],
)
def test_unfit_searches_are_named(index: Index, query: np.ndarray, options: dict, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        index.search(query, **options)


def test_one_exclude_per_query_or_an_error(index: Index) -> None:
    with pytest.raises(ParameterError, match="2 vectors but 1"):
        index.search_batch(np.ones((2, 8)), 3, exclude=[None])
