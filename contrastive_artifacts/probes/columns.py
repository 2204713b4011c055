"""The columns that a probe adds to a table of embeddings: its verdict on each row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from .either import AnyProbe
from .label_sets import labels_of
from .sets import SetProbe

CHANCE = "chance_"  # prefix of the columns of a probe of label sets, one for each artifact


def verdict_columns(
    probe: AnyProbe, labels: Sequence[str], probabilities: np.ndarray, severities: np.ndarray
) -> dict[str, pa.Array]:
    """``heard``, ``heard_severity`` and ``heard_probability``: label, severity and probability of the verdict.

    The severity of clean is 0, an unknown one NaN. A probe of label sets adds ``present``, the artifacts that are there
    ("hiss, hum"; "clean" where none is), and for each artifact its chance, as ``chance_hum``.

    Args:
        probe: Gives the verdicts.
        labels: Names of the K columns of the two arrays.
        probabilities, severities: [N, K].
    """
    verdicts = probe.verdicts(probabilities, severities)
    columns = {
        "heard": pa.array([labels[label] for label in verdicts.labels.tolist()], pa.string()),
        "heard_severity": pa.array(verdicts.severities),
        "heard_probability": pa.array(verdicts.probabilities),
    }
    if isinstance(probe, SetProbe):
        columns["present"] = pa.array(labels_of(labels, probe.present(probabilities)), pa.string())
        chances = probabilities.astype(np.float32).T
        columns |= {f"{CHANCE}{name}": pa.array(chances[k]) for k, name in enumerate(labels) if k}
    return columns
