"""Out-of-fold predictions, by source, of linear probes and of trained context modules, and their scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...core.errors import ParameterError
from ...models.context import Context, ContextSettings, Stretch, encode
from ...models.objectives import ObjectiveSettings
from ...probes import Interval, LinearProbe, bootstrap_sums
from ...probes.data import grouped_folds
from ...training.context import FitSettings, Sequences, fit

STRENGTHS = (1.0, 0.1, 0.01)  # a coarse grid, in a sixth of the time of the full one
REACHED = 0.95


@dataclass(frozen=True, eq=False)
class Predictions:
    """True labels and out-of-fold predictions.

    Args:
        truth, predicted: [M] labels.
        sources: [M] split keys.
    """

    truth: np.ndarray
    predicted: np.ndarray
    sources: np.ndarray

    def f1(self, label: str, resamples: int = 400) -> Interval:
        """F1 of one label with its interval over sources."""
        true, predicted = self.truth == label, self.predicted == label
        sums = np.stack([true & predicted, true, predicted], axis=1).astype(float)
        return bootstrap_sums(lambda s: 2 * s[..., 0] / (s[..., 1] + s[..., 2]), sums, self.sources, resamples)

    def macro_f1(self, resamples: int = 400) -> Interval:
        """Mean F1 of all labels with its interval over sources."""
        labels = np.unique(self.truth)
        columns = [(self.truth == n, self.predicted == n) for n in labels]
        sums = np.stack([[t & s, t, s] for t, s in columns]).transpose(2, 0, 1).reshape(len(self.truth), -1)

        def statistic(s: np.ndarray) -> np.ndarray:
            s = s.reshape(*s.shape[:-1], len(labels), 3)
            return (2 * s[..., 0] / np.maximum(s[..., 1] + s[..., 2], 1e-9)).mean(-1)

        return bootstrap_sums(statistic, sums.astype(float), self.sources, resamples)

    def accuracy(self, among: Sequence[str], resamples: int = 400) -> Interval:
        """Share of correct predictions on the rows of these labels, with its interval over sources."""
        rows = np.isin(self.truth, among)
        right = np.stack([(self.truth == self.predicted)[rows], np.ones(rows.sum())], axis=1).astype(float)
        return bootstrap_sums(lambda s: s[..., 0] / s[..., 1], right, self.sources[rows], resamples)


def folds(sources: np.ndarray, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(training rows, test rows) of folds by source; every row is in the test rows of one fold."""
    return grouped_folds(np.zeros(len(sources)), sources, count)


def cross_linear(x: np.ndarray, labels: np.ndarray, sources: np.ndarray, count: int) -> Predictions:
    """Out-of-fold predictions of a linear probe over vectors [M, D]."""
    predictions = np.empty(len(x), dtype=object)
    for train, test in folds(sources, count):
        probe = LinearProbe.fit(x[train], labels[train], sources[train], strengths=STRENGTHS)
        predictions[test] = probe.predict(x[test])
    return Predictions(labels, predictions.astype(str), sources)


def cross_context(
    data: Sequences, settings: ContextSettings, fitting: FitSettings, objective: ObjectiveSettings, count: int,
    look: Callable[[Context, Sequences, np.ndarray], None],
) -> None:  # fmt: skip
    """Trains one module per fold and calls ``look`` with it, the held-out sequences and their row numbers."""
    for train, test in folds(data.sources, count):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(fitting.seed)
            context = Context(settings)
        fit(context, data.take(train), fitting, objective)
        look(context, data.take(test), test)


def predicted(context: Context, stretches: Sequence[Stretch], among: np.ndarray | None = None) -> np.ndarray:
    """Labels [M] of stretches by a module; ``among`` bool [M, K] restricts the states of each row."""
    logits = encode(context, stretches).logits.numpy()
    if among is not None:
        logits = np.where(among, logits, -np.inf)
    return np.array(context.settings.states)[logits.argmax(axis=1)]


def shortest_window(contexts: Sequence[float], scores: Sequence[float], reference_s: float = 10.0) -> float:
    """The shortest context in seconds whose score reaches 95 % of the score at ``reference_s``.

    >>> shortest_window((0.5, 1, 2, 5, 10, 30), (0.1, 0.2, 0.5, 0.77, 0.8, 0.9))
    5

    Raises:
        ParameterError: there is no score at the reference.
    """
    if reference_s not in contexts:
        raise ParameterError(f"No score at {reference_s} s among {list(contexts)}; measure one there.")
    threshold = REACHED * scores[list(contexts).index(reference_s)]
    return min(c for c, s in zip(contexts, scores, strict=True) if s >= threshold)
