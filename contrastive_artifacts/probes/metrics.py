"""Metrics of labels, as functions of confusion counts, and of severities, as rank correlations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from ..artifacts import CLEAN
from ..core.errors import ParameterError
from .data import names

Counts = np.ndarray  # [..., K, K], rows = truth, columns = prediction


@dataclass(frozen=True)
class ConfusionMetric:
    """A metric that is a function of the confusion counts, so that a bootstrap can resample sums.

    Args:
        name: Key in tables.
        of_counts: (counts [..., K, K], classes) -> values [...]; NaN where undefined.
    """

    name: str
    of_counts: Callable[[Counts, Sequence[str]], np.ndarray]

    def __call__(self, labels: Any, predictions: Any) -> float:
        classes = classes_of(labels, predictions)
        return float(self.of_counts(confusion(labels, predictions, classes), classes))


def classes_of(labels: Any, predictions: Any = ()) -> tuple[str, ...]:
    """The classes that occur in labels or predictions, sorted, "clean" first."""
    classes = {str(name) for name in np.asarray(labels, dtype=str)} | {
        str(name) for name in np.asarray(predictions, dtype=str)
    }
    return tuple(sorted(classes, key=lambda name: (name != CLEAN, name)))


def confusion(labels: Any, predictions: Any, classes: Sequence[str] | None = None) -> Counts:
    """Counts int64 [K, K]: rows = truth, columns = prediction, in the order of ``classes``.

    Raises:
        ParameterError: lengths differ, or a name is not among the classes.
    """
    classes = classes_of(labels, predictions) if classes is None else tuple(classes)
    truth, guess = encode(labels, classes), encode(predictions, classes)
    if len(truth) != len(guess):
        raise ParameterError(f"{len(truth)} labels but {len(guess)} predictions.")
    count = len(classes)
    return np.bincount(truth * count + guess, minlength=count * count).reshape(count, count)


def confusion_cells(labels: Any, predictions: Any, classes: Sequence[str]) -> np.ndarray:
    """The cell of the confusion matrix that each row counts in, as a float64 vector of zeros and a one, [N, K * K].

    Raises:
        ParameterError: lengths differ, or a name is not among the classes.
    """
    if len(labels) != len(predictions):
        raise ParameterError(f"{len(labels)} labels but {len(predictions)} predictions.")
    cells = np.zeros((len(labels), len(classes) ** 2))
    cells[np.arange(len(labels)), encode(labels, classes) * len(classes) + encode(predictions, classes)] = 1.0
    return cells


def of_cells(metric: ConfusionMetric, sums: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """A metric [...] of sums [..., K * K] of :func:`confusion_cells`."""
    return metric.of_counts(sums.reshape(*sums.shape[:-1], len(classes), len(classes)), classes)


def confusion_table(counts: Counts, classes: Sequence[str]) -> str:
    """The confusion counts as aligned text: rows = truth, columns = prediction, last column = recall."""
    width = max(6, *(len(name) for name in classes))
    lines = [" ".join(f"{name:>{width}}" for name in ("truth", *classes, "recall"))]
    for name, row in zip(classes, np.asarray(counts), strict=True):
        recall = f"{row[list(classes).index(name)] / row.sum():.3f}" if row.sum() else "-"
        lines.append(" ".join(f"{cell:>{width}}" for cell in (name, *(str(int(n)) for n in row), recall)))
    return "\n".join(lines)


def encode(values: Any, classes: Sequence[str]) -> np.ndarray:
    """Class numbers, int64 [N]."""
    texts = names(values, len(values), "labels")
    order = np.argsort(np.asarray(classes, dtype=str))
    ordered = np.asarray(classes, dtype=str)[order]
    positions = np.searchsorted(ordered, texts).clip(0, len(ordered) - 1)
    unknown = np.flatnonzero(ordered[positions] != texts)
    if len(unknown):
        raise ParameterError(f"{str(texts[unknown[0]])!r} is not one of the classes {', '.join(classes)}.")
    return order[positions]


def _macro_f1(counts: Counts, classes: Sequence[str]) -> np.ndarray:
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    both = counts.sum(axis=-1) + counts.sum(axis=-2)
    occurs = both > 0
    f1 = np.where(occurs, 2.0 * hits / np.where(occurs, both, 1), 0.0)
    return f1.sum(axis=-1) / np.where(occurs.any(axis=-1), occurs.sum(axis=-1), np.nan)


def _accuracy(counts: Counts, classes: Sequence[str]) -> np.ndarray:
    total = counts.sum(axis=(-2, -1))
    return np.trace(counts, axis1=-2, axis2=-1) / np.where(total > 0, total, np.nan)


def _clean_recall(counts: Counts, classes: Sequence[str]) -> np.ndarray:
    if CLEAN not in classes:
        return np.full(counts.shape[:-2], np.nan)
    clean = list(classes).index(CLEAN)
    total = counts[..., clean, :].sum(axis=-1)
    return counts[..., clean, clean] / np.where(total > 0, total, np.nan)


macro_f1 = ConfusionMetric("macro_f1", _macro_f1)  # mean over the classes that occur in labels or predictions
accuracy = ConfusionMetric("accuracy", _accuracy)
clean_recall = ConfusionMetric("clean_recall", _clean_recall)  # 1 - false alarm rate on clean views
CONFUSION_METRICS = (macro_f1, accuracy, clean_recall)


def rank_features(truth: Any, estimate: Any) -> np.ndarray:
    """Terms float64 [N, 6] whose sums over rows give the correlation of the ranks."""
    ranks = (scipy.stats.rankdata(values) for values in (np.asarray(truth), np.asarray(estimate)))
    a, b = (rank / max(len(rank), 1) - 0.5 for rank in ranks)
    return np.stack([np.ones_like(a), a, b, a * a, b * b, a * b], axis=1)


def correlation_of_sums(sums: np.ndarray) -> np.ndarray:
    """Pearson correlation from summed features [..., 6]; NaN where one side does not vary."""
    count, a, b, aa, bb, ab = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
    count = np.where(count > 0, count, np.nan)
    spread = (aa / count - (a / count) ** 2) * (bb / count - (b / count) ** 2)
    return (ab / count - a * b / count**2) / np.sqrt(np.where(spread > 1e-18, spread, np.nan))


def spearman(truth: Any, estimate: Any) -> float:
    """Spearman's rank correlation, ties at their mean rank; NaN where one side does not vary."""
    return float(correlation_of_sums(rank_features(truth, estimate).sum(axis=0)))


def severity_spearman(artifact: Any, truth: Any, estimate: Any) -> dict[str, float]:
    """Spearman's correlation of true and estimated severity for each artifact (not clean), and their "mean"."""
    artifact = np.asarray(artifact, dtype=str)
    truth, estimate = np.asarray(truth), np.asarray(estimate)
    correlations = {
        name: spearman(truth[artifact == name], estimate[artifact == name])
        for name in classes_of(artifact)
        if name != CLEAN
    }
    defined = [value for value in correlations.values() if np.isfinite(value)]
    return correlations | {"mean": float(np.mean(defined)) if defined else float("nan")}
