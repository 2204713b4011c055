"""Confidence intervals by resampling sources, because the views of one source are not independent of one another.

Every figure here is a function of sums over views, so a resample weights the sums of each source, and a thousand
resamples are one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..core.errors import ParameterError
from ..core.seeding import generator
from .data import names
from .metrics import ConfusionMetric, classes_of, confusion_cells, of_cells

LEVEL = 0.95


class Interval(NamedTuple):
    """A figure over all views and its percentile interval; NaN where undefined."""

    value: float
    low: float
    high: float


def bootstrap(
    metric: ConfusionMetric | Callable[[np.ndarray, np.ndarray], float],
    labels: Any,
    predictions: Any,
    groups: Any,
    n: int = 1000,
    seed: int = 0,
) -> Interval:
    """95 % interval of ``metric(labels, predictions)`` over resampled groups.

    Args:
        metric: A ConfusionMetric (fast), or any function of labels and predictions (called ``n`` times).
        labels, predictions: [N].
        groups: [N] units of resampling, the sources.
        n: Number of resamples.
        seed: Of the resampling.

    Raises:
        ParameterError: lengths that differ, no rows.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.shape[:1] != predictions.shape[:1]:
        raise ParameterError(f"{len(labels)} labels but {len(predictions)} predictions.")
    if isinstance(metric, ConfusionMetric):
        classes = classes_of(labels, predictions)
        cells = confusion_cells(labels, predictions, classes)
        return bootstrap_sums(lambda sums: of_cells(metric, sums, classes), cells, groups, n, seed)
    keys, code, weights = _resamples(groups, len(labels), n, seed)
    members = [np.flatnonzero(code == key) for key in range(len(keys))]
    values = np.empty(n)
    for at, row in enumerate(weights.astype(int)):
        rows = np.concatenate([np.tile(members[key], times) for key, times in enumerate(row) if times])
        values[at] = metric(labels[rows], predictions[rows])
    return _interval(float(metric(labels, predictions)), values, len(keys))


def bootstrap_gain(
    metric: ConfusionMetric, labels: Any, before: Any, after: Any, groups: Any, n: int = 1000, seed: int = 0
) -> Interval:
    """95 % interval of ``metric(labels, after) - metric(labels, before)``, both over the same resampled groups.

    Args:
        labels, before, after: [N] truth and two predictions of the same rows.
        groups: [N] units of resampling, the sources.

    Raises:
        ParameterError: lengths that differ, no rows.
    """
    classes = classes_of(labels, np.concatenate([before, after]))
    cells = [confusion_cells(labels, predictions, classes) for predictions in (before, after)]

    def gain(sums: np.ndarray) -> np.ndarray:
        first, second = np.split(sums, 2, axis=-1)
        return of_cells(metric, second, classes) - of_cells(metric, first, classes)

    return bootstrap_sums(gain, np.concatenate(cells, axis=1), groups, n, seed)


def bootstrap_sums(
    statistic: Callable[[np.ndarray], np.ndarray], features: np.ndarray, groups: Any, n: int = 1000, seed: int = 0
) -> Interval:
    """95 % interval of ``statistic(features.sum(axis=0))``.

    Args:
        statistic: [..., F] sums -> [...] values, vectorised; NaN where undefined.
        features: [N, F].
        groups: [N].
    """
    keys, code, weights = _resamples(groups, len(features), n, seed)
    sums = np.zeros((len(keys), features.shape[1]))
    np.add.at(sums, code, features)
    with np.errstate(invalid="ignore", divide="ignore"):  # a resample without a class gives NaN
        values = statistic(weights @ sums)
        value = float(statistic(sums.sum(axis=0)))
    return _interval(value, values, len(keys))


def bootstrap_mean(values: Any, groups: Any, n: int = 1000, seed: int = 0) -> Interval:
    """95 % interval of the mean of ``values`` [N]; NaN values are left out."""
    values = np.asarray(values, dtype=np.float64)
    counted = np.isfinite(values)
    features = np.stack([np.where(counted, values, 0.0), counted], axis=1)
    return bootstrap_sums(lambda s: s[..., 0] / np.where(s[..., 1] > 0, s[..., 1], np.nan), features, groups, n, seed)


def _resamples(groups: Any, count: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Names of the G groups, group numbers [N], and how often each resample draws each group, float64 [n, G]."""
    if count == 0 or n < 1:
        raise ParameterError(f"{count} rows and {n} resamples; give at least one of each.")
    keys, code = np.unique(names(groups, count, "groups"), return_inverse=True)
    share = np.full(len(keys), 1.0 / len(keys))
    return keys, code, generator("bootstrap", seed).multinomial(len(keys), share, size=n).astype(np.float64)


def _interval(value: float, values: np.ndarray, groups: int) -> Interval:
    defined = values[np.isfinite(values)]
    if groups < 2 or not len(defined):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))
