"""The index of LanceDB against the flat one: the same hits, filters and errors; imported only when asked for."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from contrastive_artifacts.core.download import CACHE_VARIABLE
from contrastive_artifacts.core.errors import FingerprintError, ParameterError, StorageError
from contrastive_artifacts.core.lock import locked
from contrastive_artifacts.search.index import Index, home_of
from contrastive_artifacts.search.retrieval.roots import record_roots, roots_of

pytest.importorskip("lancedb")
COUNT = 120
ROWS = [
    {"artifact": ("clean", "hum", "it's")[i % 3], "present": ("hiss, hum", "hum", None)[i % 3], "take": i % 4,
     "severity": float(np.float32(i % 11 / 10)), "params": {"a": i}}
    for i in range(COUNT)
]  # fmt: skip


def vectors(count: int = COUNT, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32)
    x[10:14] = x[10:11]  # ties, in the order of their ids
    return x


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Index, Index]:
    folder = tmp_path_factory.mktemp("pair")
    ids = np.random.default_rng(3).permutation(COUNT) - 60
    ids[0], ids[1] = 2**63 - 1, -(2**63)
    flat, lance = (Index.build(vectors(), ROWS, folder / k, "f", ids=ids, kind=k) for k in ("flat", "lance"))
    assert lance.kind == "lance"
    return flat, lance


@pytest.mark.parametrize(
    "where",
    [
        None,
        {"artifact": "it's"},
        {"artifact": ["hum", "clean"], "take": 2.0},
        {"present": "hum"},
        {"present": None},
        {"severity": (0.1, 0.6)},
        {"severity": 0.6},
        {"take": (0.5, 2.5)},
        {"take": (-np.inf, 1)},
        {"artifact": []},
    ],
)
def test_hits_and_filters_are_those_of_the_flat_index(pair: tuple[Index, Index], where: dict | None) -> None:
    flat, lance = pair
    for query in (vectors()[11], np.ones(8)):
        for options in ({"where": where}, {"exclude": where}):
            expected, hits = (index.search(query, 30, **options) for index in pair)
            assert [hit.id for hit in hits] == [hit.id for hit in expected]
            assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in expected], abs=1e-9)
            assert [hit.metadata for hit in hits] == [hit.metadata for hit in expected]
    if where:
        assert np.array_equal(flat.matching(where), lance.matching(where))


def test_what_is_read_is_what_was_written(pair: tuple[Index, Index]) -> None:
    flat, lance = pair
    assert (len(lance), lance.dim, lance.fingerprint, lance.recall) == (COUNT, 8, "f", 1.0)
    assert np.array_equal(lance.ids, flat.ids)
    assert np.array_equal(lance.vectors(), flat.vectors())
    some = flat.ids[[7, 3, 3]]
    assert np.array_equal(lance.vectors(some), flat.vectors(some))
    assert lance.metadata.to_pylist() == flat.metadata.to_pylist()
    mine = pa.array([("a", "b")[i % 2] for i in range(COUNT)])
    changed = lance.with_metadata(lance.metadata.append_column("mine", mine))
    assert {hit.metadata["mine"] for hit in changed.search(np.ones(8), 20, where={"mine": "b"})} == {"b"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"where": {"artefact": "hum"}}, "'artefact'.*artifact, present"),
        ({"where": {"artifact": ("a", "b")}}, "range"),
        ({"where": {"take": "many"}}, "take"),
        ({"where": {"take": True}}, "True"),
        ({"where": {"params": {"a": 1}}}, "nested"),
        ({"k": 0}, "k is 0"),
    ],
)
def test_unfit_searches_are_named(pair: tuple[Index, Index], options: dict, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        pair[1].search(np.ones(8), **options)


def test_rows_are_added_removed_and_merged(tmp_path: Path) -> None:
    one = Index.build(vectors(), ROWS, tmp_path / "1", "f", kind="lance")
    more = one.add(vectors(3, seed=5), ROWS[:3])
    assert more.ids[-3:].tolist() == [120, 121, 122]
    assert more.search(vectors(3, seed=5)[1], 1)[0].id == 121
    assert len(one) == 120, "an opened index does not change"
    less = more.remove([0, 121])
    assert len(less) == 121
    with pytest.raises(ParameterError, match="first is 121"):
        less.remove([121])
    with pytest.raises(ParameterError, match="1 ids stand twice, the first is 5"):
        less.add(vectors(1), ROWS[:1], ids=[5])
    with pytest.raises(ParameterError, match="no metadata columns other"):
        less.add(vectors(1), [{"other": 1}])
    two = Index.build(vectors(9, seed=6), [{"take": 7}] * 9, tmp_path / "2", "f", np.arange(500, 509), "lance")
    merged = Index.merge([two, less.directory], tmp_path / "3")
    assert len(merged) == 130
    assert merged.search(vectors(9, seed=6)[4], 1)[0].metadata["take"] == 7
    other = Index.build(vectors(9), [{}] * 9, tmp_path / "4", "g", np.arange(900, 909), "lance")
    with pytest.raises(FingerprintError, match="different encoders"):
        Index.merge([two, other], tmp_path / "5")
    flat = Index.build(vectors(9), [{}] * 9, tmp_path / "6", "f", np.arange(900, 909))
    with pytest.raises(ParameterError, match="merges only with its own kind"):
        Index.merge([two, flat], tmp_path / "5")


def test_recall_is_measured_and_at_least_what_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from contrastive_artifacts.search.index import lance_index, lance_recall

    monkeypatch.setattr(lance_index, "_EXACT_TO", 0)
    monkeypatch.setattr(lance_index, "TRAINED_FROM", 1000)
    monkeypatch.setattr(lance_recall, "_PER_CELL", 200)
    rng, centres = np.random.default_rng(0), np.random.default_rng(1).standard_normal((20, 8))
    x = (centres[rng.integers(0, 20, 2000)] + 0.3 * rng.standard_normal((2000, 8))).astype(np.float32)
    lance = Index.build(x, [{"take": i % 5} for i in range(2000)], tmp_path / "lance", "f", kind="lance")
    flat = Index.build(x, [{}] * 2000, tmp_path / "flat", "f")
    shared = [
        len({h.id for h in a} & {h.id for h in b}) / 10
        for a, b in zip(lance.search_batch(x[:100] + 0.01), flat.search_batch(x[:100] + 0.01), strict=True)
    ]
    assert 0.9 <= lance.recall <= 1
    assert np.mean(shared) == pytest.approx(lance.recall, abs=0.08)
    hits = lance.search(x[0], 300, where={"take": 2})
    assert len(hits) == 300
    assert all(hit.metadata["take"] == 2 for hit in hits)


def test_more_vectors_are_compared_where_codes_do_not_tell_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Independent vectors of 64 dimensions: the ten nearest are not among the twelve with the nearest codes."""
    from contrastive_artifacts.search.index import lance_index, lance_recall

    monkeypatch.setattr(lance_index, "_EXACT_TO", 0)
    monkeypatch.setattr(lance_recall, "_PER_CELL", 3000)
    monkeypatch.setattr(lance_recall, "FEWEST", 12)
    x = np.random.default_rng(0).standard_normal((6000, 64)).astype(np.float32)
    lance = Index.build(x, [{}] * 6000, tmp_path / "lance", "f", kind="lance")
    assert lance._record["candidates"] > 12
    queries = np.random.default_rng(1).standard_normal((60, 64)).astype(np.float32)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    near = [{hit.id for hit in hits} for hits in lance.search_batch(queries)]
    best = [set(np.argsort(-unit @ query)[:10].tolist()) for query in queries]
    assert np.mean([len(a & b) / 10 for a, b in zip(near, best, strict=True)]) > 0.9
    monkeypatch.setattr(lance_recall, "_MOST", 12)
    few = Index.build(x, [{}] * 6000, tmp_path / "few", "f", kind="lance")
    assert few.recall < 0.9, "which its codes alone would not reach"


def test_what_cannot_be_opened_or_written_is_a_named_error(tmp_path: Path) -> None:
    index = Index.build(vectors(), ROWS, tmp_path / "a", "f1", kind="lance")
    with pytest.raises(FingerprintError, match=r"'f1'.*'f2'"):
        Index.open(tmp_path / "a", "f2")
    code = (
        "import numpy as np\nfrom contrastive_artifacts.search.index import Index\n"
        f"Index.build(np.eye(8), [{{}}] * 8, {str(tmp_path / 'b')!r}, 'f', kind='lance')"
    )
    with locked(tmp_path / "b", "testing"):
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "is in use by process" in result.stderr
    assert not (tmp_path / "b").exists()
    flat = Index.build(np.eye(8), [{}] * 8, tmp_path / "c", "f")
    with pytest.raises(StorageError, match="another kind"):
        Index.build(np.eye(8), [{}] * 8, flat.directory, "f", kind="lance")
    assert len(Index.open(f"file://{tmp_path / 'a'}")) == COUNT, "an address is opened as a folder is"
    for path in sorted(index.directory.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            for damaged in (b"", content[: len(content) // 2], b"\xff" * len(content)):
                path.write_bytes(damaged)
                with suppress(StorageError):  # nothing else is raised: no checksum tells what is damaged
                    assert len(Index.open(tmp_path / "a").search(np.ones(8), 5)) == 5
            path.write_bytes(content)


def test_lance_is_imported_only_for_its_own_kind_and_missing_it_names_the_extra(tmp_path: Path) -> None:
    code = f"""
import sys
import numpy as np
sys.modules["lancedb"] = None
from contrastive_artifacts.search.index import Index
Index.build(np.eye(8), [{{}}] * 8, {str(tmp_path / "flat")!r}, "f").search(np.ones(8))
assert not [name for name in sys.modules if name.startswith("lance") and sys.modules[name]]
Index.build(np.eye(8), [{{}}] * 8, {str(tmp_path / "lance")!r}, "f", kind="lance")
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ParameterError" in result.stderr
    assert "contrastive-artifacts[lance]" in result.stderr
    assert not (tmp_path / "lance").exists()


def test_what_this_machine_adds_to_an_index_at_an_address_lies_in_its_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    address = f"file://{tmp_path}/bucket/shelf"
    index = Index.build(np.eye(8), [{}] * 8, address, "f", kind="lance")
    record_roots(index.directory, [str(tmp_path / "films" / "a.wav")])
    assert (index.location, index.name) == (address, "shelf")
    assert index.directory == home_of(address)
    assert index.directory.is_relative_to(tmp_path / "cache")
    assert tmp_path / "films" in roots_of(home_of(address)).folders
    assert {path.name for path in tmp_path.iterdir()} == {"bucket", "cache"}
    two = Index.build(np.eye(8), [{}] * 8, tmp_path / "two", "f", range(8, 16), "lance")
    merged = Index.merge([index, two], address)
    assert (len(merged), merged.location) == (16, address)
    assert home_of(tmp_path / "two") == tmp_path / "two"
