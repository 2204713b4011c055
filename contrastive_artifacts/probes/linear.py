"""Linear probes: calibrated logistic regression for the type, ridge regression for the severity; inference in NumPy."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..core.errors import ParameterError
from .calibration import calibrated_loss, fit_temperature, probabilities_of
from .data import check_matrix, grouped_folds, names, training_set
from .storage import PROBES

# Penalty weight per training row (1 / (C N) of scikit-learn), from strong to weak: each fit starts from the one before.
STRENGTHS: dict[str, tuple[float, ...]] = {
    "l2": (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001),
    "l1": (0.03, 0.01, 0.003),
}
# With three folds, the models that the temperature is fitted on are so much weaker than the final one that the final
# one is under-confident.
FOLDS = 5
# (in the folds, in the final fit). The slow l1 solver ranks the strengths long before its weights converge to zero.
_TOLERANCE = {"l2": (1e-4, 1e-4), "l1": (1e-1, 1e-2)}
_RIDGE = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)  # times the number of rows
_ABSENT = -50.0  # bias of a class without training rows in a fold


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """Multinomial logistic regression; standardisation is folded into the weights.

    Attributes:
        classes: K names, sorted.
        weights, bias: float32 [K, D], [K].
        temperature: Fitted on out-of-fold predictions, grouped by source (Guo et al. 2017).
        strength: Penalty weight per training row that the grouped cross-validation chose.
    """

    kind: ClassVar[str] = "linear"
    classes: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray
    temperature: float
    strength: float
    penalty: str = "l2"

    @classmethod
    def fit(
        cls, x: Any, labels: Any, sources: Any, penalty: str = "l2", strengths: Sequence[float] | None = None
    ) -> LinearProbe:
        """Chooses strength and temperature by 5-fold cross-validation grouped by source, then fits on every row.

        Args:
            x: [N, D].
            labels: [N] class names, two or more.
            sources: [N] split keys, two or more.
            penalty: "l2", or "l1" (sparse weights; about four times slower).
            strengths: Penalty weights to choose from; a single one is used without a choice.

        Raises:
            ParameterError: unfit shapes or values, or a single class.
            SplitError: fewer than two sources.
        """
        if penalty not in STRENGTHS:
            raise ParameterError(f"penalty is {penalty!r}; choose one of {', '.join(STRENGTHS)}.")
        grid = tuple(sorted(STRENGTHS[penalty] if strengths is None else strengths, reverse=True))
        if not grid or min(grid) <= 0:
            raise ParameterError(f"strengths are {strengths!r}; give positive numbers.")
        x, labels, sources = training_set(x, labels, sources)
        classes, target = np.unique(labels, return_inverse=True)
        rough, fine = _TOLERANCE[penalty]
        logits: list[list[np.ndarray]] = [[] for _ in grid]
        held_out: list[np.ndarray] = []
        for train, test in grouped_folds(labels, sources, FOLDS):
            test = test[np.isin(target[test], target[train])]  # classes of the training rows
            held_out.append(target[test])
            for at, (weights, bias) in enumerate(_path(x[train], target[train], len(classes), penalty, grid, rough)):
                logits[at].append(x[test] @ weights.T + bias)
        truth = np.concatenate(held_out)
        scores = []
        for parts in logits:
            outputs = np.concatenate(parts).astype(np.float64)
            temperature = fit_temperature(outputs, truth)
            scores.append((calibrated_loss(outputs, truth, temperature), temperature))
        best = int(np.argmin([loss for loss, _ in scores]))
        *_, (weights, bias) = _path(x, target, len(classes), penalty, grid[: best + 1], fine)
        return cls(tuple(map(str, classes)), weights, bias, scores[best][1], float(grid[best]), penalty)

    def again(self, x: Any, labels: Any) -> LinearProbe:
        """Fits a probe on other rows with the penalty, strength and temperature of this one, without a search.

        Raises:
            ParameterError: as :meth:`fit`.
        """
        x, labels, _ = training_set(x, labels, labels)
        classes, target = np.unique(labels, return_inverse=True)
        fine = _TOLERANCE[self.penalty][1]
        weights, bias = next(_path(x, target, len(classes), self.penalty, (self.strength,), fine))
        return replace(self, classes=tuple(map(str, classes)), weights=weights, bias=bias)

    def logits(self, x: Any) -> np.ndarray:
        """Before temperature and softmax, float32 [N, K]."""
        return check_matrix(x, self.weights.shape[1]) @ self.weights.T + self.bias

    def predict_proba(self, x: Any) -> np.ndarray:
        """Calibrated probabilities, float64 [N, K] in the order of ``classes``."""
        return probabilities_of(self.logits(x), self.temperature)

    def predict(self, x: Any) -> np.ndarray:
        """The most probable class of each row, [N] strings."""
        return np.array(self.classes)[self.logits(x).argmax(axis=1)]

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        record = {"classes": list(self.classes), "temperature": self.temperature}
        return {"weights": self.weights, "bias": self.bias}, record | {
            "strength": self.strength,
            "penalty": self.penalty,
        }

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> LinearProbe:
        classes, weights, bias = tuple(map(str, record["classes"])), arrays["weights"], arrays["bias"]
        temperature, strength = float(record["temperature"]), float(record["strength"])
        if weights.ndim != 2 or len(weights) != len(classes) or bias.shape != (len(classes),) or not temperature > 0:
            raise ValueError(f"weights {weights.shape}, bias {bias.shape} do not fit {len(classes)} classes")
        return cls(classes, weights, bias, temperature, strength, str(record["penalty"]))


@dataclass(frozen=True, eq=False)
class SeverityProbe:
    """Severity of one artifact, given that it is present: ridge regression clipped to [0, 1].

    Attributes:
        weights: float32 [D]; bias: float; alpha: ridge weight chosen by grouped cross-validation.
    """

    kind: ClassVar[str] = "severity"
    weights: np.ndarray
    bias: float
    alpha: float

    @classmethod
    def fit(cls, x: Any, severity: Any, sources: Any) -> SeverityProbe:
        """Fits on views of one artifact, without clean views: at severity 0 these would make it a detector.

        Args:
            x: [N, D].
            severity: [N] in [0, 1].
            sources: [N] split keys; with a single source the ridge weight is the strongest of the choices.

        Raises:
            ParameterError: unfit shapes or values, no rows, a severity outside [0, 1].
        """
        x = check_matrix(x)
        severity, sources = np.asarray(severity, dtype=np.float64), names(sources, len(x), "sources")
        if severity.shape != (len(x),) or not len(x) or not ((severity >= 0) & (severity <= 1)).all():
            raise ParameterError(f"severity has shape {severity.shape}; give {len(x)} (not 0) values in [0, 1].")
        order = np.lexsort((*x[:, :4].T, severity, sources))
        x, severity, sources = x[order], severity[order], sources[order]
        alpha = _RIDGE[-1]
        if len(np.unique(sources)) > 1:
            errors = np.zeros(len(_RIDGE))
            for train, test in grouped_folds(np.zeros(len(x)), sources):
                for at, candidate in enumerate(_RIDGE):
                    weights, bias = _ridge(x[train], severity[train], candidate)
                    errors[at] += np.square((x[test] @ weights + bias).clip(0, 1) - severity[test]).sum()
            alpha = _RIDGE[int(errors.argmin())]
        weights, bias = _ridge(x, severity, alpha)
        return cls(weights, bias, alpha)

    def predict(self, x: Any) -> np.ndarray:
        """Severity in [0, 1], float32 [N]."""
        return (check_matrix(x, len(self.weights)) @ self.weights + np.float32(self.bias)).clip(0.0, 1.0)

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {"weights": self.weights}, {"bias": self.bias, "alpha": self.alpha}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> SeverityProbe:
        if arrays["weights"].ndim != 1:
            raise ValueError(f"weights {arrays['weights'].shape} are not [D]")
        return cls(arrays["weights"], float(record["bias"]), float(record["alpha"]))


PROBES.register(LinearProbe.kind, LinearProbe)
PROBES.register(SeverityProbe.kind, SeverityProbe)


def standardisation(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and scale [D] of each dimension; a dimension that does not vary gets scale 1."""
    scale = x.std(axis=0, dtype=np.float64)
    mean = x.mean(axis=0, dtype=np.float64)
    still = scale <= 1e-6 * np.maximum(np.abs(mean), 1e-6)
    return mean, np.where(still, 1.0, scale)


def _path(
    x: np.ndarray, target: np.ndarray, count: int, penalty: str, strengths: Sequence[float], tolerance: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Weights [K, D] and bias [K] for x as it is (not standardised), for each strength from that of the one before."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    mean, scale = standardisation(x)
    standard = ((x - mean) / scale).astype(np.float32)
    solver = {"solver": "saga", "l1_ratio": 1.0} if penalty == "l1" else {"solver": "lbfgs"}
    model = LogisticRegression(warm_start=True, max_iter=300, tol=tolerance, random_state=0, **solver)
    for strength in strengths:
        model.C = 1.0 / (strength * len(x))
        with warnings.catch_warnings():
            # Weak penalties on separable data do not converge; held-out rows decide which strength is used.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(standard, target)
        coefficients, intercept = model.coef_.astype(np.float64), model.intercept_.astype(np.float64)
        if len(coefficients) == 1:  # of two classes; half of it for each gives the same probabilities
            coefficients = np.concatenate([-coefficients, coefficients]) / 2
            intercept = np.concatenate([-intercept, intercept]) / 2
        weights, bias = np.zeros((count, x.shape[1])), np.full(count, _ABSENT)
        weights[model.classes_] = coefficients / scale
        bias[model.classes_] = intercept - weights[model.classes_] @ mean
        yield weights.astype(np.float32), bias.astype(np.float32)


def _ridge(x: np.ndarray, severity: np.ndarray, alpha: float) -> tuple[np.ndarray, float]:
    from sklearn.linear_model import Ridge

    mean, scale = standardisation(x)
    model = Ridge(alpha=alpha * len(x)).fit((x - mean) / scale, severity)
    weights = model.coef_ / scale
    return weights.astype(np.float32), float(model.intercept_ - weights @ mean)
