"""Few-shot search: whether some examples of an artifact, unknown to the encoder, retrieve others of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import ParameterError
from ..core.seeding import generator
from ..core.vectors import unit_rows
from .data import check_matrix, names


@dataclass(frozen=True)
class FewShot:
    """Precision of a search by the mean of some examples.

    Args:
        precision_at_10: Mean over the draws; rows of the sources of the examples are not searched.
        deviation: Standard deviation over the draws.
        chance: Mean share of the label among the searched rows.
    """

    precision_at_10: float
    deviation: float
    chance: float


def few_shot(x: Any, labels: Any, sources: Any, label: str, shots: int = 5, draws: int = 50, seed: int = 0) -> FewShot:
    """Searches by the mean of ``shots`` random unit vectors of ``label``, each of another source.

    Args:
        x: [N, D]; the searched rows and the examples.
        labels, sources: [N].
        label: Of the examples.
        draws: Number of random draws of examples.

    Raises:
        ParameterError: fewer than ``shots`` + 1 sources have the label.
    """
    unit = unit_rows(check_matrix(x))
    labels, sources = names(labels, len(unit), "labels"), names(sources, len(unit), "sources")
    label_sources = np.unique(sources[labels == label])
    if len(label_sources) <= shots:
        raise ParameterError(
            f"{len(label_sources)} sources have {label!r}; {shots} examples take {shots + 1} at least."
        )
    precisions, chances = [], []
    for draw in range(draws):
        rng = generator("few_shot", seed, label, draw)
        chosen = rng.permutation(label_sources)[:shots]
        rows = [rng.choice(np.flatnonzero((sources == source) & (labels == label))) for source in chosen]
        pool = np.flatnonzero(~np.isin(sources, chosen))
        scores = unit[pool] @ unit[rows].mean(axis=0)
        best = pool[np.argsort(-scores, kind="stable")[:10]]
        precisions.append(float((labels[best] == label).mean()))
        chances.append(float((labels[pool] == label).mean()))
    return FewShot(float(np.mean(precisions)), float(np.std(precisions)), float(np.mean(chances)))
