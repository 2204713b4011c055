"""Calibration of probabilities: temperature scaling and the expected calibration error (Guo et al. 2017)."""

from __future__ import annotations

import numpy as np
import scipy
from scipy.special import log_softmax, softmax

from ..core.errors import ParameterError


def probabilities_of(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Softmax of ``logits / temperature``, float64 [N, K], rows sum to 1."""
    return softmax(np.asarray(logits, dtype=np.float64) / temperature, axis=1)


def calibrated_loss(logits: np.ndarray, targets: np.ndarray, temperature: float) -> float:
    """Negative log-likelihood at a temperature, with targets smoothed as in Platt (1999).

    N rows that are all classified correctly do not prove that the next one will be: the target is (N + 1) / (N + K)
    instead of 1, so that the temperature of a separable set does not go to 0.
    """
    scaled = log_softmax(np.asarray(logits, dtype=np.float64) / temperature, axis=1)
    count, classes = scaled.shape
    right = float(scaled[np.arange(count), targets].mean())
    return -(count * right + float(scaled.sum(axis=1).mean())) / (count + classes)


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """The temperature in [0.05, 20] with the smallest :func:`calibrated_loss`.

    Args:
        logits: [N, K] of rows that the classifier was not fitted on.
        targets: [N] class numbers, int.

    Raises:
        ParameterError: no rows.
    """
    logits = np.asarray(logits, dtype=np.float64)
    if len(logits) == 0:
        raise ParameterError("no held-out rows to fit a temperature on.")
    result = scipy.optimize.minimize_scalar(
        lambda t: calibrated_loss(logits, targets, float(np.exp(t))),
        bounds=(np.log(0.05), np.log(20.0)),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return float(np.exp(result.x))


def calibration_features(probabilities: np.ndarray, correct: np.ndarray, bins: int = 15) -> np.ndarray:
    """Terms [N, bins + 1] whose sums over rows give the calibration error."""
    confidence = np.asarray(probabilities, dtype=np.float64).max(axis=1)
    features = np.zeros((len(confidence), bins + 1))
    slot = np.minimum((confidence * bins).astype(int), bins - 1)
    features[np.arange(len(confidence)), slot] = confidence - correct
    features[:, -1] = 1.0
    return features


def calibration_of_sums(sums: np.ndarray) -> np.ndarray:
    """The error from summed features [..., bins + 1]."""
    return np.abs(sums[..., :-1]).sum(axis=-1) / sums[..., -1]


def expected_calibration_error(probabilities: np.ndarray, correct: np.ndarray, bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over ``bins`` equal bins of the top probability, in [0, 1].

    Args:
        probabilities: [N, K], rows sum to 1.
        correct: [N] bool, whether the most probable class is the true one.
    """
    return float(calibration_of_sums(calibration_features(probabilities, np.asarray(correct), bins).sum(axis=0)))
