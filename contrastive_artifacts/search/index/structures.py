"""How an index is searched: exactly, or through inverted lists of compressed vectors, both by FAISS.

``flat``: every vector is compared; exact. ``ivf_sq8``: k-means cells, one byte per dimension. ``ivf_pq``: k-means
cells, product quantisation (Jegou, Douze & Schmid 2011), one byte per four dimensions. Candidates of the inverted lists
are ranked again by the original vectors, which are memory-mapped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np

from ...core.errors import ParameterError, StorageError
from ...core.registry import Registry
from ...core.seeding import generator
from .store import Stored

FLAT_TO, SQ8_TO = 1_000_000, 20_000_000  # largest numbers of vectors for which these kinds are the default
RECALL = 0.95  # least recall of the ten nearest that the number of searched cells is chosen for
_QUERIES = 200  # with which recall is measured
_PER_CELL = 48  # vectors per cell that k-means is trained on
_BLOCK = 1 << 16  # rows that are copied at a time
_FEW = 1024  # up to so many filtered rows are fetched and dropped, which is faster than a copy without them

_swig: Any = faiss  # its Python wrappers take arrays and keywords that its type stubs do not know


def choose(count: int) -> str:
    """The default kind of an index of ``count`` vectors."""
    return "flat" if count <= FLAT_TO else "ivf_sq8" if count <= SQ8_TO else "ivf_pq"


def exact(vectors: np.ndarray, queries: np.ndarray, k: int, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inner products and positions [M, min(k, allowed)], best first, among the rows where ``mask`` is true.

    ``vectors`` may be memory-mapped; only one block of it is copied at a time.
    """
    allowed = int(mask.sum())
    k = min(k, allowed)
    if k == 0:
        return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
    if len(mask) - allowed <= _FEW:
        scores, positions = _swig.knn(queries, vectors, k + len(mask) - allowed, metric=faiss.METRIC_INNER_PRODUCT)
        rank = np.argsort(~mask[positions], axis=1, kind="stable")[:, :k]  # allowed rows first, in their order
        return np.take_along_axis(scores, rank, 1), np.take_along_axis(positions, rank, 1)
    rows = np.flatnonzero(mask)
    best = np.zeros((len(queries), 0), np.float32)
    positions = np.zeros((len(queries), 0), np.int64)
    for start in range(0, allowed, _BLOCK):
        part = rows[start : start + _BLOCK]
        block = np.ascontiguousarray(vectors[part])
        scores, near = _swig.knn(queries, block, min(k, len(part)), metric=faiss.METRIC_INNER_PRODUCT)
        best, positions = np.concatenate([best, scores], axis=1), np.concatenate([positions, part[near]], axis=1)
        rank = np.argsort(-best, axis=1, kind="stable")[:, :k]
        best, positions = np.take_along_axis(best, rank, 1), np.take_along_axis(positions, rank, 1)
    return best, positions


class Flat:
    """Every vector is compared."""

    exact = True

    def __init__(self, stored: Stored) -> None:
        if stored.arrays:
            raise StorageError("a flat index has no search structure, this one has; build the index again.")

    @classmethod
    def build(cls, stored: Stored) -> None:
        stored.settings = {"recall_at_10": 1.0}

    def candidates(self, queries: np.ndarray, k: int, mask: np.ndarray) -> np.ndarray:
        raise NotImplementedError  # only approximate structures are asked for candidates


@dataclass(frozen=True)
class Coding:
    """A compression of vectors: the FAISS index for it, and where its trained parameters are.

    Args:
        make: (quantizer, dim, cells) -> untrained index.
        trained: Index -> its FAISS vector of trained float32 parameters.
        size: dim -> (bytes of a code, number of trained parameters).
    """

    make: Callable[[Any, int, int], Any]
    trained: Callable[[Any], Any]
    size: Callable[[int], tuple[int, int]]


def _pq_parts(dim: int) -> int:
    return dim // next(width for width in (4, 2, 1) if dim % width == 0)


CODINGS = {
    "ivf_sq8": Coding(
        lambda quantizer, dim, cells: faiss.IndexIVFScalarQuantizer(
            quantizer, dim, cells, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        ),
        lambda index: index.sq.trained,
        lambda dim: (dim, 2 * dim),
    ),
    "ivf_pq": Coding(
        lambda quantizer, dim, cells: faiss.IndexIVFPQ(
            quantizer, dim, cells, _pq_parts(dim), 8, faiss.METRIC_INNER_PRODUCT
        ),
        lambda index: index.pq.centroids,
        lambda dim: (_pq_parts(dim), 256 * dim),
    ),
}


class Inverted:
    """Cells of k-means with the compressed vectors of each.

    Its arrays: centroids [L, D], trained [n], sizes [L]; positions [N] and codes [N, bytes] in the order of the cells.
    """

    exact = False

    def __init__(self, stored: Stored) -> None:
        count, dim = stored.vectors.shape
        coding, arrays, probes = CODINGS[stored.kind], stored.arrays, stored.settings.get("cells_searched")
        code, trained = coding.size(dim)
        centroids, sizes, positions = (arrays.get(n) for n in ("centroids", "sizes", "positions"))
        if centroids is None or sizes is None or positions is None or centroids.ndim != 2 or not len(centroids):
            raise StorageError(f"the structure of kind {stored.kind!r} has no cells; build the index again.")
        cells = len(centroids)
        shapes = {"centroids": (cells, dim), "trained": (trained,), "sizes": (cells,), "positions": (count,)}
        shapes |= {"codes": (count, code)}
        dtypes = {"codes": np.uint8, "sizes": np.int64, "positions": np.int64}
        fits = arrays.keys() == shapes.keys() and all(
            arrays[name].shape == shape and arrays[name].dtype == dtypes.get(name, np.float32)
            for name, shape in shapes.items()
        )
        if (
            not fits
            or not (np.isfinite(centroids).all() and np.isfinite(arrays["trained"]).all())
            or not ((sizes >= 0).all() and (sizes <= count).all() and int(sizes.sum()) == count)
            or not (count and np.array_equal(np.sort(positions), np.arange(count)))
            or type(probes) is not int
            or not 1 <= probes <= cells
        ):
            raise StorageError(f"the structure of kind {stored.kind!r} is inconsistent; build the index again.")
        self.probes = probes
        self._quantizer = faiss.IndexFlatIP(dim)  # stored here because FAISS holds no reference to it
        self._quantizer.add(np.ascontiguousarray(centroids))
        self._index = coding.make(self._quantizer, dim, cells)
        _swig.copy_array_to_vector(np.ascontiguousarray(arrays["trained"]), coding.trained(self._index))
        self._index.is_trained = True
        ends = np.cumsum(sizes)
        for cell, (size, end) in enumerate(zip(sizes.tolist(), ends.tolist(), strict=True)):
            if size:
                members = np.array(positions[end - size : end])
                codes = np.array(arrays["codes"][end - size : end])
                lists = self._index.invlists
                lists.add_entries(cell, size, _swig.swig_ptr(members), _swig.swig_ptr(codes))
        self._index.ntotal = count

    @classmethod
    def build(cls, stored: Stored) -> None:
        """Trains on a fixed sample, encodes all vectors, and searches as many cells as RECALL needs."""
        count, dim = stored.vectors.shape
        if count < 256:
            raise ParameterError(f"{count} vectors are too few for kind {stored.kind!r} (256 at least); use 'flat'.")
        cells = max(1, min(round(2 * count**0.5), count // 32))
        coding = CODINGS[stored.kind]
        quantizer = faiss.IndexFlatIP(dim)
        index = coding.make(quantizer, dim, cells)
        index.cp.min_points_per_centroid = 1  # FAISS prints a warning otherwise
        index.cp.max_points_per_centroid = _PER_CELL
        index.cp.spherical = True
        if stored.kind == "ivf_pq":
            index.pq.cp.min_points_per_centroid = 1
        rng = generator("index", count, dim)
        rows = np.sort(rng.permutation(count)[: max(_PER_CELL * cells, 1 << 14)])
        index.train(np.ascontiguousarray(stored.vectors[rows]))
        for start in range(0, count, _BLOCK):
            index.add(np.ascontiguousarray(stored.vectors[start : start + _BLOCK]))
        stored.arrays = _arrays(index, coding, cells)
        queries = np.sort(rng.permutation(count)[: min(_QUERIES, count)])
        vectors = stored.vectors[queries]
        everything = np.ones(count, dtype=bool)
        nearest = _without_itself(exact(stored.vectors, vectors, 11, everything)[1], queries)
        probes = max(1, cells // 64)
        while True:
            stored.settings = {"cells": cells, "cells_searched": probes}
            proposed = cls(stored).candidates(vectors, 11, everything)
            ranked = [rerank(stored.vectors, q, c, 11)[0] for q, c in zip(vectors, proposed, strict=True)]
            recall = _recall(ranked, queries, nearest)
            if recall >= RECALL or probes == cells:
                break
            probes = min(cells, 2 * probes)
        stored.settings |= {"recall_at_10": round(recall, 4), "code_bytes": coding.size(dim)[0]}

    def candidates(self, queries: np.ndarray, k: int, mask: np.ndarray) -> np.ndarray:
        """Positions [M, n] that are to be ranked by the original vectors, -1 where there are no more."""
        options: dict[str, Any] = {"nprobe": self.probes}
        if not mask.all():
            bitmap = np.packbits(mask, bitorder="little")  # FAISS reads it while it searches
            options["sel"] = _swig.IDSelectorBitmap(bitmap)
        depth = min(max(10 * k, 100), len(mask))
        positions: np.ndarray = self._index.search(queries, depth, params=_swig.SearchParametersIVF(**options))[1]
        return positions


KINDS: Registry[Any] = Registry("kind of index")
KINDS.register("flat", Flat)
KINDS.register("ivf_sq8", Inverted)
KINDS.register("ivf_pq", Inverted)


def rerank(vectors: np.ndarray, query: np.ndarray, positions: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The best ``k`` of ``positions`` by float64 inner product, ties by position: positions, scores."""
    rows = np.sort(positions[positions >= 0])
    scores = (vectors[rows].astype(np.float64) * query).sum(axis=1)  # equal rows, equal scores
    best = np.argsort(-scores, kind="stable")[:k]
    return rows[best], scores[best]


def _arrays(index: Any, coding: Coding, cells: int) -> dict[str, np.ndarray]:
    """The arrays of a trained and filled FAISS index, copied."""
    lists, code = index.invlists, index.code_size
    sizes = np.array([lists.list_size(cell) for cell in range(cells)], dtype=np.int64)
    positions = [_swig.rev_swig_ptr(lists.get_ids(c), int(n)).copy() for c, n in enumerate(sizes) if n]
    codes = [_swig.rev_swig_ptr(lists.get_codes(c), int(n) * code).copy() for c, n in enumerate(sizes) if n]
    return {
        "centroids": index.quantizer.reconstruct_n(0, cells),
        "trained": _swig.vector_to_array(coding.trained(index)).astype(np.float32),
        "sizes": sizes,
        "positions": np.concatenate(positions),
        "codes": np.concatenate(codes).reshape(-1, code),
    }


def _without_itself(positions: np.ndarray, queries: np.ndarray) -> list[set[int]]:
    return [set(row[row != query][:10].tolist()) for row, query in zip(positions, queries, strict=True)]


def _recall(ranked: list[np.ndarray], queries: np.ndarray, nearest: list[set[int]]) -> float:
    shares = [
        len(truth & set(row[row != query][:10].tolist())) / max(1, len(truth))
        for row, query, truth in zip(ranked, queries, nearest, strict=True)
    ]
    return float(np.mean(shares))
