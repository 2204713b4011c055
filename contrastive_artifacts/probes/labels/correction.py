"""A probe corrected by a few labelled rows, with a prior that keeps it near the old one: of one label, or of sets.

Where a label agrees with the old probe's verdict, the target is the old probe's own chance, as in adaptation with a
Kullback-Leibler penalty (Yu, Yao, Su, Li & Seide, ICASSP 2013, "KL-divergence regularized deep neural network
adaptation"): such a row holds the probe where it is. Labels that all agree change nothing, however many they are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from scipy.special import expit, logsumexp

from .. import LinearProbe, SetProbe
from ..data import check_matrix, names
from ..label_sets import membership, names_of
from ..linear import standardisation
from ..sets import SURE

# Standard deviation under the prior of the logit of a typical row: for a label that the probe knows (around the logit
# of the old probe), and for a new label. The first is small because users label mistakes: under a wide prior a few
# dozen corrected mistakes would make rows wrong that were right before.
KNOWN, NEW = 1.0, 3.0
NEW_LABEL = -3.0  # prior log-odds of a new label
# Windows of one recording are nearly copies: those with the same label count as so many rows at most.
ROWS_PER_SOURCE = 10

# (logits [N, K], target [N, K] in [0, 1]) -> minus the log likelihood [N], chances [N, K]
Likelihood = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def corrected(probe: LinearProbe, sample: Any, x: Any, labels: Any, sources: Any) -> LinearProbe:
    """``probe`` adapted to labelled rows, also with labels that it does not know.

    Logistic regression with a Gaussian prior whose mean is the old probe, as in Chelba & Acero (2006), "Adaptation of
    maximum entropy capitalizer": few rows change the probe only near them, many rows dominate the prior. The prior is
    made from the calibrated probabilities, so the new probabilities need no temperature (it is 1).

    Args:
        sample: [M, D] rows like those that the probe will classify, labelled or not; for the scale of each dimension.
        x: [N, D] labelled rows.
        labels, sources: [N] texts; a label is one name.

    Raises:
        ParameterError: unfit shapes or values.
    """
    space, x, labels, sources = _checked(probe.weights.shape[1], sample, x, labels, sources)
    prior = space.inward(probe.weights / probe.temperature, probe.bias / probe.temperature)
    # Softmax ignores a common offset of the logits; without this one the bias of a new label would not be its log-odds.
    prior[:, -1] -= logsumexp(space.inputs(sample) @ prior.T, axis=1).mean()
    agrees = (probe.predict(x) == labels)[:, None]
    weights = without_copies(labels, sources)
    classes, values = _posterior(_softmax, probe.classes, prior, space.inputs(x), labels, agrees, weights)
    order = np.argsort(classes)
    rows, bias = space.outward(values[order])
    return dataclasses.replace(
        probe, classes=tuple(classes[n] for n in order), weights=rows, bias=bias, temperature=1.0
    )


def corrected_sets(probe: SetProbe, sample: Any, x: Any, labels: Any, sources: Any) -> SetProbe:
    """The same for a probe of label sets: the log odds of each fault, and of "clean", are corrected by themselves.

    A labelled row says of every fault whether it is there: those that its label does not name are absent. Thresholds of
    known faults stay; new names come last, with the threshold SURE in scans, and have no severity.

    Args:
        sample, x, sources: As for :func:`corrected`.
        labels: [N] texts of :mod:`..label_sets`.

    Raises:
        ParameterError: unfit shapes or values.
    """
    space, x, labels, sources = _checked(probe.weights.shape[1], sample, x, labels, sources)
    prior = space.inward(probe.weights, probe.bias)
    predicted, labelled = (membership(texts.tolist(), probe.classes) for texts in (probe.predict(x), labels))
    weights = without_copies(labels, sources)
    classes, values = _posterior(
        _sigmoid, probe.classes, prior, space.inputs(x), labels, predicted == labelled, weights
    )
    rows, bias = space.outward(values)
    default = np.full(len(classes) - len(probe.classes), SURE, np.float32)
    return dataclasses.replace(
        probe,
        classes=classes,
        weights=rows,
        bias=bias,
        thresholds={rate: np.concatenate([levels, default]) for rate, levels in probe.thresholds.items()},
    )


def without_copies(labels: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Weights of rows [N] with a limit for the rows of one source that have the same label."""
    pairs = np.char.add(np.char.add(labels, "\x1f"), sources)
    _, group, rows = np.unique(pairs, return_inverse=True, return_counts=True)
    return np.minimum(1.0, ROWS_PER_SOURCE / rows)[group]


@dataclass(frozen=True)
class _Space:
    """Standardised dimensions: a typical row is about 1 in each of D; the bias is one more."""

    mean: np.ndarray
    scale: np.ndarray

    def inputs(self, x: np.ndarray) -> np.ndarray:
        """Rows x [N, D] as [N, D + 1]."""
        return np.concatenate([(x - self.mean) / self.scale, np.ones((len(x), 1))], axis=1)

    def inward(self, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """Weights [K, D] and bias [K] as values [K, D + 1]."""
        return np.concatenate([weights * self.scale, (bias + weights @ self.mean)[:, None]], axis=1)

    def outward(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The reverse of :meth:`inward`, float32."""
        weights = values[:, :-1] / self.scale
        return weights.astype(np.float32), (values[:, -1] - weights @ self.mean).astype(np.float32)


def _checked(
    dim: int, sample: Any, x: Any, labels: Any, sources: Any
) -> tuple[_Space, np.ndarray, np.ndarray, np.ndarray]:
    x = check_matrix(x, dim)
    space = _Space(*standardisation(check_matrix(sample, dim)))
    return space, x, names(labels, len(x), "labels"), names(sources, len(x), "sources")


def _softmax(logits: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    total = logsumexp(logits, axis=1)
    return total - (logits * target).sum(axis=1), np.exp(logits - total[:, None])


def _sigmoid(logits: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (np.logaddexp(0.0, logits) - logits * target).sum(axis=1), expit(logits)


def _posterior(
    likelihood: Likelihood, known: tuple[str, ...], prior: np.ndarray, inputs: np.ndarray, labels: np.ndarray,
    agrees: np.ndarray, weights: np.ndarray,
) -> tuple[tuple[str, ...], np.ndarray]:  # fmt: skip
    """The names with those that labels add, and their most probable values [K, D + 1]; a convex problem.

    Args:
        prior: Values of the known names.
        inputs, labels, weights: Of N labelled rows.
        agrees: Where a label says of a known name what the old probe says, bool [N, known] or [N, 1].
    """
    classes = (*known, *sorted({name for label in labels for name in names_of(str(label))} - set(known)))
    added = len(classes) - len(known)
    mean = np.pad(prior, [(0, added), (0, 0)])
    mean[len(known) :, -1] = NEW_LABEL
    deviation = np.repeat([KNOWN, NEW], [len(known), added])[:, None]
    precision = (inputs.shape[1] - 1) / deviation**2  # of each value: a typical row is about 1 in each of D dimensions
    target = membership([str(label) for label in labels], classes).astype(float)
    chances = likelihood(inputs @ prior.T, target[:, : len(known)])[1]
    target[:, : len(known)] = np.where(agrees, chances, target[:, : len(known)])

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        values = flat.reshape(mean.shape)
        change = values - mean
        losses, chances = likelihood(inputs @ values.T, target)
        penalty = precision * change
        value = weights @ losses + 0.5 * float((penalty * change).sum())
        return float(value), (((chances - target) * weights[:, None]).T @ inputs + penalty).ravel()

    result = scipy.optimize.minimize(loss, mean.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return classes, np.asarray(result.x).reshape(mean.shape)
