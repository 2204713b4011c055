"""The map of an index, saved beside it.

Up to 10,000 rows are projected by UMAP. Of more rows, a fixed random sample of that size is projected, and every other
row is placed between the sampled rows (landmarks) that are most similar to it (landmark extension, as in de Silva &
Tenenbaum 2004 for MDS; the weights are those of Shepard 1968).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from ...core.errors import StorageError
from ...core.files import atomic_path
from ...core.seeding import generator
from ...probes.geometry import umap_2d
from ...search.index import Index
from ...search.index.tensors import map_tensors, write_tensors
from ..shared.fitting import fitted, scaled

LANDMARKS = 10_000
NEAREST = 8  # landmarks between which a row is placed
_VERSION = 2  # of the method; a saved map of another version is replaced
_FEWEST = 5  # distinct rows that UMAP needs
_BLOCK = 1 << 13  # rows that are placed at a time
_SAMPLED = 4096  # vectors that identify the rows of a saved map
_SILENT = 0.999  # least cosine of a row with the vector of digital silence
_CLOSE = 1e-4  # added to distances, so that the weight of an identical landmark stays finite
_swig: Any = faiss  # its functions take arrays, which its type stubs do not declare

# Takes steps, what they do in words, and their number, 0 where that says nothing; gives the steps.
Progress = Callable[[Iterable[Any], str, int], Iterable[Any]]


@dataclass(frozen=True)
class Layout:
    """Positions on the map.

    Args:
        points: float32 [N, 2], finite, within [-1, 1]; one scale for both axes.
        method: How they were computed, as a text for users.
        silent: bool [N], rows of digital silence; empty where that is not known.
    """

    points: np.ndarray
    method: str
    silent: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))

    def of_rows_among(self, total: int) -> Layout:
        """The same, said to be of rows that were drawn from ``total``, if these are more."""
        count = len(self.points)
        return self if count == total else replace(self, method=f"{count:,} of {total:,} rows at random; {self.method}")


def silent(steps: Iterable[Any], what: str, total: int) -> Iterable[Any]:
    """Shows no progress."""
    return steps


def layout_of(index: Index, seed: int = 0, progress: Progress = silent, silence: np.ndarray | None = None) -> Layout:
    """The map of an index: the one saved in its folder if that is of the same rows, else a new one, which is saved.

    That the folder cannot be written is no error.

    Args:
        seed: Of the projection.
        progress: Shows the steps.
        silence: Embedding of digital silence [D]; None: no row counts as silent.
    """
    vectors, path = index.vectors(), index.directory / "map.safetensors"
    key, method = key_of(index, seed), _method(len(index))
    saved = _saved(path, key, len(index))
    if saved is None:
        points = make_map(vectors, seed, progress)
        quiet = np.zeros(len(index), bool) if silence is None else _like(vectors, silence)
        try:
            with atomic_path(path) as temporary:
                write_tensors(temporary, {"points": points, "silent": quiet.astype(np.uint8), "key": key})
        except StorageError as error:
            logging.getLogger(__name__).info("The map is not saved: %s", error)
    else:
        points, quiet = saved
    if quiet.any():
        method += f"; {np.count_nonzero(quiet):,} of silence lie apart, below"
    return Layout(fitted(points, quiet), method, quiet)


def _like(vectors: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Which unit rows [N, D] are the same as a unit vector [D], bool [N]."""
    blocks = [vectors[at : at + _BLOCK] @ vector >= _SILENT for at in range(0, len(vectors), _BLOCK)]
    return np.concatenate(blocks) if blocks else np.zeros(0, bool)


def make_map(vectors: np.ndarray, seed: int = 0, progress: Progress = silent) -> np.ndarray:
    """Positions of unit vectors [N, D] on a map: float32 [N, 2] within [-1, 1], the same for one seed and machine."""
    if len(vectors) <= LANDMARKS:
        return scaled(_projected(np.array(vectors), seed, progress))
    chosen = np.sort(generator(seed, "landmarks").choice(len(vectors), LANDMARKS, replace=False))
    landmarks = np.array(vectors[chosen])
    landmark_points = scaled(_projected(landmarks, seed, progress))
    points = np.empty((len(vectors), 2), np.float32)
    starts = range(0, len(vectors), _BLOCK)
    for start in progress(starts, f"placing the other {len(vectors) - LANDMARKS:,} rows on the map", len(starts)):
        block = np.ascontiguousarray(vectors[start : start + _BLOCK])
        scores, near = _swig.knn(block, landmarks, NEAREST, metric=faiss.METRIC_INNER_PRODUCT)
        points[start : start + _BLOCK] = among(scores, landmark_points[near])
    points[chosen] = landmark_points
    return points


def among(scores: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Positions [M, 2] of M rows between K landmarks each: their mean, weighted by 1 / (1 - cosine).

    Args:
        scores: Cosine of each row with each of its landmarks, [M, K].
        places: Positions of the landmarks, [M, K, 2].
    """
    weights = 1.0 / (np.maximum(1.0 - scores, 0.0) + _CLOSE)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.einsum("mk,mkc->mc", weights, places).astype(np.float32)


def _projected(vectors: np.ndarray, seed: int, progress: Progress) -> np.ndarray:
    """UMAP, or two principal components if there are too few distinct rows for it."""
    if len(np.unique(vectors, axis=0)) >= _FEWEST:
        what = f"map of {len(vectors):,} rows by UMAP; its first use on a computer compiles for some seconds"
        (points,) = (umap_2d(vectors, seed) for _ in progress([None], what, 0))
        return points
    points = np.zeros((len(vectors), 2), np.float32)
    if len(vectors) > 1:
        centred = vectors - vectors.mean(axis=0)
        axes = np.linalg.svd(centred.astype(np.float64), full_matrices=False)[2][:2]
        points[:, : len(axes)] = centred @ axes.T
    return points


def _method(count: int) -> str:
    if count < _FEWEST:
        return f"principal components of all {count} rows"
    if count <= LANDMARKS:
        return f"UMAP of all {count:,} rows, cosine distance"
    return (
        f"UMAP of {LANDMARKS:,} rows taken at random, cosine distance; "
        f"each of the other {count - LANDMARKS:,} lies between its {NEAREST} most similar ones"
    )


def key_of(index: Index, seed: int) -> np.ndarray:
    """Hash of the rows of an index and what else a map depends on, uint8 [16]."""
    digest = hashlib.blake2b(repr((_VERSION, index.fingerprint, seed, len(index))).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(index.ids).data)
    step = max(1, len(index) // _SAMPLED)
    digest.update(np.ascontiguousarray(index.vectors()[::step]).data)
    return np.frombuffer(digest.digest(), np.uint8)


def _saved(path: Path, key: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray] | None:
    try:
        kinds = {"points": ("F32", (count, 2)), "silent": ("U8", (count,)), "key": ("U8", (len(key),))}
        tensors = map_tensors(path, kinds)
    except StorageError:
        return None  # missing, damaged, or of another number of rows
    points = np.array(tensors["points"])
    fits = np.array_equal(tensors["key"], key) and bool(np.isfinite(points).all()) and not (np.abs(points) > 1.01).any()
    return (points, np.array(tensors["silent"]).astype(bool)) if fits else None
