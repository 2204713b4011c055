"""A linear probe corrected by a few labelled rows: as near to what it was as those rows allow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from .. import LinearProbe
from ..data import check_matrix, names
from ..linear import standardisation

# Deviation that the prior gives to the logit of a typical row: of a label that the probe knows, around what it says,
# and of a new one. The first is small because people label what they find wrong: under a wide prior a few dozen
# mistakes put right spoil what was right before.
KNOWN, NEW = 1.0, 3.0
NEW_LABEL = -3.0  # log-odds of a new label before any evidence
# Windows of one recording are nearly copies: those with one label count as this many rows at most.
ROWS_PER_SOURCE = 10
RAREST = 10.0  # times that a row of a rare label counts as much as one of the commonest, at most


def corrected(probe: LinearProbe, sample: Any, x: Any, labels: Any, sources: Any) -> LinearProbe:
    """``probe`` adapted to labelled rows, labels that it does not know included.

    Logistic regression with a Gaussian prior whose mean is the old probe, as in Chelba & Acero (2006), "Adaptation of
    maximum entropy capitalizer": with few rows the probe stays what it was but near them, with many they decide. The
    old probabilities are the calibrated ones, so that the new ones are meant to be taken as they are (temperature 1).

    Args:
        sample: [M, D] rows like those that the probe will hear, labelled or not; they give the scale of each dimension.
        x: [N, D] labelled rows.
        labels, sources: [N] texts.

    Raises:
        ParameterError: unfit shapes or values.
    """
    x = check_matrix(x, probe.weights.shape[1])
    labels, sources = names(labels, len(x), "labels"), names(sources, len(x), "sources")
    mean, scale = standardisation(check_matrix(sample, x.shape[1]))
    classes = (*probe.classes, *sorted({str(name) for name in labels} - set(probe.classes)))
    prior = np.zeros((len(classes), x.shape[1] + 1))  # weights, then the bias
    known = slice(0, len(probe.classes))
    prior[known, :-1] = probe.weights * scale / probe.temperature
    prior[known, -1] = (probe.bias + probe.weights @ mean) / probe.temperature
    standard = (sample - mean) / scale
    # Softmax does not see a common offset; without it the bias of a new label would not be its log-odds.
    prior[known, -1] -= logsumexp(standard @ prior[known, :-1].T + prior[known, -1], axis=1).mean()
    prior[len(probe.classes) :, -1] = NEW_LABEL
    inputs = np.concatenate([(x - mean) / scale, np.ones((len(x), 1))], axis=1)
    target = np.array([classes.index(name) for name in labels])
    deviation = np.where(np.arange(len(classes)) < len(probe.classes), KNOWN, NEW)[:, None]
    precision = x.shape[1] / deviation**2  # of each weight: a typical row is about 1 in each of D dimensions
    values = _posterior(prior, precision, inputs, target, row_weights(labels, sources))
    order = np.argsort(classes)
    weights = values[:, :-1] / scale
    return replace(
        probe,
        classes=tuple(classes[n] for n in order),
        weights=weights[order].astype(np.float32),
        bias=(values[:, -1] - weights @ mean)[order].astype(np.float32),
        temperature=1.0,
    )


def row_weights(labels: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """How much each row counts [N]: labels about alike, whatever was labelled most; a source's many rows as few."""
    _, group, rows = np.unique(
        np.char.add(np.char.add(labels, "\x1f"), sources), return_inverse=True, return_counts=True
    )
    weights = np.minimum(1.0, ROWS_PER_SOURCE / rows)[group]
    _, code = np.unique(labels, return_inverse=True)
    sums = np.bincount(code, weights)
    balanced = weights * np.minimum(RAREST, sums.max() / sums)[code]
    return balanced * (weights.sum() / balanced.sum())


def _posterior(
    prior: np.ndarray, precision: np.ndarray, inputs: np.ndarray, target: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """The most probable weights [K, D + 1], for a prior of these means and precisions [K, 1]; a convex problem."""
    rows = np.arange(len(target))

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        values = flat.reshape(prior.shape)
        outputs, change = inputs @ values.T, values - prior
        total = logsumexp(outputs, axis=1)
        errors = np.exp(outputs - total[:, None])
        errors[rows, target] -= 1.0
        penalty = precision * change
        value = weights @ (total - outputs[rows, target]) + 0.5 * float((penalty * change).sum())
        return float(value), ((errors * weights[:, None]).T @ inputs + penalty).ravel()

    found = minimize(loss, prior.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return np.asarray(found.x).reshape(prior.shape)
