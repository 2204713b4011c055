"""How an index is searched: exactly, or through inverted lists of compressed vectors. FAISS does the computing.

``flat``: every vector is compared; exact. ``ivf_sq8``: k-means cells, a byte a dimension. ``ivf_pq``: k-means cells,
product quantisation (Jegou, Douze & Schmid 2011), a byte for four dimensions. Whatever the inverted lists propose is
ranked again by the vectors themselves, which stay on disk, mapped.
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

FLAT_TO, SQ8_TO = 1_000_000, 20_000_000  # vectors up to which a kind is chosen
RECALL = 0.95  # of the ten nearest, that the number of cells looked into is chosen for
_QUERIES = 200  # that recall is measured with
_PER_CELL = 48  # vectors that k-means sees for each cell
_BLOCK = 1 << 16  # rows gathered at a time
_FEW = 1024  # rows left out by a filter that are cheaper fetched and dropped

_swig: Any = faiss  # its Python wrappers take arrays and keywords that its type stubs do not know


def choose(count: int) -> str:
    """The kind that an index of ``count`` vectors gets when none is asked for."""
    return "flat" if count <= FLAT_TO else "ivf_sq8" if count <= SQ8_TO else "ivf_pq"


def exact(vectors: np.ndarray, queries: np.ndarray, k: int, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inner products and positions [M, min(k, allowed)], best first, among the rows at which ``mask`` is true.

    ``vectors`` may be mapped; no more than a block of it is copied.
    """
    allowed = int(mask.sum())
    k = min(k, allowed)
    if k == 0:
        return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
    if len(mask) - allowed <= _FEW:
        scores, found = _swig.knn(queries, vectors, k + len(mask) - allowed, metric=faiss.METRIC_INNER_PRODUCT)
        rank = np.argsort(~mask[found], axis=1, kind="stable")[:, :k]  # what is let through first, in its order
        return np.take_along_axis(scores, rank, 1), np.take_along_axis(found, rank, 1)
    rows = np.flatnonzero(mask)
    best = np.zeros((len(queries), 0), np.float32)
    found = np.zeros((len(queries), 0), np.int64)
    for start in range(0, allowed, _BLOCK):
        part = rows[start : start + _BLOCK]
        gathered = np.ascontiguousarray(vectors[part])
        scores, near = _swig.knn(queries, gathered, min(k, len(part)), metric=faiss.METRIC_INNER_PRODUCT)
        best, found = np.concatenate([best, scores], axis=1), np.concatenate([found, part[near]], axis=1)
        rank = np.argsort(-best, axis=1, kind="stable")[:, :k]
        best, found = np.take_along_axis(best, rank, 1), np.take_along_axis(found, rank, 1)
    return best, found


class Flat:
    """Every vector is compared."""

    exact = True

    def __init__(self, stored: Stored) -> None:
        if stored.arrays:
            raise StorageError("a flat index has no structure beside its vectors; build the index again.")

    @classmethod
    def build(cls, stored: Stored) -> None:
        stored.settings = {"recall_at_10": 1.0}

    def candidates(self, queries: np.ndarray, k: int, mask: np.ndarray) -> np.ndarray:
        raise NotImplementedError  # asked of approximate structures alone


@dataclass(frozen=True)
class Coding:
    """A way to compress vectors: the FAISS index for it, and where the trained numbers lie in that.

    Args:
        make: (quantizer, dim, cells) -> untrained index.
        trained: Index -> its FAISS vector of trained float32.
        size: dim -> (bytes of a code, trained numbers).
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
    """Cells of k-means, compressed vectors in each. Its arrays: centroids [L, D], trained [n], sizes [L], and in the
    order of the cells positions [N] and codes [N, bytes]."""

    exact = False

    def __init__(self, stored: Stored) -> None:
        count, dim = stored.vectors.shape
        coding, arrays, probes = CODINGS[stored.kind], stored.arrays, stored.settings.get("cells_searched")
        code, trained = coding.size(dim)
        centroids, sizes, positions = (arrays.get(n) for n in ("centroids", "sizes", "positions"))
        if centroids is None or sizes is None or positions is None or centroids.ndim != 2 or not len(centroids):
            raise StorageError(f"the structure of kind {stored.kind!r} lacks its cells; build the index again.")
        cells = len(centroids)
        shapes = {"centroids": (cells, dim), "trained": (trained,), "sizes": (cells,), "positions": (count,)}
        shapes |= {"codes": (count, code)}
        dtypes = {"codes": np.uint8, "sizes": np.int64, "positions": np.int64}
        sound = arrays.keys() == shapes.keys() and all(
            arrays[name].shape == shape and arrays[name].dtype == dtypes.get(name, np.float32)
            for name, shape in shapes.items()
        )
        if (
            not sound
            or not (np.isfinite(centroids).all() and np.isfinite(arrays["trained"]).all())
            or not ((sizes >= 0).all() and (sizes <= count).all() and int(sizes.sum()) == count)
            or not (count and np.array_equal(np.sort(positions), np.arange(count)))
            or type(probes) is not int
            or not 1 <= probes <= cells
        ):
            raise StorageError(f"the structure of kind {stored.kind!r} is inconsistent; build the index again.")
        self.probes = probes
        self._quantizer = faiss.IndexFlatIP(dim)  # FAISS keeps no reference to it
        self._quantizer.add(np.ascontiguousarray(centroids))
        self._index = coding.make(self._quantizer, dim, cells)
        _swig.copy_array_to_vector(np.ascontiguousarray(arrays["trained"]), coding.trained(self._index))
        self._index.is_trained = True
        ends = np.cumsum(sizes)
        for cell, (size, end) in enumerate(zip(sizes.tolist(), ends.tolist(), strict=True)):
            if size:
                own = np.array(positions[end - size : end])
                codes = np.array(arrays["codes"][end - size : end])
                lists = self._index.invlists
                lists.add_entries(cell, size, _swig.swig_ptr(own), _swig.swig_ptr(codes))
        self._index.ntotal = count

    @classmethod
    def build(cls, stored: Stored) -> None:
        """Trains on a fixed sample, encodes all, and looks into as many cells as the wanted recall takes."""
        count, dim = stored.vectors.shape
        if count < 256:
            raise ParameterError(f"{count} vectors are too few for kind {stored.kind!r} (256 at least); use 'flat'.")
        cells = max(1, min(round(2 * count**0.5), count // 32))
        coding = CODINGS[stored.kind]
        quantizer = faiss.IndexFlatIP(dim)
        index = coding.make(quantizer, dim, cells)
        index.cp.min_points_per_centroid = 1  # it warns otherwise
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
        own = stored.vectors[queries]
        everything = np.ones(count, dtype=bool)
        nearest = _without_itself(exact(stored.vectors, own, 11, everything)[1], queries)
        probes = max(1, cells // 64)
        while True:
            stored.settings = {"cells": cells, "cells_searched": probes}
            found = cls(stored)
            ranked = [rerank(stored.vectors, q, c, 11)[0] for q, c in zip(own, found.candidates(own, 11, everything),
                                                                          strict=True)]  # fmt: skip
            recall = _recall(ranked, queries, nearest)
            if recall >= RECALL or probes == cells:
                break
            probes = min(cells, 2 * probes)
        stored.settings |= {"recall_at_10": round(recall, 4), "code_bytes": coding.size(dim)[0]}

    def candidates(self, queries: np.ndarray, k: int, mask: np.ndarray) -> np.ndarray:
        """Positions [M, n] to be ranked by the vectors themselves, -1 where there are no more."""
        options: dict[str, Any] = {"nprobe": self.probes}
        if not mask.all():
            bitmap = np.packbits(mask, bitorder="little")  # FAISS reads it while it searches
            options["sel"] = _swig.IDSelectorBitmap(bitmap)
        wanted = min(max(10 * k, 100), len(mask))
        found: np.ndarray = self._index.search(queries, wanted, params=_swig.SearchParametersIVF(**options))[1]
        return found


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
    """What a trained and filled FAISS index consists of, copied out of it."""
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


def _without_itself(found: np.ndarray, queries: np.ndarray) -> list[set[int]]:
    return [set(row[row != own][:10].tolist()) for row, own in zip(found, queries, strict=True)]


def _recall(ranked: list[np.ndarray], queries: np.ndarray, nearest: list[set[int]]) -> float:
    shares = [
        len(truth & set(row[row != own][:10].tolist())) / max(1, len(truth))
        for row, own, truth in zip(ranked, queries, nearest, strict=True)
    ]
    return float(np.mean(shares))
