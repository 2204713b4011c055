"""Detail figures, version 1: independent of level, finite for silence, and each artifact changes the figure for it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from contrastive_artifacts.models.detail import DETAIL_SIZE, Detail
from contrastive_artifacts.models.detail.resampled import EDGES, FEATURES

RATE = 32000
MAXIMUM = 3  # mean, deviation, minimum, maximum, step


def noise(seconds: float = 1.0) -> torch.Tensor:
    g = torch.Generator().manual_seed(0)
    return 0.1 * torch.randn(1, int(seconds * RATE), generator=g)


def feature(values: torch.Tensor, statistic: int, number: int) -> float:
    return values[0, 2 * len(EDGES) + statistic * FEATURES + number].item()


@pytest.fixture
def detail() -> Detail:
    return Detail(RATE)


@pytest.mark.parametrize("gain", [0.01, 0.5, 8.0])
def test_level_does_not_matter(detail, gain):
    assert torch.allclose(detail(noise() * gain), detail(noise()), atol=2e-3)


def test_clipping_raises_the_edges_of_its_own_sign(detail):
    x = noise()
    clipped = x.clamp(max=x.quantile(0.97))
    before, after = detail(x)[0], detail(clipped)[0]
    assert after[0] > before[0] + 0.5  # share of samples beyond .99 of the positive peak
    assert after[len(EDGES)] == pytest.approx(before[len(EDGES)].item(), abs=1e-6)  # the negative side is untouched


def test_a_click_raises_the_bend(detail):
    x = torch.from_numpy(np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE)[None] * 0.3).float()
    clicked = x.clone()
    clicked[0, 12345] += 0.05  # far below the tone: invisible in level and crest
    assert feature(detail(clicked), MAXIMUM, 6) > feature(detail(x), MAXIMUM, 6) + 0.5
    assert feature(detail(clicked), MAXIMUM, 0) == pytest.approx(feature(detail(x), MAXIMUM, 0), abs=0.05)


def test_a_dropout_is_a_share_of_silence(detail):
    x = noise()
    x[:, 10000:14000] = 0
    assert feature(detail(x), MAXIMUM, 4) == 1
    assert feature(detail(noise()), MAXIMUM, 4) < 0.05


def test_batch_equals_single_and_degenerate_input_is_finite(detail):
    x = torch.cat([noise(), noise().flip(1), torch.zeros(1, RATE), torch.ones(1, RATE)])
    together = detail(x)
    assert together.shape == (4, DETAIL_SIZE)
    assert torch.isfinite(together).all()
    assert torch.allclose(together, torch.cat([detail(row[None]) for row in x]), atol=1e-6)
    assert torch.isfinite(detail(torch.zeros(1, 1))).all()
