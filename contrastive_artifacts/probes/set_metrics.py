"""Figures of classifiers of label sets: each fault against clean views, and all faults of a view at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .bootstrap import Interval, bootstrap_mean
from .label_sets import membership, names_of

BINS = 15
FALSE_POSITIVES = 0.05  # share of the clean views that may be above the threshold of a fault


@dataclass(frozen=True)
class FaultFigures:
    """How one fault is told from clean views.

    Args:
        views: Number of views that hold it.
        area: Area under the ROC curve.
        recall: Share of these views above the threshold that FALSE_POSITIVES of the clean ones exceed.
        threshold: That threshold.
        calibration_error: Mean gap between the chance of the fault and how often it is there, over BINS equal bins of
            the chance, in all views.
    """

    views: int
    area: float
    recall: float
    threshold: float
    calibration_error: float


def fault_figures(
    names: Sequence[str], scores: np.ndarray, there: np.ndarray, unknown: np.ndarray | None = None
) -> dict[str, FaultFigures]:
    """Fault -> figures, over the views that hold this fault alone, and the clean ones.

    Args:
        names: K faults.
        scores: [N, K], chances in [0, 1].
        there: bool [N, K].
        unknown: bool [N, K], rows that say nothing about a fault, as their sources may hold it; none if not given.
    """
    from sklearn.metrics import roc_auc_score

    clean, figures = ~there.any(1), {}
    single = there.sum(1) == 1
    for column, name in enumerate(names):
        known = np.ones(len(there), bool) if unknown is None else ~unknown[:, column]
        positive, negative = there[:, column] & single & known, clean & known
        if not positive.any() or not negative.any():
            continue
        values = np.concatenate([scores[positive, column], scores[negative, column]])
        area = roc_auc_score(np.repeat([1, 0], [positive.sum(), negative.sum()]), values)
        threshold = float(np.quantile(scores[negative, column], 1 - FALSE_POSITIVES))
        recall = float((scores[positive, column] > threshold).mean())
        error = calibration_error(scores[known, column], there[known, column])
        figures[name] = FaultFigures(int(positive.sum()), float(area), recall, threshold, error)
    return figures


def calibration_error(chances: np.ndarray, there: np.ndarray) -> float:
    """Expected calibration error of the chances [N] of one event (Guo et al. 2017), which is there or not [N]."""
    bins = np.minimum((np.clip(chances, 0, 1) * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, chances - there, BINS)
    return float(np.abs(gaps).sum() / len(chances))


@dataclass(frozen=True)
class PairFigures:
    """Views with several faults.

    Args:
        views: Their number.
        both: Share of them all of whose faults were found, with an interval over sources.
        others: Mean number of further faults that were raised.
    """

    views: int
    both: Interval
    others: float


def pair_figures(present: np.ndarray, there: np.ndarray, sources: np.ndarray, seed: int = 0) -> PairFigures:
    """Figures of the views with two or more faults.

    Args:
        present, there: bool [N, K], which faults were found and which are there.
        sources: [N], for the interval.
        seed: Of the resamples.
    """
    rows = there.sum(1) >= 2
    complete = (present | ~there).all(1)[rows]
    others = (present & ~there).sum(1)[rows]
    both = bootstrap_mean(complete.astype(float), sources[rows], seed=seed)
    return PairFigures(int(rows.sum()), both, float(others.mean()) if rows.any() else float("nan"))


def macro_f1_of_sets(labels: Sequence[str], predictions: Sequence[str]) -> float:
    """Mean F1 over the names that occur in N labels or predictions, each name a binary decision on every row.

    "clean" is a name, too, so that for labels of one name each this is the macro-F1 of a classifier.

    Args:
        labels, predictions: Texts of :mod:`.label_sets`, N > 0.
    """
    names = sorted({name for label in (*labels, *predictions) for name in names_of(label)})
    there, predicted = membership(labels, names), membership(predictions, names)
    return float((2 * (there & predicted).sum(0) / (there.sum(0) + predicted.sum(0))).mean())
