"""Small synthetic spaces: a content vector per source, a direction per artifact, noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from contrastive_artifacts.probes import Embedded

TYPES = ("clean", "hiss", "hum", "clicks")


def make_space(
    sources: int = 30, draws: int = 2, dim: int = 16, content: float = 1.0, artifact: float = 2.0, seed: int = 0
) -> Embedded:
    """``sources`` x 4 states x ``draws`` rows; severity scales the artifact's direction, the same for every seed."""
    rng = np.random.default_rng(seed)
    directions = np.random.default_rng(99).standard_normal((len(TYPES), dim)) * artifact / np.sqrt(dim)
    source = np.repeat(np.arange(sources), len(TYPES) * draws)
    state = np.tile(np.arange(len(TYPES)), sources * draws)
    severity = np.where(state == 0, 0.0, rng.uniform(0, 1, len(state)))
    x = content * rng.standard_normal((sources, dim))[source] / np.sqrt(dim)
    x = x + directions[state] * np.where(state == 0, 1.0, 0.5 + severity)[:, None]
    x = x + 0.1 * rng.standard_normal(x.shape) / np.sqrt(dim)
    return Embedded(x, np.array(TYPES)[state], severity, np.char.add(f"{seed}-", source.astype(str)))


@pytest.fixture(scope="session")
def space() -> Callable[..., Embedded]:
    return make_space


@pytest.fixture(scope="session")
def train() -> Embedded:
    return make_space(seed=1)


@pytest.fixture(scope="session")
def test() -> Embedded:
    return make_space(seed=2)
