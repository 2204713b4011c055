"""A linear probe corrected by a few labelled rows, with a prior that keeps it near the old probe."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from .. import LinearProbe
from ..data import check_matrix, names
from ..linear import standardisation

# Standard deviation under the prior of the logit of a typical row: for a label that the probe knows (around the logit
# of the old probe), and for a new label. The first is small because users label mistakes: under a wide prior a few
# dozen corrected mistakes would make rows wrong that were right before.
KNOWN, NEW = 1.0, 3.0
NEW_LABEL = -3.0  # prior log-odds of a new label
# Windows of one recording are nearly copies: those with the same label count as so many rows at most.
ROWS_PER_SOURCE = 10
RAREST = 10.0  # largest weight of a row of a rare label, relative to one of the most common label


def corrected(probe: LinearProbe, sample: Any, x: Any, labels: Any, sources: Any) -> LinearProbe:
    """``probe`` adapted to labelled rows, also with labels that it does not know.

    Logistic regression with a Gaussian prior whose mean is the old probe, as in Chelba & Acero (2006), "Adaptation of
    maximum entropy capitalizer": few rows change the probe only near them, many rows dominate the prior. The prior is
    made from the calibrated probabilities, so the new probabilities need no temperature (it is 1).

    Args:
        sample: [M, D] rows like those that the probe will classify, labelled or not; for the scale of each dimension.
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
    # Softmax ignores a common offset of the logits; without this one the bias of a new label would not be its log-odds.
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
    """Weights of rows [N]: about equal sums for all labels, and a limit for the rows of one source."""
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
    """The most probable weights [K, D + 1] under a prior of these means and precisions [K, 1]; a convex problem."""
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

    result = minimize(loss, prior.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return np.asarray(result.x).reshape(prior.shape)
