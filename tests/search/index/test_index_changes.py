"""Rows added, removed and merged: the result is the index that would have been built at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrastive_artifacts.core.errors import FingerprintError, ParameterError
from contrastive_artifacts.search.index import Index

LARGE = st.integers(-(2**63), 2**63 - 1)


def built(folder: Path, ids: np.ndarray, fingerprint: str = "f", **options: str) -> Index:
    """An index in which every row is computed from its id."""
    seeds = ids.astype(np.int64).view(np.uint64)
    vectors = np.array([np.random.default_rng(int(s)).standard_normal(6) for s in seeds]).reshape(-1, 6)
    metadata = [{"name": str(i), "odd": bool(i % 2)} for i in ids.tolist()]
    return Index.build(vectors, metadata, folder, fingerprint=fingerprint, ids=ids, **options)


def content(index: Index) -> list[bytes]:
    return [path.read_bytes() for path in sorted(index.directory.iterdir())]


@settings(max_examples=20, deadline=None)
@given(ids=st.lists(LARGE, min_size=1, max_size=30, unique=True), seed=st.integers(0, 99), cut=st.floats(0, 1))
def test_built_merged_or_added_the_files_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, ids: list[int], seed: int, cut: float
) -> None:
    folder, given_ids = tmp_path_factory.mktemp("index"), np.array(ids, dtype=np.int64)
    whole = content(built(folder / "whole", given_ids))
    mixed = np.random.default_rng(seed).permutation(given_ids)
    assert content(built(folder / "mixed", mixed)) == whole
    at = max(1, round(cut * len(ids)))
    one, two = built(folder / "one", mixed[:at]), built(folder / "two", mixed[at:])
    if len(two):  # an empty list of dicts has no columns
        assert content(Index.merge([two, one.directory], folder / "merged")) == whole
        added = one.add(two.vectors(), two.metadata, ids=two.ids)
        np.testing.assert_allclose(added.vectors(), Index.open(folder / "whole").vectors(), atol=1e-6)
        assert added.metadata.equals(Index.open(folder / "whole").metadata)
        assert content(Index.open(folder / "merged").remove(mixed[at:])) == content(built(folder / "less", mixed[:at]))


def test_search_returns_the_ids_that_were_given(tmp_path: Path) -> None:
    ids = np.array([2**63 - 1, -(2**63), 0, 17])
    index = built(tmp_path, ids)
    for i in ids:
        hit = index.search(index.vectors([i])[0], k=1)[0]
        assert (hit.id, hit.metadata["name"]) == (int(i), str(int(i)))
    assert index.matching({"odd": True}).tolist() == [17, 2**63 - 1]


def test_ids_count_on_where_none_are_given(tmp_path: Path) -> None:
    index = Index.build(np.eye(4), [{"a": i} for i in range(4)], tmp_path, fingerprint="f").remove([1, 3])
    assert index.add(np.eye(4)[1:2], [{"a": 9}]).ids.tolist() == [0, 2, 3]
    assert [hit.metadata["a"] for hit in Index.open(tmp_path).search(np.array([0, 1.0, 0, 0]), k=1)] == [9]
    empty = Index.open(tmp_path).remove([0, 2, 3])
    assert len(empty) == 0
    assert empty.add(np.eye(4)[:1], [{"a": 5}]).ids.tolist() == [0]


def test_columns_that_one_shard_lacks_are_missing_values(tmp_path: Path) -> None:
    one = Index.build(np.eye(2), [{"a": 1, "p": {"x": 1}}] * 2, tmp_path / "1", fingerprint="f", ids=[5, 6])
    two = Index.build(np.eye(2), [{"a": 2, "b": "x"}] * 2, tmp_path / "2", fingerprint="f", ids=[1, 2])
    rows = {hit.id: hit.metadata for hit in Index.merge([one, two], tmp_path / "3").search(np.ones(2))}
    assert rows[1] == {"a": 2, "b": "x", "p": None}
    assert rows[6] == {"a": 1, "b": None, "p": {"x": 1}}


def test_an_opened_index_outlives_its_files(tmp_path: Path) -> None:
    index = built(tmp_path, np.arange(20))
    before = index.search(np.ones(6), 20)
    index.remove(np.arange(10))
    assert index.search(np.ones(6), 20) == before


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    one, other = built(tmp_path / "1", np.arange(4)), built(tmp_path / "2", np.arange(4, 8), fingerprint="g")
    with pytest.raises(FingerprintError, match="different encoders"):
        Index.merge([one, other], tmp_path / "3")
    with pytest.raises(ParameterError, match="4 ids stand twice, the first is 0"):
        Index.merge([one, one], tmp_path / "3")
    with pytest.raises(ParameterError, match="no index to merge"):
        Index.merge([], tmp_path / "3")
    with pytest.raises(ParameterError, match="first is 9"):
        one.remove([1, 9])
    with pytest.raises(ParameterError, match="id 3 stands twice"):
        Index.build(np.eye(2), [{}] * 2, tmp_path / "3", fingerprint="f", ids=[3, 3])
    with pytest.raises(ParameterError, match="2 whole numbers"):
        Index.build(np.eye(2), [{}] * 2, tmp_path / "3", fingerprint="f", ids=[0.5, 1.0])
    with pytest.raises(ParameterError, match="64 bits"):
        Index.build(np.eye(1), [{}], tmp_path / "3", fingerprint="f", ids=np.array([2**63], np.uint64))
    text = Index.build(np.eye(6)[:1], [{"odd": "x"}], tmp_path / "4", fingerprint="f", ids=[99])
    with pytest.raises(ParameterError, match="do not fit together"):
        Index.merge([one, text], tmp_path / "3")
    assert not (tmp_path / "3").exists()
