"""Nearest neighbours by cosine without those of the query's source, by FAISS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import ParameterError
from ..core.vectors import unit_rows
from .data import check_matrix, names

_FETCHED = 4_000_000  # neighbours in memory at a time


def neighbours(
    train_x: Any, train_sources: Any, test_x: Any, test_sources: Any, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` training rows nearest to each test row among those of other sources; exact.

    Args:
        train_x, test_x: [N, D], [M, D].
        train_sources, test_sources: [N], [M] split keys.
        k: Number of neighbours, at least 1.

    Returns:
        Row numbers int64 [M, k], best first, -1 where fewer rows of other sources exist; cosines float32 [M, k],
        -inf there. Equal cosines come in the order of the rows.
    """
    train_x = check_matrix(train_x)
    test_x = check_matrix(test_x, train_x.shape[1])
    if k < 1:
        raise ParameterError(f"k is {k}; give at least 1.")
    both = np.concatenate([names(train_sources, len(train_x), "sources"), names(test_sources, len(test_x), "sources")])
    keys, code = np.unique(both, return_inverse=True)
    train_code, test_code = code[: len(train_x)], code[len(train_x) :]
    ids, scores = np.full((len(test_x), k), -1, np.int64), np.full((len(test_x), k), -np.inf, np.float32)
    for rows, near, cosines in _search(train_x, test_x, np.bincount(train_code, minlength=len(keys))[test_code], k):
        same = train_code[near] == test_code[rows][:, None]
        best, best_cosines = _first(near, cosines, same, k)
        ids[rows, : best.shape[1]], scores[rows, : best.shape[1]] = best, best_cosines
    return ids, scores


@dataclass(frozen=True, eq=False)
class NeighbourTable:
    """The neighbours of every row among the other rows of one set, from one exact search by cosine.

    Row numbers are int64, nearest first; equal cosines come in the order of the rows.

    Attributes:
        sources: [N] split keys.
        nearest: [N, K] the nearest other rows, K at most N - 1.
        other_sources: [N, K'] the nearest rows of other sources, -1 where there are fewer.
    """

    sources: np.ndarray
    nearest: np.ndarray
    other_sources: np.ndarray

    @classmethod
    def of(cls, x: Any, sources: Any, nearest: int = 10, other_sources: int = 100) -> NeighbourTable:
        """Searches the rows of x [N, D] by each of them.

        Args:
            sources: [N] split keys.
            nearest, other_sources: Number of neighbours of each kind; other_sources may be 0.

        Raises:
            ParameterError: unfit shapes or values.
        """
        x = check_matrix(x)
        sources = names(sources, len(x), "sources")
        _, code, sizes = np.unique(sources, return_inverse=True, return_counts=True)
        near = np.zeros((len(x), max(0, min(nearest, len(x) - 1))), np.int64)
        others = np.full((len(x), other_sources), -1, np.int64)
        left_out = sizes[code] if other_sources else np.ones(len(x), np.int64)
        for rows, ids, cosines in _search(x, x, left_out, max(nearest, other_sources)):
            depth = near.shape[1] + 1  # one more, as the row itself is usually its own nearest
            itself = ids[:, :depth] == rows[:, None]
            near[rows] = _first(ids[:, :depth], cosines[:, :depth], itself, near.shape[1])[0]
            if other_sources:
                best, _ = _first(ids, cosines, code[ids] == code[rows][:, None], other_sources)
                others[rows, : best.shape[1]] = best
        return cls(sources, near, others)

    def __len__(self) -> int:
        return len(self.sources)


def _search(
    x: np.ndarray, queries: np.ndarray, left_out: np.ndarray, k: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Searches all rows of x by batches of queries; F is large enough that ``k`` remain without those left out.

    Args:
        left_out: [M] number of rows of x that will be left out for each query.

    Yields:
        Query numbers [m], row numbers [m, F] and cosines [m, F], nearest first, equal cosines in the order of the rows.
    """
    import faiss  # takes a while to load, and ca.load does not need it

    index = faiss.IndexFlatIP(x.shape[1])
    index.add(unit_rows(x))
    queries = unit_rows(queries)
    # Queries with similar numbers of rows left out are searched together, so that few neighbours are fetched in vain.
    order = np.argsort(left_out, kind="stable")
    start = 0
    while start < len(order) and len(x):
        fetch = min(k + int(left_out[order[start]]), len(x))
        rows = order[start : start + max(1, _FETCHED // (2 * fetch + 64))]
        rows = rows[left_out[rows] <= 2 * left_out[rows[0]] + 64]
        cosines, ids = index.search(queries[rows], min(k + int(left_out[rows[-1]]), len(x)))
        by_row = np.argsort(ids, axis=1, kind="stable")  # FAISS leaves the order of equal cosines open
        cosines, ids = np.take_along_axis(cosines, by_row, 1), np.take_along_axis(ids, by_row, 1)
        by_cosine = np.argsort(-cosines, axis=1, kind="stable")
        yield rows, np.take_along_axis(ids, by_cosine, 1), np.take_along_axis(cosines, by_cosine, 1)
        start += len(rows)


def _first(ids: np.ndarray, cosines: np.ndarray, left_out: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The first ``k`` of sorted neighbours [m, F] that are not left out; -1 and -inf where there are fewer."""
    first = np.argsort(left_out, axis=1, kind="stable")[:, :k]
    usable = ~np.take_along_axis(left_out, first, 1)
    best_ids = np.where(usable, np.take_along_axis(ids, first, 1), -1)
    return best_ids, np.where(usable, np.take_along_axis(cosines, first, 1), -np.inf)


def vote(ids: np.ndarray, scores: np.ndarray, train_labels: Any) -> np.ndarray:
    """Class of each query by the votes of its neighbours, weighted by (1 + cosine) / 2; the nearest decides ties.

    Args:
        ids, scores: [M, k] from :func:`neighbours`.
        train_labels: [N] class names.

    Raises:
        ParameterError: a query has no neighbour.
    """
    labels = np.asarray(train_labels, dtype=str)
    alone = np.flatnonzero(ids[:, 0] < 0)
    if len(alone):
        raise ParameterError(f"row {alone[0]} has no neighbour of another source; give training rows of other sources.")
    classes, code = np.unique(labels, return_inverse=True)
    weight = np.where(ids >= 0, (1.0 + np.where(ids >= 0, scores, 0.0)) / 2.0, 0.0)
    votes = np.zeros((len(ids), len(classes)))
    rows = np.broadcast_to(np.arange(len(ids))[:, None], ids.shape)
    np.add.at(votes, (rows, code[ids]), weight)
    votes[np.arange(len(ids)), code[ids[:, 0]]] += 1e-9
    return classes[votes.argmax(axis=1)]


def knn_predict(
    train_x: Any, train_labels: Any, train_sources: Any, test_x: Any, test_sources: Any, k: int
) -> np.ndarray:
    """Class of each test row [M] by its ``k`` nearest training rows of other sources.

    Raises:
        ParameterError: unfit shapes or values, or no training row of another source.
    """
    labels = names(train_labels, len(train_x), "labels")
    ids, scores = neighbours(train_x, train_sources, test_x, test_sources, k)
    return vote(ids, scores, labels)
