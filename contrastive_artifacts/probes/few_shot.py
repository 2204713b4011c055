"""A handful of examples of an artifact that nothing was trained on: do they find their own kind?"""

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
    """How well the mean of some examples finds other examples.

    Args:
        precision_at_10: Mean over the draws; the sources of the examples are left out of what is searched.
        deviation: Of the draws.
        chance: Mean share of the wanted kind among what was searched.
    """

    precision_at_10: float
    deviation: float
    chance: float


def few_shot(x: Any, labels: Any, sources: Any, wanted: str, shots: int = 5, draws: int = 50, seed: int = 0) -> FewShot:
    """Searches by the unit mean of ``shots`` random examples of ``wanted``, each of another source.

    Args:
        x: [N, D]; what is searched, with the examples in it.
        labels, sources: [N].
        draws: Times that examples are drawn anew.

    Raises:
        ParameterError: fewer than ``shots`` + 1 sources have the label.
    """
    unit = unit_rows(check_matrix(x))
    labels, sources = names(labels, len(unit), "labels"), names(sources, len(unit), "sources")
    having = np.unique(sources[labels == wanted])
    if len(having) <= shots:
        raise ParameterError(f"{len(having)} sources have {wanted!r}; {shots} examples take {shots + 1} at least.")
    found, chances = [], []
    for draw in range(draws):
        rng = generator("few_shot", seed, wanted, draw)
        chosen = rng.permutation(having)[:shots]
        rows = [rng.choice(np.flatnonzero((sources == source) & (labels == wanted))) for source in chosen]
        pool = np.flatnonzero(~np.isin(sources, chosen))
        scores = unit[pool] @ unit[rows].mean(axis=0)
        best = pool[np.argsort(-scores, kind="stable")[:10]]
        found.append(float((labels[best] == wanted).mean()))
        chances.append(float((labels[pool] == wanted).mean()))
    return FewShot(float(np.mean(found)), float(np.std(found)), float(np.mean(chances)))
