"""Localisation by frames: average precision and F1 over frames, and errors of the detected onsets and offsets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import ParameterError


def localisation(
    probabilities: np.ndarray,
    targets: np.ndarray,
    spans_s: np.ndarray,
    hop_s: float,
    names: Sequence[str],
    threshold: float = 0.5,
) -> dict[str, Any]:
    """Figures of V views that each have one artifact in a span, or none.

    Args:
        probabilities: [V, N, K] in [0, 1], of every state in every frame.
        targets: [V, N, K] of 0 and 1; column 0 is clean.
        spans_s: [V, 2], true onset and offset in seconds; equal where there is none.
        hop_s: Length of a frame in seconds.
        names: Of the K states.
        threshold: Probability from which a state counts as detected, in (0, 1).

    Returns:
        ``{"classes": {name: {"ap", "f1", "found", "onset_ms", "offset_ms"}}, "mean": the same}`` without clean. ``ap``
        and ``f1`` are over all frames. In a view with the artifact the longest run of detected frames counts: ``found``
        is the share of views with such a run, ``onset_ms`` and ``offset_ms`` are median errors of its ends (with
        frames, half a frame on average at best). None where a class does not occur, or was never detected.

    Raises:
        ParameterError: the shapes do not fit together.
    """
    from sklearn.metrics import average_precision_score

    views, _, states = probabilities.shape
    if targets.shape != probabilities.shape or spans_s.shape != (views, 2) or len(names) != states:
        raise ParameterError(
            f"probabilities {probabilities.shape}, targets {targets.shape}, spans {spans_s.shape} and {len(names)} "
            "names do not fit; give [V, N, K] twice, [V, 2] and K names."
        )
    classes: dict[str, dict[str, float | None]] = {}
    for k, name in enumerate(names[1:], start=1):
        truth, scores = targets[..., k].astype(bool), probabilities[..., k]
        detected = scores >= threshold
        views_with = np.flatnonzero(truth.any(axis=1))
        runs = [(spans_s[v], run) for v in views_with if (run := longest_run(detected[v])) is not None]
        errors = np.array([np.abs(np.array(run) * hop_s - span) for span, run in runs]).reshape(-1, 2)
        onset, offset = (float(error) for error in 1000 * np.median(errors, axis=0)) if runs else (None, None)
        total = int(truth.sum() + detected.sum())
        classes[name] = {
            "ap": float(average_precision_score(truth.ravel(), scores.ravel())) if len(views_with) else None,
            "f1": 2 * int((truth & detected).sum()) / total if total else None,
            "found": len(runs) / len(views_with) if len(views_with) else None,
            "onset_ms": onset,
            "offset_ms": offset,
        }
    keys = ("ap", "f1", "found", "onset_ms", "offset_ms")
    values = {key: [v for figures in classes.values() if (v := figures[key]) is not None] for key in keys}
    return {"classes": classes, "mean": {key: float(np.mean(v)) if v else None for key, v in values.items()}}


def longest_run(detected: np.ndarray) -> tuple[int, int] | None:
    """[start, stop) of the longest run of True in [N], the first of equals; None without any.

    >>> longest_run(np.array([True, False, True, True]))
    (2, 4)
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], detected.astype(np.int8), [0]])))
    starts, stops = edges[::2], edges[1::2]
    if not len(starts):
        return None
    longest = int(np.argmax(stops - starts))
    return int(starts[longest]), int(stops[longest])
