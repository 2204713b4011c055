"""The verdict on a window: its most probable label, with the probability and the severity of that label."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Verdicts(NamedTuple):
    """Verdicts on N windows.

    Args:
        labels: int32 [N], numbers of the labels, columns of the probabilities.
        severities: float32 [N] in [0, 1]; 0 for clean, NaN where the severity of the label is unknown.
        probabilities: float32 [N].
    """

    labels: np.ndarray
    severities: np.ndarray
    probabilities: np.ndarray

    @classmethod
    def of(cls, probabilities: np.ndarray, severities: np.ndarray) -> Verdicts:
        """Picks the most probable label of each row of probabilities [N, K] and severities [N, K], the first of equals.

        >>> Verdicts.of(np.array([[0.2, 0.8]]), np.array([[0.0, np.nan]])).labels
        array([1], dtype=int32)
        """
        best = probabilities.argmax(axis=1)
        each = np.arange(len(best))
        return cls(
            best.astype(np.int32),
            severities[each, best].astype(np.float32),
            probabilities[each, best].astype(np.float32),
        )
