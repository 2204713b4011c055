"""Scores against context: out-of-fold predictions by source, of linear probes and of trained context modules."""

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

STRENGTHS = (1.0, 0.1, 0.01)  # enough to tell strong from weak; a sixth of the time of the full grid
REACHED = 0.95


@dataclass(frozen=True, eq=False)
class Told:
    """What was told of each row, out of fold.

    Args:
        truth, told: [M] labels.
        sources: [M] split keys.
    """

    truth: np.ndarray
    told: np.ndarray
    sources: np.ndarray

    def f1(self, label: str, resamples: int = 400) -> Interval:
        """F1 of one label with its interval over sources."""
        true, said = self.truth == label, self.told == label
        sums = np.stack([true & said, true, said], axis=1).astype(float)
        return bootstrap_sums(lambda s: 2 * s[..., 0] / (s[..., 1] + s[..., 2]), sums, self.sources, resamples)

    def macro_f1(self, resamples: int = 400) -> Interval:
        """Mean F1 of all labels with its interval over sources."""
        labels = np.unique(self.truth)
        columns = [(self.truth == n, self.told == n) for n in labels]
        sums = np.stack([[t & s, t, s] for t, s in columns]).transpose(2, 0, 1).reshape(len(self.truth), -1)

        def statistic(s: np.ndarray) -> np.ndarray:
            s = s.reshape(*s.shape[:-1], len(labels), 3)
            return (2 * s[..., 0] / np.maximum(s[..., 1] + s[..., 2], 1e-9)).mean(-1)

        return bootstrap_sums(statistic, sums.astype(float), self.sources, resamples)

    def accuracy(self, among: Sequence[str], resamples: int = 400) -> Interval:
        """Share of the rows of these labels that were told rightly, with its interval over sources."""
        rows = np.isin(self.truth, among)
        right = np.stack([(self.truth == self.told)[rows], np.ones(rows.sum())], axis=1).astype(float)
        return bootstrap_sums(lambda s: s[..., 0] / s[..., 1], right, self.sources[rows], resamples)


def folds(sources: np.ndarray, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(train rows, test rows); every source is tested once and never with itself in training."""
    return grouped_folds(np.zeros(len(sources)), sources, count)


def cross_linear(x: np.ndarray, labels: np.ndarray, sources: np.ndarray, count: int) -> Told:
    """Out-of-fold predictions of a linear probe over vectors [M, D]."""
    told = np.empty(len(x), dtype=object)
    for train, test in folds(sources, count):
        probe = LinearProbe.fit(x[train], labels[train], sources[train], strengths=STRENGTHS)
        told[test] = probe.predict(x[test])
    return Told(labels, told.astype(str), sources)


def cross_context(
    data: Sequences, settings: ContextSettings, fitting: FitSettings, objective: ObjectiveSettings, count: int,
    look: Callable[[Context, Sequences, np.ndarray], None],
) -> None:  # fmt: skip
    """Trains one module a fold and hands it, with the sequences held out and their rows, to ``look``."""
    for train, test in folds(data.sources, count):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(fitting.seed)
            context = Context(settings)
        fit(context, data.take(train), fitting, objective)
        look(context, data.take(test), test)


def predicted(context: Context, stretches: Sequence[Stretch], among: np.ndarray | None = None) -> np.ndarray:
    """Labels [M] that a module gives to stretches; ``among`` [M, K] marks the states that are up for choice."""
    logits = encode(context, stretches).logits.numpy()
    if among is not None:
        logits = np.where(among, logits, -np.inf)
    return np.array(context.settings.states)[logits.argmax(axis=1)]


def shortest_window(contexts: Sequence[float], scores: Sequence[float], reference_s: float = 10.0) -> float:
    """The shortest context whose score reaches 95 % of that at ``reference_s``, in seconds.

    >>> shortest_window((0.5, 1, 2, 5, 10, 30), (0.1, 0.2, 0.5, 0.77, 0.8, 0.9))
    5

    Raises:
        ParameterError: there is no score at the reference.
    """
    if reference_s not in contexts:
        raise ParameterError(f"No score at {reference_s} s among {list(contexts)}; measure one there.")
    wanted = REACHED * scores[list(contexts).index(reference_s)]
    return min(c for c, s in zip(contexts, scores, strict=True) if s >= wanted)
