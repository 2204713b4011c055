"""What a probe says of views whose faults are known, in the form that curves and plots take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..artifacts import CLEAN
from .metrics import Counts, confusion

BINS = 10  # of a reliability diagram


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Chances and severities of N views, beside what is there.

    Args:
        names: K faults.
        chances: [N, K] that each fault is there, in [0, 1].
        estimates: [N, K] severity of each fault if it is there, in [0, 1]; NaN where unknown.
        there: bool [N, K].
        severities: [N, K] rendered severity of the faults that are there; NaN elsewhere and where unknown.
        unknown: bool [N, K], views that say nothing about a fault, as their sources may hold it.
        predicted: [N] names, what a view of one fault is taken for; "clean" for none.
        vectors: float32 [N, D], h of the views.
    """

    names: tuple[str, ...]
    chances: np.ndarray
    estimates: np.ndarray
    there: np.ndarray
    severities: np.ndarray
    unknown: np.ndarray
    predicted: np.ndarray
    vectors: np.ndarray

    @classmethod
    def of_one_label(
        cls, classes: Sequence[str], chances: np.ndarray, estimates: np.ndarray,
        artifact: np.ndarray, severity: np.ndarray, vectors: np.ndarray,
    ) -> Outcomes:  # fmt: skip
        """Of views with one label each; "clean" is none of the faults.

        Args:
            classes: K + 1 names, "clean" among them.
            chances, estimates: [N, K + 1] of a probe, or of the heads of an encoder, in the order of ``classes``.
            artifact, severity: [N] names of what is there, and how bad.
            vectors: float32 [N, D].
        """
        columns = [column for column, name in enumerate(classes) if name != CLEAN]
        names = tuple(classes[column] for column in columns)
        there = artifact[:, None] == np.array(names)[None]
        severities = np.where(there, severity[:, None], np.nan)
        predicted = np.array(classes)[chances.argmax(axis=1)]
        unknown = np.zeros_like(there)
        return cls(names, chances[:, columns], estimates[:, columns], there, severities, unknown, predicted, vectors)

    def against_clean(self, fault: int) -> tuple[np.ndarray, np.ndarray]:
        """Whether the fault is there, bool [M], and its chance [M], over views of it alone and clean ones.

        Both kinds can be missing from what is returned.
        """
        alone = self.there[:, fault] & (self.there.sum(axis=1) == 1)
        rows = (alone | ~self.there.any(axis=1)) & ~self.unknown[:, fault]
        return self.there[rows, fault], self.chances[rows, fault]

    def reliability(self) -> np.ndarray:
        """Mean chance, share of the faults that are there, and number of chances in each of BINS equal bins [B, 3].

        Over the chances of all faults of all views; bins without any are left out.
        """
        chances, there = self.chances[~self.unknown], self.there[~self.unknown]
        bins = np.minimum((np.clip(chances, 0, 1) * BINS).astype(int), BINS - 1)
        counts = np.bincount(bins, minlength=BINS)
        filled = counts > 0
        sums = [np.bincount(bins, weights, BINS)[filled] / counts[filled] for weights in (chances, there.astype(float))]
        return np.stack([*sums, counts[filled]], axis=1)

    def severity_pairs(self, fault: int) -> tuple[np.ndarray, np.ndarray]:
        """Rendered and estimated severities [M] of the views of a fault in which both are known."""
        rendered, estimated = self.severities[:, fault], self.estimates[:, fault]
        known = np.isfinite(rendered) & np.isfinite(estimated)
        return rendered[known], estimated[known]

    def confusion(self) -> tuple[Counts, Sequence[str]]:
        """Counts of the views with one fault or none, rows = truth, columns = prediction, and their names."""
        rows = self.there.sum(axis=1) <= 1
        classes = (CLEAN, *self.names)
        truth = np.where(self.there.any(axis=1), np.array(self.names)[self.there.argmax(axis=1)], CLEAN)
        return confusion(truth[rows], self.predicted[rows], classes), classes


DrawOutcomes = Callable[[Outcomes], Iterable[tuple[str, Any]]]  # gives names and matplotlib figures
