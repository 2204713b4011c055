"""The geometry of a space: whether its clusters follow artifact or source, its hubs, and a map of it in 2-D."""

from __future__ import annotations

import warnings
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np

from ..core.errors import ParameterError
from ..core.vectors import unit_rows
from .data import check_matrix, names
from .knn import NeighbourTable, neighbours
from .spaces import content_leakage, hubness, sample_rows

NEIGHBOURS = 15
_EXACT = 4096  # rows below which UMAP compares all pairs, by a function that it compiles for seven seconds


def separation(x: Any, artifact: Any, source: Any) -> dict[str, float]:
    """Whether the vectors cluster by artifact, as they should, or by source.

    Args:
        x: [N, D] in the original space.
        artifact: [N] names.
        source: [N] split keys.

    Returns:
        Cosine silhouettes in [-1, 1] ("silhouette_artifact", "silhouette_source"), their difference ("margin"),
        "leakage" (share of rows whose nearest neighbour is of the same source), "leakage_chance" and "hubness"
        (skewness of the 10-occurrence). NaN where undefined. Beyond 5000 rows all are measured on a fixed sample.

    Raises:
        ParameterError: unfit shapes or values.
    """
    x = check_matrix(x)
    artifact, source = names(artifact, len(x), "artifact"), names(source, len(x), "source")
    rows = sample_rows(len(x))
    x, artifact, source = x[rows], artifact[rows], source[rows]
    by_artifact, by_source = silhouette(x, artifact), silhouette(x, source)
    table = NeighbourTable.of(x, source, other_sources=0)
    same_source, chance = content_leakage(table)
    return {
        "silhouette_artifact": by_artifact,
        "silhouette_source": by_source,
        "margin": by_artifact - by_source,
        "leakage": float(same_source.mean()) if len(same_source) else float("nan"),
        "leakage_chance": chance,
        "hubness": hubness(table),
    }


def silhouette(x: Any, labels: Any) -> float:
    """Mean cosine silhouette in [-1, 1] (Rousseeuw 1987) of x [N, D] under labels [N]; a fixed sample beyond 5000 rows.

    NaN for a single label, or as many labels as rows.
    """
    from sklearn.metrics import silhouette_score

    x = check_matrix(x)
    labels = names(labels, len(x), "labels")
    rows = sample_rows(len(x))
    unit, labels = unit_rows(x[rows]), labels[rows]
    count = len(np.unique(labels))
    return float(silhouette_score(unit, labels, metric="cosine")) if 1 < count < len(unit) else float("nan")


def umap_2d(x: Any, seed: int = 0, n_neighbors: int = NEIGHBOURS, min_dist: float = 0.1) -> np.ndarray:
    """A map of x [N, D] by UMAP on cosine distance, float32 [N, 2]; the same for the same seed on the same machine.

    McInnes, Healy & Melville 2018. The first call on a computer compiles for some seconds; then a terminal shows a
    progress bar over the epochs.

    Raises:
        ParameterError: fewer than five rows, or unfit values.
    """
    x = check_matrix(x)
    if len(x) < 5:
        raise ParameterError(f"{len(x)} rows are too few for a map; give at least five.")
    if n_neighbors < 2 or not 0.0 <= min_dist <= 1.0:
        raise ParameterError(f"n_neighbors is {n_neighbors}, min_dist {min_dist}; give at least 2, and 0 to 1.")
    unit, count = unit_rows(x), min(n_neighbors, len(x) - 1)
    mapper = _umap()(
        n_neighbors=count,
        min_dist=min_dist,
        metric="cosine",
        random_state=seed,
        n_jobs=1,  # results depend on the seed alone with one job only
        init="spectral" if len(x) > 20 else "random",  # the eigensolver needs more rows than that
        tqdm_kwds={"disable": None, "desc": "map", "leave": False},  # None: disabled if stderr is not a terminal
        precomputed_knn=_nearest(unit, count) if len(x) < _EXACT else (None, None),
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "precomputed_knn", UserWarning)  # says that new rows cannot be added
        return np.asarray(mapper.fit_transform(unit), dtype=np.float32)


def _nearest(unit: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers [N, count] of each row itself and of the rows nearest to it, and their cosine distances."""
    rows = np.arange(len(unit))
    others, cosines = neighbours(unit, rows, unit, rows, count - 1)
    distances = np.maximum(1.0 - cosines, 0.0)
    return np.column_stack([rows, others]), np.column_stack([np.zeros(len(rows), np.float32), distances])


def trustworthiness(x: Any, points: Any, n_neighbors: int = NEIGHBOURS) -> float:
    """How far neighbours on the map are neighbours in the space by cosine, in [0, 1] (Venna & Kaski 2001).

    Args:
        x: [N, D].
        points: [N, 2], the map.

    Beyond 5000 rows a fixed sample is used; NaN for fewer than four rows.
    """
    from sklearn import manifold

    x, points = check_matrix(x), check_matrix(points)
    if len(x) != len(points):
        raise ParameterError(f"{len(x)} vectors but {len(points)} points; give the map of these vectors.")
    rows = sample_rows(len(x))
    nearest = min(n_neighbors, (len(rows) - 1) // 2)
    if nearest < 1:
        return float("nan")
    return float(manifold.trustworthiness(unit_rows(x[rows]), points[rows], n_neighbors=nearest, metric="cosine"))


@cache
def _umap() -> Any:
    """The class, imported on first use because the import starts numba.

    Its slowest functions are compiled once on a computer and not in each process (numba writes them beside UMAP, or
    into the user's cache; where neither can be written, each process compiles them).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # says that its TensorFlow variant is missing
        from umap import UMAP, layouts, umap_
    epoch = layouts._nb_optimize_layout_euclidean_single_epoch
    with suppress(RuntimeError):
        for function in (umap_.smooth_knn_dist, umap_.compute_membership_strengths, epoch):
            function.enable_caching()
    return UMAP
