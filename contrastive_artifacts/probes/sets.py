"""The probe of an encoder of label sets: a calibrated chance of each fault, thresholds for a rate of false alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit

from ..artifacts import CLEAN
from ..core.errors import ParameterError, StorageError
from .label_sets import labels_of
from .storage import check_fingerprint, read_state, write_state
from .verdicts import Verdicts

KIND = "sets"
SURE = 0.5  # threshold of a probe that has no measured thresholds
ALARMS_PER_HOUR = 6.0  # false segments per hour of a scan, if nothing is said
LEAVE = 1.0  # a segment goes on while the chance is at most this far below the threshold, in natural log odds


@dataclass(frozen=True, eq=False)
class SetProbe:
    """Independent chances of all faults, linear in the unit vector h, with severities and thresholds.

    Attributes:
        classes: ``"clean"`` first; its chance is that no fault is there.
        weights, bias: float32 [K, D], [K]: calibrated log odds.
        severity_weights, severity_bias: float32 [J, D], [J]: log odds of the severity, which lies in [0, 1], of the
            first J classes; the others are names that users added, whose severity is unknown.
        fingerprint: Of the encoder that computed its training vectors.
        thresholds: False segments per hour over all faults -> float32 [K], the chance at which a segment of a scan
            begins; that of "clean" is not used.
        clean_weight: How many times as frequent clean windows are, relative to others, as among the views that
            calibrated the chances; above 0.
        of_window: The chance, weighed by ``clean_weight``, above which a fault counts as present in a single window. A
            scan sees a fault in neighbouring windows, and long recordings give it many occasions to err, so it has
            other thresholds.
    """

    classes: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray
    severity_weights: np.ndarray
    severity_bias: np.ndarray
    fingerprint: str
    thresholds: Mapping[float, np.ndarray] = field(default_factory=dict)
    clean_weight: float = 1.0
    of_window: float = SURE

    def __post_init__(self) -> None:
        if self.classes[:1] != (CLEAN,) or len(set(self.classes)) != len(self.classes):
            raise ParameterError(f"classes must begin with {CLEAN!r} and hold no name twice; got {self.classes}.")
        count, shape, graded = len(self.classes), self.weights.shape, self.severity_bias.shape
        rows = [self.bias.shape, *(row.shape for row in self.thresholds.values())]
        fit = len(shape) == 2 and shape[0] == count and set(rows) == {(count,)} and len(graded) == 1
        if not fit or self.severity_weights.shape != (*graded, shape[1]) or not 1 <= graded[0] <= count:
            shapes = [shape, self.severity_weights.shape, graded, *rows]
            raise ParameterError(f"The arrays of the probe do not fit {count} classes: {shapes}.")
        if not self.clean_weight > 0 or not 0 < self.of_window < 1:
            raise ParameterError(
                f"clean_weight={self.clean_weight} must be above 0, of_window={self.of_window} in (0, 1)."
            )

    def classify_batch(self, x: Any, fingerprint: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Chances float64 [N, K] and severities float32 [N, K] of unit vectors x [N, D].

        Severities are 0 for clean and NaN (unknown) for names that users added.
        """
        check_fingerprint(self.fingerprint, fingerprint)
        x = np.asarray(x, np.float32)
        severities = np.full((len(x), len(self.classes)), np.nan, np.float32)
        severities[:, : len(self.severity_bias)] = expit(x @ self.severity_weights.T + self.severity_bias)
        severities[:, 0] = 0.0
        return expit((x @ self.weights.T + self.bias).astype(np.float64)), severities

    def enter(self, alarms_per_hour: float | None = None) -> np.ndarray:
        """Thresholds float32 [K] of a scan for a number of false segments per hour, ALARMS_PER_HOUR by default.

        Between measured numbers the thresholds are interpolated; beyond them the nearest is used.

        Raises:
            ParameterError: a number that is not above 0, or thresholds were not measured.
        """
        if alarms_per_hour is not None and not alarms_per_hour > 0:
            raise ParameterError(f"alarms_per_hour must be above 0; got {alarms_per_hour}.")
        if not self.thresholds:
            if alarms_per_hour is not None:
                raise ParameterError("This probe has no thresholds; measure them, or leave alarms_per_hour out.")
            return np.full(len(self.classes), SURE, np.float32)
        rates = np.array(sorted(self.thresholds))
        rate = ALARMS_PER_HOUR if alarms_per_hour is None else alarms_per_hour
        table = np.stack([logit(np.clip(self.thresholds[key], 1e-6, 1 - 1e-6)) for key in rates.tolist()])
        at = [np.interp(np.log(rate), np.log(rates), column) for column in table.T]
        return np.asarray(expit(at), np.float32)

    def leave(self, alarms_per_hour: float | None = None) -> np.ndarray:
        """Chances float32 [K] at which a segment of a scan ends."""
        odds = logit(np.clip(self.enter(alarms_per_hour), 1e-6, 1 - 1e-6)) - LEAVE
        return np.asarray(expit(odds), np.float32)

    def present(self, probabilities: np.ndarray, alarms_per_hour: float | None = None) -> np.ndarray:
        """Which faults are above their thresholds: bool [..., K], False for clean.

        The thresholds are that of a single window (SURE for names that users added, whose chances are not calibrated),
        or those of a scan with a number of false segments per hour.
        """
        if alarms_per_hour is None:
            added = np.arange(len(self.classes)) >= len(self.severity_bias)
            above = self.weighed(probabilities) >= np.where(added, SURE, self.of_window)
        else:
            above = probabilities >= self.enter(alarms_per_hour)
        above[..., 0] = False
        return above

    def weighed(self, probabilities: np.ndarray) -> np.ndarray:
        """The chances [..., K] where clean windows are ``clean_weight`` times as frequent (prior shift).

        A fault beside one that is surely there needs less evidence than a fault alone, as the window is not clean
        anyway (Saerens, Latinne & Decaestecker, Neural Computation 14(1), 2002).
        """
        clean = probabilities[..., :1]
        weights = np.ones(probabilities.shape[-1])
        weights[0] = self.clean_weight
        chances: np.ndarray = probabilities * weights / (clean * self.clean_weight + 1 - clean)
        return chances

    @staticmethod
    def most_severe(present: np.ndarray, severities: np.ndarray) -> np.ndarray:
        """Number of the most severe fault of those that are present [..., K], 0 (clean) where none is.

        A fault of unknown severity comes after all others.
        """
        best: np.ndarray = np.where(present, np.nan_to_num(severities) + 1.0, 0.0).argmax(-1)
        return best

    def predict(self, x: Any) -> np.ndarray:
        """The label of each row x [N, D], texts [N] of :mod:`.label_sets`: all faults that are present, or "clean"."""
        return np.array(labels_of(self.classes, self.present(self.classify_batch(x)[0])), str)

    def verdicts(self, probabilities: np.ndarray, severities: np.ndarray) -> Verdicts:
        """The most severe of the faults that are present in each row, or clean."""
        best = self.most_severe(self.present(probabilities), severities)
        each = np.arange(len(best))
        return Verdicts(
            best.astype(np.int32),
            severities[each, best].astype(np.float32),
            probabilities[each, best].astype(np.float32),
        )

    def save(self, directory: str | Path) -> None:
        """Writes probe.safetensors and probe.json into ``directory``."""
        arrays = {
            "weights": self.weights, "bias": self.bias,
            "severity_weights": self.severity_weights, "severity_bias": self.severity_bias,
        }  # fmt: skip
        rates = sorted(self.thresholds)
        arrays |= {f"thresholds.{n}": self.thresholds[rate] for n, rate in enumerate(rates)}
        record = {
            "kind": KIND, "classes": list(self.classes), "alarms_per_hour": rates,
            "clean_weight": self.clean_weight, "of_window": self.of_window,
        }  # fmt: skip
        write_state(directory, {k: np.asarray(v, np.float32) for k, v in arrays.items()}, record, self.fingerprint)

    @classmethod
    def load(cls, directory: str | Path, fingerprint: str | None = None) -> SetProbe:
        """Loads what :meth:`save` wrote.

        Raises:
            FingerprintError: it is of another encoder than ``fingerprint``.
            StorageError: a file is missing, damaged or of another version.
        """
        return cls.of_state(directory, *read_state(directory, fingerprint))

    @classmethod
    def of_state(
        cls, directory: str | Path, arrays: dict[str, np.ndarray], record: dict[str, Any], fingerprint: str
    ) -> SetProbe:
        """The probe that :func:`.storage.read_state` has read from ``directory``, which messages name."""
        try:
            if record["kind"] != KIND:
                raise ValueError(f"kind {record['kind']!r} is not {KIND!r}")
            rates = [float(rate) for rate in record["alarms_per_hour"]]
            thresholds = {rate: arrays[f"thresholds.{n}"] for n, rate in enumerate(rates)}
            parts = (arrays[name] for name in ("weights", "bias", "severity_weights", "severity_bias"))
            weights, bias, severity_weights, severity_bias = parts
            return cls(
                tuple(record["classes"]), weights, bias, severity_weights, severity_bias, fingerprint, thresholds,
                float(record["clean_weight"]), float(record["of_window"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, ParameterError) as error:
            raise StorageError(f"{directory} does not describe a probe ({error}); train it again.") from None
