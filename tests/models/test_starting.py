"""A training that starts from another encoder: the wider one computes the same, and its copies can become different."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.figure_encoder import FigureEncoder, FigureSettings
from contrastive_artifacts.models.figures import FRAME_SIZES, WINDOW_SIZES, Figures
from contrastive_artifacts.models.starting import start_from

STATES = ("clean", "hum", "clicks", "hiss")
SETTINGS = FigureSettings(
    STATES, window_s=1.6, figures=16, channels=16, backbone=4, hidden=16, embedding=8, dropout=0.0
)


def random_figures(pooled: int) -> Figures[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(5, 100, size) for size in FRAME_SIZES.values()] + [(5, size) for size in WINDOW_SIZES.values()]
    return Figures(*(torch.randn(shape, generator=generator) for shape in [*shapes, (5, pooled)]))


def make(network: backbones.Backbone | None = None, **widths: float) -> FigureEncoder:
    torch.manual_seed(1)
    encoder = FigureEncoder(dataclasses.replace(SETTINGS, **widths), network).eval()
    for norm in encoder.norms:  # not the ones and zeros of the beginning
        torch.nn.init.normal_(norm.weight)
        torch.nn.init.normal_(norm.bias)
    return encoder


@pytest.mark.parametrize(
    "widths", [{}, {"figures": 48}, {"channels": 32}, {"figures": 32, "channels": 48, "context_s": 1.8}]
)
def test_a_wider_encoder_computes_the_same(widths: dict[str, float]) -> None:
    narrow, wide, figures = make(), make(**widths), random_figures(0)
    start_from(wide, narrow, noise=0)
    for before, after in zip(narrow(figures), wide(figures), strict=True):
        torch.testing.assert_close(after, before, atol=2e-6, rtol=1e-5)


def test_a_wider_branch_of_the_backbone_too() -> None:
    network = backbones.create("mn04", "none")
    narrow, wide = make(network), make(network, backbone=12)
    figures = random_figures(3 * network.dim)
    start_from(wide, narrow, noise=0)
    torch.testing.assert_close(wide(figures).logits, narrow(figures).logits, atol=2e-6, rtol=1e-5)


def test_noise_tells_the_copies_apart_and_equal_widths_have_none() -> None:
    narrow, wide, same, figures = make(), make(figures=32, channels=32), make(), random_figures(0)
    start_from(wide, narrow)
    first, second = wide.window[0].weight.detach().reshape(2, 16, -1)
    deviation = (first - second).std() / (2**0.5 * narrow.window[0].weight.detach().std())
    assert float(deviation) == pytest.approx(0.1, rel=0.1)
    torch.testing.assert_close(wide(figures).logits, narrow(figures).logits, atol=0.1, rtol=0.1)
    start_from(same, narrow)
    assert same.fingerprint() == narrow.fingerprint()


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        ({"figures": 24}, "figures: 16, here 24"),
        ({"channels": 8}, "channels: 16, here 8"),
        ({"hidden": 32}, "hidden: 16, here 32"),
        ({"states": ("clean", "hum")}, "states: "),
    ],
)
def test_other_sizes_are_refused(widths: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        start_from(make(**widths), make())
