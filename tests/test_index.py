"""Search equals brute force; filters; whatever happens to the files is a StorageError."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrastive_artifacts.errors import FingerprintError, ParameterError, StorageError
from contrastive_artifacts.files import read_json, sha256, write_json
from contrastive_artifacts.index import Index

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
    assert sorted(p.name for p in tmp_path.iterdir()) == ["index.faiss", "index.json", "metadata.parquet"]
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


@pytest.mark.parametrize("name", ["index.faiss", "metadata.parquet", "index.json"])
def test_a_missing_truncated_or_altered_file_is_a_storage_error(index: Index, tmp_path: Path, name: str) -> None:
    content = (index.directory / name).read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 0x80
    damaged = [None, b"", content[: len(content) // 2], content[:-3], bytes(flipped), bytes(len(content)), b"\xff" * 50]
    for at, new in enumerate(damaged):
        copy = tmp_path / str(at)
        shutil.copytree(index.directory, copy)
        (copy / name).unlink() if new is None else (copy / name).write_bytes(new)
        with pytest.raises(StorageError):
            Index.open(copy)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 99},
        {"count": -1},
        {"count": 39},
        {"count": 10**12},
        {"dim": 10**12},
        {"dim": 7},
        {"dim": "8"},
        {"dim": True},
        {"fingerprint": None},
        {"files": {}},
        {"files": None},
        {"files": {"index.faiss": 3, "metadata.parquet": {}}},
    ],
)
def test_a_record_that_lies_is_a_storage_error(index: Index, change: dict) -> None:
    path = index.directory / "index.json"
    write_json(path, read_json(path) | change)
    with pytest.raises(StorageError):
        Index.open(index.directory)
    path.write_text(json.dumps([change]))
    with pytest.raises(StorageError):
        Index.open(index.directory)


def forge(directory: Path, name: str) -> None:
    """Makes the record agree with a file that was swapped."""
    record = read_json(directory / "index.json")
    path = directory / name
    record["files"][name] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
    write_json(directory / "index.json", record)


@pytest.mark.parametrize("kind", ["l2", "ids", "hnsw", "fewer", "bare"])
def test_another_faiss_index_under_a_true_hash_is_a_storage_error(index: Index, kind: str) -> None:
    vectors = np.ones((40, 8), np.float32)
    flat = {"l2": faiss.IndexFlatL2, "hnsw": lambda d: faiss.IndexHNSWFlat(d, 4)}.get(kind, faiss.IndexFlatIP)(8)
    other = faiss.IndexIDMap2(flat)
    count = 39 if kind == "fewer" else 40
    other.add_with_ids(vectors[:count], np.arange(count) + (kind == "ids"))
    faiss.write_index(flat if kind == "bare" else other, str(index.directory / "index.faiss"))
    forge(index.directory, "index.faiss")
    with pytest.raises(StorageError):
        Index.open(index.directory)


def test_another_table_under_a_true_hash_is_a_storage_error(index: Index) -> None:
    import pyarrow.parquet as pq

    path = index.directory / "metadata.parquet"
    for table in ({"a": list(range(40))}, {"_id": [0] * 40}, {"_id": list(range(39))}, {"_id": ["x"] * 40}):
        pq.write_table(pa.table(table), path)
        forge(index.directory, "metadata.parquet")
        with pytest.raises(StorageError):
            Index.open(index.directory)
    path.write_bytes(b"PAR1" + b"\0" * 100 + b"PAR1")
    forge(index.directory, "metadata.parquet")
    with pytest.raises(StorageError):
        Index.open(index.directory)


FUZZ = """
import sys, numpy as np
from pathlib import Path
from contrastive_artifacts.errors import StorageError
from contrastive_artifacts.files import read_json, sha256, write_json
from contrastive_artifacts.index import Index
directory = Path(sys.argv[1])
rng, refused = np.random.default_rng(0), 0
record = read_json(directory / "index.json")
for name in ("index.faiss", "metadata.parquet"):
    path = directory / name
    whole = path.read_bytes()
    for trial in range(150):
        data = bytearray(whole)
        # Headers first: that is where lengths and types stand. Parquet keeps its own at the end.
        span = 100 if trial % 2 else len(data)
        for at in rng.integers(0, span, 1 + trial % 4):
            data[-1 - at if name.endswith("parquet") else at] = rng.integers(0, 256)
        if trial % 5 == 0:
            data = data[: rng.integers(0, len(data))]
        path.write_bytes(data)
        identity = {"bytes": len(data), "sha256": sha256(path)}
        write_json(directory / "index.json", record | {"files": record["files"] | {name: identity}})
        try:
            Index.open(directory).search(np.ones(8), 5)
        except StorageError:
            refused += 1
    path.write_bytes(whole)
print(refused)
"""


def test_hostile_files_under_a_true_hash_never_crash_the_process(index: Index) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, str(index.directory)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 100
