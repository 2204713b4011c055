"""All figures of one space, with confidence intervals over sources."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..artifacts import CLEAN
from ..core.errors import ParameterError, SplitError
from .bootstrap import Interval, bootstrap, bootstrap_mean, bootstrap_sums
from .bundle import severity_probes
from .calibration import calibration_features, calibration_of_sums
from .data import TASKS, Embedded, task_labels
from .knn import NeighbourTable, neighbours, vote
from .metrics import CONFUSION_METRICS, classes_of, confusion, correlation_of_sums, rank_features
from .spaces import (
    alignment,
    content_leakage,
    effective_rank,
    hit_leakage,
    hubness,
    retrieval,
    retrieval_chance,
    uniformity,
)
from .storage import PROBES

NEIGHBOURS = (1, 5, 20)


def evaluate(
    train: Embedded,
    test: Embedded,
    probes: Sequence[str] = ("linear",),
    n: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Fits probes on ``train`` and measures them on ``test``; figures of the space itself are measured within ``test``.

    Args:
        train, test: Vectors of one space; no source in common.
        probes: Kinds of trained probes besides kNN: "linear", "mlp".
        n: Bootstrap resamples of the test sources.
        seed: Of the bootstrap.

    Returns:
        Plain JSON. Figures with an interval are {"value", "low", "high"} (95 %), None where undefined::

            {"binary": {probe: {macro_f1, accuracy, clean_recall, ece?, confusion}}, "type": {...},   # linear, knn1 ...
             "severity": {artifact: ..., "mean": ...},
             "retrieval": {"p_at_10", "map_at_100", "chance"},
             "leakage": {"value", "low", "high", "chance"}, "hit_leakage": {"source_at_10", "category_at_10"},
             "space": {"effective_rank", "alignment", "uniformity", "hubness"}, "counts": {...}}

        ``confusion`` is {"classes", "counts"}: rows are the truth.

    Raises:
        SplitError: a source is in both.
        ParameterError: dimensions that differ, no rows, unfit values.
    """
    shared = np.intersect1d(train.source, test.source)
    if len(shared):
        raise SplitError(f"{len(shared)} sources are in train and test, such as {str(shared[0])!r}; split by source.")
    if not len(train) or not len(test):
        raise ParameterError(f"{len(train)} training and {len(test)} test rows; give some of each.")
    ids, scores = neighbours(train.x, train.source, test.x, test.source, max(NEIGHBOURS))
    figures: dict[str, Any] = {}
    for task in TASKS:
        truth, labels = task_labels(test.artifact, task), task_labels(train.artifact, task)
        methods: dict[str, Any] = {}
        balanced = balanced_rows(labels)
        for kind in probes:
            probe = PROBES[kind].fit(train.x[balanced], labels[balanced], train.source[balanced])
            probabilities = probe.predict_proba(test.x)
            predictions = np.array(probe.classes)[probabilities.argmax(axis=1)]
            terms = calibration_features(probabilities, predictions == truth)
            error = bootstrap_sums(calibration_of_sums, terms, test.source, n, seed)
            methods[kind] = _figures(truth, predictions, test.source, n, seed) | {"ece": _plain(error)}
        for k in NEIGHBOURS:
            methods[f"knn{k}"] = _figures(truth, vote(ids[:, :k], scores[:, :k], labels), test.source, n, seed)
        figures[task] = methods
    labels = task_labels(test.artifact, "type")
    table = NeighbourTable.of(test.x, test.source)
    retrieved = retrieval(table, labels)
    same_source, chance = content_leakage(table)
    space = {
        # Of the centred vectors, because an offset that all rows share is not a dimension in use.
        "effective_rank": effective_rank(test.x - test.x.mean(axis=0)),
        "alignment": alignment(test.x, labels, test.source),
        "uniformity": uniformity(test.x),
        "hubness": hubness(table),
    }
    return figures | {
        "severity": _severity(train, test, n, seed),
        "retrieval": {
            "p_at_10": _plain(bootstrap_mean(retrieved.precision_at_10, test.source, n, seed)),
            "map_at_100": _plain(bootstrap_mean(retrieved.average_precision_at_100, test.source, n, seed)),
            "chance": _number(retrieval_chance(labels, test.source)),
        },
        "leakage": _plain(bootstrap_mean(same_source, test.source, n, seed)) | {"chance": _number(chance)},
        "hit_leakage": _hit_leakage(table, test, n, seed),
        "space": {name: _number(value) for name, value in space.items()},
        "counts": {
            "train": len(train),
            "test": len(test),
            "train_sources": len(np.unique(train.source)),
            "test_sources": len(np.unique(test.source)),
            "dim": int(test.x.shape[1]),
        },
    }


def balanced_rows(labels: np.ndarray) -> np.ndarray:
    """Row numbers that repeat the rows of rarer classes until all are about equally common.

    Clean is one of many states; without repeats, a binary probe would be best if it never answered "clean".
    """
    _, code, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return np.repeat(np.arange(len(labels)), np.round(sizes.max() / sizes).astype(int)[code])


def _figures(truth: np.ndarray, predictions: np.ndarray, sources: np.ndarray, n: int, seed: int) -> dict[str, Any]:
    classes = classes_of(truth, predictions)
    figures: dict[str, Any] = {
        m.name: _plain(bootstrap(m, truth, predictions, sources, n, seed)) for m in CONFUSION_METRICS
    }
    return figures | {
        "confusion": {"classes": list(classes), "counts": confusion(truth, predictions, classes).tolist()}
    }


def _hit_leakage(table: NeighbourTable, test: Embedded, n: int, seed: int) -> dict[str, Any]:
    """Shares of the query's source in its ten nearest rows, and of its class of sound in the ten of other sources."""
    kinds = np.full(len(test), "") if test.category is None else test.category
    same_source, source_chance, same_kind, kind_chance = hit_leakage(table, kinds)
    return {
        "source_at_10": _plain(bootstrap_mean(same_source, test.source, n, seed)) | {"chance": _number(source_chance)},
        "category_at_10": _plain(bootstrap_mean(same_kind, test.source, n, seed)) | {"chance": _number(kind_chance)},
    }


def _severity(train: Embedded, test: Embedded, n: int, seed: int) -> dict[str, Any]:
    """Spearman's correlation per artifact of both sides, and their mean.

    Rows are ranked once over the whole test set; resamples weight these ranks.
    """
    probes = severity_probes(train)
    artifacts = [name for name in classes_of(test.artifact) if name in probes and name != CLEAN]
    features = np.zeros((len(test), len(artifacts), 6))
    for at, name in enumerate(artifacts):
        rows = np.flatnonzero((test.artifact == name) & np.isfinite(test.severity))
        features[rows, at] = rank_features(test.severity[rows], probes[name].predict(test.x[rows]))
    result = {
        name: _plain(bootstrap_sums(correlation_of_sums, features[:, at], test.source, n, seed))
        for at, name in enumerate(artifacts)
    }
    if not artifacts:
        return {"mean": _plain(Interval(math.nan, math.nan, math.nan))}

    def mean(sums: np.ndarray) -> np.ndarray:
        values = correlation_of_sums(sums.reshape(*sums.shape[:-1], len(artifacts), 6))
        defined = np.isfinite(values)
        return np.where(defined, values, 0.0).sum(axis=-1) / np.where(
            defined.any(axis=-1), defined.sum(axis=-1), np.nan
        )

    return result | {"mean": _plain(bootstrap_sums(mean, features.reshape(len(test), -1), test.source, n, seed))}


def _plain(interval: Interval) -> dict[str, float | None]:
    return {name: _number(value) for name, value in interval._asdict().items()}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
