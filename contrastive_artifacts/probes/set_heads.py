"""The probe of label sets that an encoder's own heads give, calibrated."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..core.vectors import unit_rows
from .sets import SetProbe

CLEAN_SHARE = 0.8  # of the windows of recordings that people have; a probe is calibrated on views with far fewer
FLAGGED = 0.13  # share of the clean views in which a fault may be present by mistake


def calibrated(log_odds: np.ndarray, there: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale and shift [K] of each column of log odds [N, K], so that the chances fit ``there`` [N, K] (Platt 1999).

    Only where ``known``, bool [N, K]. A column of which ``there`` holds fewer than ten of either kind stays as it is;
    scales are limited to [0.1, 10].
    """
    from sklearn.linear_model import LogisticRegression

    scales, shifts = np.ones(log_odds.shape[1]), np.zeros(log_odds.shape[1])
    for column, rows in enumerate(known.T):
        target = there[rows, column].astype(bool)
        if min(target.sum(), (~target).sum()) >= 10:
            fitted = LogisticRegression(C=1e4).fit(log_odds[rows, column : column + 1], target)
            scale = float(fitted.coef_[0, 0])
            if 0.1 <= scale <= 10:
                scales[column], shifts[column] = scale, float(fitted.intercept_[0])
    return scales, shifts


def set_probe(
    classes: tuple[str, ...], types: tuple[np.ndarray, np.ndarray], severity: tuple[np.ndarray, np.ndarray],
    vectors: np.ndarray, there: np.ndarray, unknown: np.ndarray, fingerprint: str,
) -> SetProbe:  # fmt: skip
    """The probe that an encoder's own heads give, calibrated on views of sources that it was not trained on.

    The threshold of single windows is the one that FLAGGED of the clean views exceed with any fault.

    Args:
        classes: K names, "clean" first.
        types, severity: Weights [K, D] and bias [K] of the heads over h.
        vectors: h [N, D] of the views, all of one norm.
        there: Which faults they hold, bool [N, K - 1].
        unknown: Which others they may hold.
        fingerprint: Of the encoder.
    """
    length = float(np.linalg.norm(vectors, axis=1).mean())
    unit = unit_rows(vectors)
    weights, bias = types[0] * length, types[1]
    states = np.concatenate([~there.any(1, keepdims=True), there], axis=1)
    known = ~np.concatenate([np.zeros((len(states), 1), bool), unknown & ~there], axis=1)
    scale, shift = calibrated(unit @ weights.T + bias, states, known)
    weight = CLEAN_SHARE / (1 - CLEAN_SHARE) * float(there.any(1).sum() / max(1, states[:, 0].sum()))
    probe = SetProbe(
        classes, (weights * scale[:, None]).astype(np.float32), (bias * scale + shift).astype(np.float32),
        (severity[0] * length).astype(np.float32), severity[1].astype(np.float32), fingerprint,
        clean_weight=weight or 1.0,
    )  # fmt: skip
    clean = probe.weighed(probe.classify_batch(unit[states[:, 0]])[0])[:, 1:]
    if not len(clean):
        return probe
    limit = float(np.quantile(clean.max(1), 1 - FLAGGED))
    return dataclasses.replace(probe, of_window=min(max(limit, 1e-6), 1 - 1e-6))
