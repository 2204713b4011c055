"""Every figure of one space, with intervals over sources."""

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
    """Probes fitted on ``train`` and measured on ``test``; the figures of the space itself are taken within ``test``.

    Args:
        train, test: Vectors of one space; no source in common.
        probes: Kinds of trained probe beside kNN: "linear", "mlp".
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
        SplitError: a source stands in both.
        ParameterError: dimensions that differ, no rows, unfit values.
    """
    shared = np.intersect1d(train.source, test.source)
    if len(shared):
        raise SplitError(f"{len(shared)} sources stand in train and test, such as {str(shared[0])!r}; split by source.")
    if not len(train) or not len(test):
        raise ParameterError(f"{len(train)} training and {len(test)} test rows; give some of each.")
    ids, scores = neighbours(train.x, train.source, test.x, test.source, max(NEIGHBOURS))
    figures: dict[str, Any] = {}
    for task in TASKS:
        truth, labels = task_labels(test.artifact, task), task_labels(train.artifact, task)
        rows: dict[str, Any] = {}
        fair = _balanced(labels)
        for kind in probes:
            probe = PROBES[kind].fit(train.x[fair], labels[fair], train.source[fair])
            probabilities = probe.predict_proba(test.x)
            guesses = np.array(probe.classes)[probabilities.argmax(axis=1)]
            terms = calibration_features(probabilities, guesses == truth)
            error = bootstrap_sums(calibration_of_sums, terms, test.source, n, seed)
            rows[kind] = _told(truth, guesses, test.source, n, seed) | {"ece": _plain(error)}
        for k in NEIGHBOURS:
            rows[f"knn{k}"] = _told(truth, vote(ids[:, :k], scores[:, :k], labels), test.source, n, seed)
        figures[task] = rows
    labels = task_labels(test.artifact, "type")
    table = NeighbourTable.of(test.x, test.source)
    hits = retrieval(table, labels)
    same, chance = content_leakage(table)
    space = {
        # Of the centred vectors: an offset that all share is no dimension in use.
        "effective_rank": effective_rank(test.x - test.x.mean(axis=0)),
        "alignment": alignment(test.x, labels, test.source),
        "uniformity": uniformity(test.x),
        "hubness": hubness(table),
    }
    return figures | {
        "severity": _severity(train, test, n, seed),
        "retrieval": {
            "p_at_10": _plain(bootstrap_mean(hits.precision_at_10, test.source, n, seed)),
            "map_at_100": _plain(bootstrap_mean(hits.average_precision_at_100, test.source, n, seed)),
            "chance": _number(retrieval_chance(labels, test.source)),
        },
        "leakage": _plain(bootstrap_mean(same, test.source, n, seed)) | {"chance": _number(chance)},
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


def _balanced(labels: np.ndarray) -> np.ndarray:
    """Row numbers that repeat the rows of rarer classes until all are about equally common.

    Clean is one state of seven; unrepeated, a binary probe would do best by never saying "clean".
    """
    _, code, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return np.repeat(np.arange(len(labels)), np.round(sizes.max() / sizes).astype(int)[code])


def _told(truth: np.ndarray, guesses: np.ndarray, sources: np.ndarray, n: int, seed: int) -> dict[str, Any]:
    classes = classes_of(truth, guesses)
    row: dict[str, Any] = {m.name: _plain(bootstrap(m, truth, guesses, sources, n, seed)) for m in CONFUSION_METRICS}
    return row | {"confusion": {"classes": list(classes), "counts": confusion(truth, guesses, classes).tolist()}}


def _hit_leakage(table: NeighbourTable, test: Embedded, n: int, seed: int) -> dict[str, Any]:
    """Of the ten nearest: the share of the query's own source, and of other sources the share of its kind of sound."""
    kinds = np.full(len(test), "") if test.category is None else test.category
    own, usual, alike, expected = hit_leakage(table, kinds)
    return {
        "source_at_10": _plain(bootstrap_mean(own, test.source, n, seed)) | {"chance": _number(usual)},
        "category_at_10": _plain(bootstrap_mean(alike, test.source, n, seed)) | {"chance": _number(expected)},
    }


def _severity(train: Embedded, test: Embedded, n: int, seed: int) -> dict[str, Any]:
    """Spearman per artifact that both sides have, and their mean.

    Ranks are those of the whole test set: resampling weighs them but does not rank anew.
    """
    probes = severity_probes(train)
    known = [name for name in classes_of(test.artifact) if name in probes and name != CLEAN]
    features = np.zeros((len(test), len(known), 6))
    for at, name in enumerate(known):
        rows = np.flatnonzero((test.artifact == name) & np.isfinite(test.severity))
        features[rows, at] = rank_features(test.severity[rows], probes[name].predict(test.x[rows]))
    result = {
        name: _plain(bootstrap_sums(correlation_of_sums, features[:, at], test.source, n, seed))
        for at, name in enumerate(known)
    }
    if not known:
        return {"mean": _plain(Interval(math.nan, math.nan, math.nan))}

    def mean(sums: np.ndarray) -> np.ndarray:
        each = correlation_of_sums(sums.reshape(*sums.shape[:-1], len(known), 6))
        defined = np.isfinite(each)
        return np.where(defined, each, 0.0).sum(axis=-1) / np.where(defined.any(axis=-1), defined.sum(axis=-1), np.nan)

    return result | {"mean": _plain(bootstrap_sums(mean, features.reshape(len(test), -1), test.source, n, seed))}


def _plain(interval: Interval) -> dict[str, float | None]:
    return {name: _number(value) for name, value in interval._asdict().items()}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
