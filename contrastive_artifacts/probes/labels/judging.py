"""Whether a corrected probe is better than before: on labelled sources held out, and on rows of known artifact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...core.errors import ParameterError
from .. import LinearProbe, SetProbe, accuracy
from ..set_metrics import macro_f1_of_sets

FOLDS = 5
# Accuracy on rows of known artifact that a correction may cost: the probe was fitted on most of them, so that any
# correction costs some.
KNOWN_LOSS = 0.01

Figures = dict[str, float]
AnyType = LinearProbe | SetProbe
# (sources that it must not know, whether rows that users changed are left out) -> the probe before labels
Before = Callable[[np.ndarray, bool], AnyType | None]
# (the probe before labels, which of the labelled rows are used) -> the corrected probe
Correct = Callable[[AnyType | None, np.ndarray], AnyType]


@dataclass(frozen=True)
class Judgement:
    """Figures before and after a correction, each {"macro_f1", "accuracy", "rows"}; None where nothing can be said.

    Macro-F1 is the mean over the names in labels and predictions, "clean" among them; of label sets, a row is right for
    accuracy where no fault is missed or added.

    Args:
        before, after: On the labelled rows, with the labels of users as the truth. Each row is classified by a probe
            that was trained without its source: ``after`` with the labels of the other sources, ``before`` without
            labels. None with labelled rows of fewer than two sources; ``before`` also without an old probe.
        known_before, known_after: On the rows whose artifact is known and that no user labelled; None without any.
        agreeing: Number of labels that say what the probe before them said.
    """

    before: Figures | None
    after: Figures | None
    known_before: Figures | None
    known_after: Figures | None
    agreeing: int

    @property
    def verdict(self) -> str:
        """One of better, same, worse and unknown; worse where either kind of rows says so."""
        if self.losses:
            return "worse"
        if self.before is None or self.after is None:
            return "unknown"
        return "better" if self.after["accuracy"] > self.before["accuracy"] else "same"

    @property
    def losses(self) -> list[str]:
        """Why the corrected probe is worse, in words; none where it is not."""
        reasons = []
        if self.before and self.after and self.after["accuracy"] < self.before["accuracy"]:
            reasons.append(_loss("labelled rows of held-out sources", self.before, self.after))
        before, after = self.known_before, self.known_after
        if before and after and after["accuracy"] < before["accuracy"] - KNOWN_LOSS:
            reasons.append(_loss("rows whose artifact is known", before, after))
        return reasons


def held_out(
    x: np.ndarray, labels: np.ndarray, sources: np.ndarray, before: Before, correct: Correct, anew: bool
) -> tuple[Figures | None, Figures | None]:
    """Figures before and after on N labelled rows, each source classified by probes that were trained without it.

    Args:
        x, labels, sources: [N, D], [N], [N].
        anew: Whether users changed rows that the probe before was trained on.
    """
    names = np.unique(sources)
    if len(names) < 2:
        return None, None
    truth: list[np.ndarray] = []
    without: list[np.ndarray] = []
    with_labels: list[np.ndarray] = []
    for fold in range(min(FOLDS, len(names))):
        excluded = names[fold::FOLDS]
        is_excluded = np.isin(sources, excluded)
        try:
            uncorrected = before(excluded, False)
            start = before(excluded, True) if anew else uncorrected
            with_labels.append(correct(start, ~is_excluded).predict(x[is_excluded]))
        except ParameterError:  # too few rows or classes remain without these sources
            return None, None
        truth.append(labels[is_excluded])
        if uncorrected is not None:
            without.append(uncorrected.predict(x[is_excluded]))
    answers = np.concatenate(truth)
    return (scores(answers, np.concatenate(without)) if without else None), scores(answers, np.concatenate(with_labels))


def scores(labels: np.ndarray, predicted: np.ndarray) -> Figures | None:
    """Figures of N predictions; None of none."""
    if not len(labels):
        return None
    macro_f1 = macro_f1_of_sets(labels.tolist(), predicted.tolist())
    return {"macro_f1": macro_f1, "accuracy": accuracy(labels, predicted), "rows": len(labels)}


def known_rows(artifact: Sequence[str | None], labelled: Sequence[int]) -> np.ndarray:
    """Numbers of the rows whose artifact is known and that have no user label."""
    is_known = np.array([bool(name) for name in artifact], bool)
    is_known[list(labelled)] = False
    return np.flatnonzero(is_known)


def _loss(rows: str, before: Figures, after: Figures) -> str:
    many, lost = before["rows"], (before["accuracy"] - after["accuracy"]) * before["rows"]
    return f"{lost:,.0f} more of {many:,.0f} {rows} are wrong than before"
