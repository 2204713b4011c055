"""The probe that is saved with an encoder: a classifier of artifacts and a severity estimate for each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..artifacts import CLEAN
from ..core.errors import ParameterError, StorageError
from .data import Embedded, task_labels
from .linear import LinearProbe, SeverityProbe
from .storage import check_fingerprint, read_state, write_state
from .verdicts import Verdicts

CLEAN_WEIGHT = 2  # a false alarm costs more than a missed artifact that is just noticeable; figures in LOG.md


@dataclass(frozen=True, eq=False)
class Probe:
    """A calibrated type probe and one severity probe per artifact, for the vectors of one encoder.

    Attributes:
        type: Over "clean" and the artifacts.
        severity: Artifact -> its severity probe; labels that users added have none.
        fingerprint: Of the encoder that computed its training vectors.
    """

    type: LinearProbe
    severity: dict[str, SeverityProbe]
    fingerprint: str

    @classmethod
    def fit(cls, train: Embedded, fingerprint: str) -> Probe:
        """Fits all parts on ``train``; penalties are chosen across its sources, clean rows count CLEAN_WEIGHT times.

        Raises:
            ParameterError, SplitError: as :meth:`LinearProbe.fit` and :meth:`SeverityProbe.fit`.
        """
        labels, rows = type_rows(train)
        probe = LinearProbe.fit(train.x[rows], labels[rows], train.source[rows])
        return cls(probe, severity_probes(train), fingerprint)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.type.classes

    def classify(
        self, vector: Any, fingerprint: str | None = None
    ) -> tuple[str, dict[str, float], dict[str, float | None]]:
        """Label, class -> probability (sum 1), and artifact -> severity in [0, 1], for one vector [D].

        The severity is the one that the artifact has if it is present; None where it is unknown.

        Raises:
            FingerprintError: ``fingerprint`` is given and is of another encoder.
        """
        vector = np.asarray(vector)
        if vector.ndim != 1:
            raise ParameterError(f"vector has shape {vector.shape}, not [D]; classify_batch takes several.")
        probabilities, severities = self.classify_batch(vector[None], fingerprint)
        label = self.classes[int(self.verdicts(probabilities, severities).labels[0])]
        severity = {
            name: None if np.isnan(value) else float(value)
            for name, value in zip(self.classes, severities[0], strict=True)
            if name != CLEAN
        }
        return label, dict(zip(self.classes, probabilities[0].tolist(), strict=True)), severity

    def classify_batch(self, x: Any, fingerprint: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities float64 [N, K] and severities float32 [N, K] of x [N, D], columns in the order of ``classes``.

        Severities are 0 for clean and NaN (unknown) for labels without a severity probe, those that users added.
        """
        check_fingerprint(self.fingerprint, fingerprint)
        probabilities = self.type.predict_proba(x)
        severities = np.full(probabilities.shape, np.nan, np.float32)
        for column, name in enumerate(self.classes):
            if name == CLEAN:
                severities[:, column] = 0.0
            elif name in self.severity:
                severities[:, column] = self.severity[name].predict(x)
        return probabilities, severities

    def verdicts(self, probabilities: np.ndarray, severities: np.ndarray) -> Verdicts:
        """The most probable class of each row of what :meth:`classify_batch` gives."""
        return Verdicts.of(probabilities, severities)

    def save(self, directory: str | Path) -> None:
        """Writes probe.safetensors and probe.json into ``directory``."""
        arrays, record = self.type.state()
        severity: dict[str, Any] = {}
        flat = {f"type.{name}": array for name, array in arrays.items()}
        for artifact, probe in self.severity.items():
            arrays, severity[artifact] = probe.state()
            flat |= {f"severity.{artifact}.{name}": array for name, array in arrays.items()}
        write_state(directory, flat, {"kind": "bundle", "type": record, "severity": severity}, self.fingerprint)

    @classmethod
    def load(cls, directory: str | Path, fingerprint: str | None = None) -> Probe:
        """Loads what :meth:`save` wrote.

        Raises:
            FingerprintError: it is of another encoder than ``fingerprint``.
            StorageError: a file is missing, damaged or of another version.
        """
        return cls.of_state(directory, *read_state(directory, fingerprint))

    @classmethod
    def of_state(
        cls, directory: str | Path, flat: dict[str, np.ndarray], record: dict[str, Any], fingerprint: str
    ) -> Probe:
        """The probe that :func:`.storage.read_state` has read from ``directory``, which messages name."""

        def arrays_of(prefix: str) -> dict[str, np.ndarray]:
            return {name[len(prefix) :]: array for name, array in flat.items() if name.startswith(prefix)}

        try:
            if record["kind"] != "bundle":
                raise ValueError(f"kind {record['kind']!r} is not a bundle")
            probe = LinearProbe.from_state(arrays_of("type."), record["type"])
            severity = {
                str(name): SeverityProbe.from_state(arrays_of(f"severity.{name}."), entry)
                for name, entry in record["severity"].items()
            }
            if any(len(part.weights) != probe.weights.shape[1] for part in severity.values()):
                raise ValueError("severity and type probes take vectors of different sizes")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StorageError(f"{directory} does not describe a probe ({error}); train it again.") from None
        return cls(probe, severity, fingerprint)


def severity_probes(train: Embedded) -> dict[str, SeverityProbe]:
    """Artifact -> severity probe, fitted on the views of that artifact; rows of unknown severity are left out."""
    probes, known = {}, np.isfinite(train.severity)
    for artifact in np.unique(train.artifact[(train.artifact != CLEAN) & known]):
        rows = (train.artifact == artifact) & known
        probes[str(artifact)] = SeverityProbe.fit(train.x[rows], train.severity[rows], train.source[rows])
    return probes


def type_rows(train: Embedded) -> tuple[np.ndarray, np.ndarray]:
    """Labels [N], and the row numbers that the type probe is fitted on, those of clean rows CLEAN_WEIGHT times."""
    labels = task_labels(train.artifact, "type")
    return labels, np.repeat(np.arange(len(train)), np.where(labels == CLEAN, CLEAN_WEIGHT, 1))
