"""Inverted lists of compressed vectors, by FAISS: trained once, filled by any number of workers, searched on the disk.

``ivf_sq8``: k-means cells, one byte per dimension. ``ivf_pq``: k-means cells, product quantisation (Jegou, Douze &
Schmid 2011), one byte per four dimensions. What the lists propose is ranked again by the original vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np

from ...core.errors import ParameterError, StorageError
from ...core.registry import Registry
from ...core.seeding import generator
from .lists import Cell, Lists
from .rows import Rows

FLAT_TO, SQ8_TO = 1_000_000, 20_000_000  # largest numbers of vectors for which these kinds are the default
FLAT = "flat"  # the kind without lists: every vector is compared
_PER_CELL = 48  # vectors per cell that k-means is trained on
_BLOCK = 1 << 16  # rows that are encoded at a time

_swig: Any = faiss  # its Python wrappers take arrays and keywords that its type stubs do not know


def choose(count: int) -> str:
    """The default kind of an index of ``count`` vectors."""
    return FLAT if count <= FLAT_TO else "ivf_sq8" if count <= SQ8_TO else "ivf_pq"


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


CODINGS: Registry[Coding] = Registry("kind of index")
CODINGS.register(
    "ivf_sq8",
    Coding(
        lambda quantizer, dim, cells: faiss.IndexIVFScalarQuantizer(
            quantizer, dim, cells, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        ),
        lambda index: index.sq.trained,
        lambda dim: (dim, 2 * dim),
    ),
)
CODINGS.register(
    "ivf_pq",
    Coding(
        lambda quantizer, dim, cells: faiss.IndexIVFPQ(
            quantizer, dim, cells, _pq_parts(dim), 8, faiss.METRIC_INNER_PRODUCT
        ),
        lambda index: index.pq.centroids,
        lambda dim: (_pq_parts(dim), 256 * dim),
    ),
)


def train(kind: str, rows: Rows, count: int) -> dict[str, np.ndarray]:
    """The arrays of a :class:`Structure` for ``count`` vectors, trained on a fixed sample of ``rows``.

    Raises:
        ParameterError: fewer than 256 rows.
    """
    coding, (sample, dim) = CODINGS[kind], rows.shape
    if sample < 256:
        raise ParameterError(f"{sample} vectors are too few for kind {kind!r} (256 at least); use 'flat'.")
    cells = max(1, min(round(2 * count**0.5), sample // 32))
    quantizer = faiss.IndexFlatIP(dim)
    index = coding.make(quantizer, dim, cells)
    index.cp.min_points_per_centroid = 1  # FAISS prints a warning otherwise
    index.cp.max_points_per_centroid = _PER_CELL
    index.cp.spherical = True
    if kind == "ivf_pq":
        index.pq.cp.min_points_per_centroid = 1
    chosen = np.sort(generator("index", sample, dim).permutation(sample)[: max(_PER_CELL * cells, 1 << 14)])
    index.train(rows[chosen])
    trained = _swig.vector_to_array(coding.trained(index)).astype(np.float32)
    return {"centroids": quantizer.reconstruct_n(0, cells), "trained": trained}


class Structure:
    """Trained cells and codes; the lists themselves are with the segments of an index.

    Args:
        kind: Name of the coding.
        dim: D.
        arrays: centroids [L, D] and trained [n], float32.

    Attributes:
        cells: L.
        code_bytes: Of one vector.

    Raises:
        StorageError: arrays of another shape, or values that are not finite.
    """

    def __init__(self, kind: str, dim: int, arrays: dict[str, np.ndarray]) -> None:
        self.coding, self.arrays, self.dim = CODINGS[kind], arrays, dim
        self.code_bytes, count = self.coding.size(dim)
        centroids, trained = arrays.get("centroids"), arrays.get("trained")
        fits = centroids is not None and centroids.ndim == 2 and len(centroids) and centroids.shape[1] == dim
        if not fits or centroids is None or trained is None or trained.shape != (count,):
            raise StorageError(f"the structure of kind {kind!r} is inconsistent; build the index again.")
        if not (np.isfinite(centroids).all() and np.isfinite(trained).all()):
            raise StorageError(f"the structure of kind {kind!r} holds NaN or infinity; build the index again.")
        self.cells = len(centroids)
        self._quantizer = faiss.IndexFlatIP(dim)  # stored here because FAISS holds no reference to it
        self._quantizer.add(np.ascontiguousarray(centroids))

    def same_as(self, other: Structure | None) -> bool:
        """Whether codes of the other mean the same vectors."""
        return other is not None and all(np.array_equal(self.arrays[name], other.arrays[name]) for name in self.arrays)

    def encode(self, rows: Rows) -> Iterator[Cell]:
        """The codes and positions of each cell; memory holds the codes of all rows."""
        index = self._index()
        for start in range(0, len(rows), _BLOCK):
            index.add(rows[start : start + _BLOCK])
        lists = index.invlists
        for cell in range(self.cells):
            size = lists.list_size(cell)
            codes = _copied(lists.get_codes(cell), size * self.code_bytes, np.uint8)
            yield codes.reshape(size, self.code_bytes), _copied(lists.get_ids(cell), size, np.int64)

    def searcher(self, lists: Lists) -> Any:
        """A FAISS index over lists on the disk, which it maps."""
        mapped = faiss.OnDiskInvertedLists(self.cells, self.code_bytes, str(lists.path))
        mapped.read_only, mapped.totsize, mapped.prefetch_nthread = True, lists.nbytes, 0
        sizes = lists.sizes.astype(np.uint64)  # alive while FAISS reads them
        mapped.set_all_lists_sizes(_swig.swig_ptr(sizes))
        if len(lists):
            mapped.do_mmap()
        index = self._index()
        index.replace_invlists(mapped, False)
        index.ntotal = len(lists)
        _swig.add_to_referenced_objects(index, mapped)  # FAISS holds no reference to them either
        return index

    def _index(self) -> Any:
        index = self.coding.make(self._quantizer, self.dim, self.cells)
        trained = np.ascontiguousarray(self.arrays["trained"])
        _swig.copy_array_to_vector(trained, self.coding.trained(index))
        index.is_trained = True
        return index


def propose(index: Any, queries: np.ndarray, k: int, probes: int, mask: np.ndarray) -> np.ndarray:
    """Positions [M, n] that are to be ranked by the original vectors, -1 where there are no more."""
    options: dict[str, Any] = {"nprobe": probes}
    if not mask.all():
        bitmap = np.packbits(mask, bitorder="little")  # FAISS reads it while it searches
        options["sel"] = _swig.IDSelectorBitmap(bitmap)
    depth = min(max(10 * k, 100), len(mask))
    positions: np.ndarray = index.search(queries, depth, params=_swig.SearchParametersIVF(**options))[1]
    return np.where((positions >= 0) & (positions < len(mask)), positions, -1)  # lists that are too large to be checked


def _copied(pointer: Any, count: int, kind: Any) -> np.ndarray:
    return _swig.rev_swig_ptr(pointer, count).copy() if count else np.zeros(0, kind)
