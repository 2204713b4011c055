"""Nearest neighbours by cosine with the query's own source left out, through FAISS."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np

from ..core.errors import ParameterError
from .data import check_matrix, names

_FETCHED = 4_000_000  # neighbours held at a time


def unit_rows(x: np.ndarray) -> np.ndarray:
    """L2-normalised float32 rows; a row of zeros stays as it is, at similarity 0 to everything."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.ascontiguousarray(x / np.maximum(length, 1e-12), dtype=np.float32)


def neighbours(
    train_x: Any, train_sources: Any, test_x: Any, test_sources: Any, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` training rows nearest to each test row among those of other sources; exact.

    Args:
        train_x, test_x: [N, D], [M, D].
        train_sources, test_sources: [N], [M] split keys.
        k: How many, at least 1.

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
    own = np.bincount(train_code, minlength=len(keys))[test_code]  # rows that each query must do without
    index = faiss.IndexFlatIP(train_x.shape[1])
    index.add(unit_rows(train_x))
    queries = unit_rows(test_x)
    ids, scores = np.full((len(test_x), k), -1, np.int64), np.full((len(test_x), k), -np.inf, np.float32)
    # Queries with like numbers of own rows go together: enough is fetched for k to remain, and little more.
    order = np.argsort(own, kind="stable")
    start = 0
    while start < len(order) and len(train_x):
        fetch = min(k + int(own[order[start]]), len(train_x))
        rows = order[start : start + max(1, _FETCHED // (2 * fetch + 64))]
        rows = rows[own[rows] <= 2 * own[rows[0]] + 64]
        fetch = min(k + int(own[rows[-1]]), len(train_x))
        found_scores, found = index.search(queries[rows], fetch)
        same = train_code[found] == test_code[rows][:, None]
        # One stable sort: other sources first, by cosine, then by row.
        by_row = np.argsort(found, axis=1, kind="stable")
        rank = np.where(same, np.inf, -found_scores)
        rank = np.take_along_axis(rank, by_row, 1)
        best = np.take_along_axis(by_row, np.argsort(rank, axis=1, kind="stable")[:, :k], 1)
        kept = ~np.take_along_axis(same, best, 1)
        width = best.shape[1]
        ids[rows, :width] = np.where(kept, np.take_along_axis(found, best, 1), -1)
        scores[rows, :width] = np.where(kept, np.take_along_axis(found_scores, best, 1), -np.inf)
        start += len(rows)
    return ids, scores


def vote(ids: np.ndarray, scores: np.ndarray, train_labels: Any) -> np.ndarray:
    """Class of each row of neighbours, weighted by (1 + cosine) / 2; a tie goes to the class of the nearest one.

    Args:
        ids, scores: [M, k] from :func:`neighbours`.
        train_labels: [N] class names.

    Raises:
        ParameterError: a row has no neighbour at all.
    """
    labels = np.asarray(train_labels, dtype=str)
    lost = np.flatnonzero(ids[:, 0] < 0)
    if len(lost):
        raise ParameterError(f"row {lost[0]} has no neighbour of another source; give training rows of other sources.")
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
