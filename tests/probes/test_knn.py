from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.probes import NeighbourTable, knn_predict, neighbours
from contrastive_artifacts.probes import knn as module


def loop(train_x, train_sources, query, source, k) -> list[int]:
    cosine = [float(row @ query) / float(np.linalg.norm(row) * np.linalg.norm(query)) for row in train_x.astype(float)]
    allowed = [i for i in range(len(train_x)) if train_sources[i] != source]
    return sorted(allowed, key=lambda i: (-cosine[i], i))[:k]


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(1, 50),
    queries=st.integers(1, 20),
    groups=st.integers(1, 8),
    k=st.integers(1, 60),
    seed=st.integers(0, 10**6),
)
def test_neighbours_equal_a_loop(count: int, queries: int, groups: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((count, 6)).astype(np.float32), rng.standard_normal((queries, 6)).astype(np.float32)
    a, b = rng.integers(0, groups, count), rng.integers(0, groups + 2, queries)
    ids, scores = neighbours(x, a, y, b, k)
    for row, query in enumerate(y):
        expected = loop(x, a, query, b[row], k)
        assert ids[row].tolist() == expected + [-1] * (k - len(expected))
        assert np.isneginf(scores[row, len(expected) :]).all()
        assert (np.diff(scores[row, : len(expected)]) <= 0).all()


def test_sources_of_very_different_sizes_are_all_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    sources = np.repeat(["long", "middle", *(f"s{i}" for i in range(40))], [300, 90, *[2] * 40])
    x = rng.standard_normal((len(sources), 5)).astype(np.float32)
    whole = neighbours(x, sources, x, sources, 7)
    monkeypatch.setattr(module, "_FETCHED", 500)  # many small batches
    pieces = neighbours(x, sources, x, sources, 7)
    np.testing.assert_array_equal(whole[0], pieces[0])
    for row in range(0, len(x), 17):
        assert whole[0][row].tolist() == loop(x, sources, x[row], sources[row], 7)


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 90), groups=st.integers(1, 8), seed=st.integers(0, 10**6))
def test_a_table_equals_a_loop_with_equal_cosines_in_the_order_of_rows(count: int, groups: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.permuted(np.tile([1.0, 1.0, 1.0, 1.0, 0.0, 0.0], (count, 1)), axis=1)  # of length 2: cosines are exact
    sources = rng.integers(0, groups, count)
    table = NeighbourTable.of(x, sources)
    for row in range(count):
        others = loop(x, sources, x[row], sources[row], 100)
        assert table.nearest[row].tolist() == loop(x, np.arange(count), x[row], row, 10)
        assert table.other_sources[row].tolist() == others + [-1] * (100 - len(others))


def test_the_same_source_would_give_the_label_away() -> None:
    # Every source has one label and its own place in the space: labels of other sources are no help.
    rng = np.random.default_rng(0)
    sources = np.repeat(np.arange(60), 8)
    labels = np.where(rng.permutation(60) < 30, "hum", "clean")[sources]
    x = rng.standard_normal((60, 32))[sources] + 0.05 * rng.standard_normal((480, 32))
    naive = knn_predict(x, labels, np.arange(480), x, np.arange(480), k=5)  # leaves out only the view itself
    fair = knn_predict(x, labels, sources, x, sources, k=5)
    assert (naive == labels).mean() > 0.99
    assert 0.25 < (fair == labels).mean() < 0.65


def test_votes_are_weighted_by_similarity() -> None:
    x = np.array([[1.0, 0.0], [-1.0, 0.05], [-1.0, -0.05]])
    labels = ["near", "far", "far"]
    query, sources = np.array([[1.0, 0.0]]), ["a", "b", "c"]
    assert knn_predict(x, labels, sources, query, ["q"], k=3).tolist() == ["near"]
    assert knn_predict(x, labels, sources, query, ["a"], k=3).tolist() == ["far"]
    # Two against two at equal similarity: the nearest decides, not the order of the names.
    square = np.array([[1.0, 0.2], [1.0, -0.2]])
    assert knn_predict(square, ["z", "a"], ["1", "2"], query, ["q"], k=2).tolist() == ["z"]


def test_the_order_of_the_rows_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    x, labels, sources = rng.standard_normal((80, 6)), rng.choice(["a", "b", "c"], 80), rng.integers(0, 9, 80)
    order = rng.permutation(80)
    straight = knn_predict(x, labels, sources, x, sources, 5)
    mixed = knn_predict(x[order], labels[order], sources[order], x, sources, 5)
    assert (straight == mixed).all()


def test_unfit_input() -> None:
    with pytest.raises(ParameterError, match="another source"):
        knn_predict(np.ones((2, 3)), ["a", "b"], ["s", "s"], np.ones((1, 3)), ["s"], 1)
    with pytest.raises(ParameterError, match="k is 0"):
        neighbours(np.ones((2, 3)), ["a", "b"], np.ones((1, 3)), ["s"], 0)
    with pytest.raises(ParameterError, match=r"expected \[N, 3\]"):
        neighbours(np.ones((2, 3)), ["a", "b"], np.ones((1, 4)), ["s"], 1)
