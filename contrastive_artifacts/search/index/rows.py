"""The vectors of several files as one array, and exact search among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import faiss
import numpy as np

Ranked = tuple[np.ndarray, np.ndarray]  # positions int64 and cosines float64, best first

_TIE = 1e-5  # scores of FAISS closer than this are ordered by scores computed again in float64
_BLOCK = 1 << 16  # rows that are copied at a time
_FEW = 1024  # up to so many filtered rows are fetched and dropped, which is faster than a copy without them

_swig: Any = faiss  # its Python wrappers take arrays and keywords that its type stubs do not know


class Rows:
    """Rows of several arrays, one array after another; only rows that are read are copied.

    Args:
        parts: float32 [n, D] each, memory-mapped or not; at least one.
        order: int64 [N], positions in the sequence of all parts; row i of this is row ``order[i]`` of them.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, parts: Sequence[np.ndarray], order: np.ndarray | None = None) -> None:
        self.parts, self.order = tuple(parts), order
        self.starts = np.cumsum([0, *map(len, parts)])

    def __len__(self) -> int:
        return int(self.starts[-1]) if self.order is None else len(self.order)

    @property
    def dim(self) -> int:
        return int(self.parts[0].shape[1])

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), self.dim

    @property
    def nbytes(self) -> int:
        return len(self) * self.dim * self.dtype.itemsize

    def __getitem__(self, which: slice | np.ndarray) -> np.ndarray:
        """float32 [n, D]: the rows of a slice or at positions."""
        if len(self.parts) == 1 and self.order is None:
            return np.ascontiguousarray(self.parts[0][which])
        rows = np.arange(*which.indices(len(self))) if isinstance(which, slice) else np.asarray(which)
        rows = rows if self.order is None else self.order[rows]
        part = np.searchsorted(self.starts, rows, "right") - 1
        taken = np.empty((len(rows), self.dim), np.float32)
        for number in np.unique(part):
            inside = part == number
            taken[inside] = self.parts[number][rows[inside] - self.starts[number]]
        return taken

    def whole(self) -> np.ndarray:
        """All rows: the mapped array where there is one part, otherwise a copy of all parts in memory."""
        return self.parts[0] if len(self.parts) == 1 and self.order is None else self[:]


def exact(rows: Rows, queries: np.ndarray, k: int, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inner products and positions [M, min(k, allowed)], best first, among the rows where ``mask`` is true.

    The arrays of ``rows`` may be memory-mapped; only one block of them is copied at a time.
    """
    allowed = int(mask.sum())
    k, left_out = min(k, allowed), len(mask) - allowed
    best = np.zeros((len(queries), 0), np.float32)
    positions = np.zeros((len(queries), 0), np.int64)
    if k == 0:
        return best, positions
    if left_out <= _FEW:
        for start, part in zip(rows.starts, rows.parts, strict=False):
            if len(part):
                scores, near = _swig.knn(queries, part, min(k + left_out, len(part)), metric=faiss.METRIC_INNER_PRODUCT)
                best, positions = np.concatenate([best, scores], axis=1), np.concatenate([positions, near + start], 1)
        best = np.where(mask[positions], best, -np.inf)  # allowed rows first, in their order
        return _first(best, positions, k)
    chosen = np.flatnonzero(mask)
    for start in range(0, allowed, _BLOCK):
        some = chosen[start : start + _BLOCK]
        scores, near = _swig.knn(queries, rows[some], min(k, len(some)), metric=faiss.METRIC_INNER_PRODUCT)
        best, positions = np.concatenate([best, scores], axis=1), np.concatenate([positions, some[near]], axis=1)
        best, positions = _first(best, positions, k)
    return best, positions


def nearest(rows: Rows, queries: np.ndarray, k: int, mask: np.ndarray) -> list[Ranked]:
    """The best ``k`` rows under ``mask`` for each query, every row compared, ties in order of position."""
    count = int(mask.sum())
    k = min(k, count)
    if k == 0:
        return [(np.zeros(0, np.int64), np.zeros(0))] * len(queries)
    ranked, depth = [], min(k + 8, count)
    scores, positions = exact(rows, queries, depth, mask)
    for query, row_scores, row in zip(queries, scores, positions, strict=True):
        fetched = depth
        # Where ties reach beyond the fetched rows, more are fetched: the order of ties is known only with all of them.
        while fetched < count and row_scores[-1] >= row_scores[k - 1] - _TIE:
            fetched = min(4 * fetched, count)
            more_scores, more = exact(rows, query[None], fetched, mask)
            row_scores, row = more_scores[0], more[0]
        ranked.append(rerank(rows, query, row, k))
    return ranked


def rerank(rows: Rows, query: np.ndarray, positions: np.ndarray, k: int) -> Ranked:
    """The best ``k`` of ``positions`` (-1 for none) by float64 inner product, ties in order of position."""
    chosen = np.unique(positions[positions >= 0])
    scores = (rows[chosen].astype(np.float64) * query).sum(axis=1)  # equal rows, equal scores
    best = np.argsort(-scores, kind="stable")[:k]
    return chosen[best], scores[best]


def _first(scores: np.ndarray, positions: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    rank = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, rank, 1), np.take_along_axis(positions, rank, 1)
