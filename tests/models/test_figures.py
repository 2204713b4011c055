"""The figures of a window: those of each module, at any rate, and the same for one window as for many."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.core.errors import AudioError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.detail import numpy_detail
from contrastive_artifacts.models.figures import Figures, batched, frame_count, window_figures
from contrastive_artifacts.models.slow import slow_figures
from contrastive_artifacts.models.traces import trace_figures

RATE = 22050


def noise(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate))).astype(np.float32)


def test_figures_are_those_of_each_module():
    x = noise(2.0)
    figures = window_figures([x], RATE, 2.0)
    np.testing.assert_array_equal(figures.window, numpy_detail(x[None], RATE).clip)
    np.testing.assert_array_equal(figures.slow[0], slow_figures(x, RATE))
    np.testing.assert_array_equal(figures.traces[0], trace_figures(x, RATE))
    assert figures.frames.shape[1] == figures.bands.shape[1] == frame_count(2.0) == 125
    assert figures.backbone.shape == (1, 0)


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000, 96000])
def test_every_rate_gives_as_many_frames(rate):
    figures = window_figures([noise(1.6, rate)], rate, 1.6)
    assert figures.frames.shape == (1, 100, 16)
    assert figures.bands.shape == (1, 100, 80)
    assert all(np.isfinite(part).all() for part in figures)


def test_one_window_equals_its_row_in_a_batch():
    windows = [noise(1.6, seed=1), noise(1.6, seed=2)]
    together = window_figures(windows, RATE, 1.6)
    for row, window in enumerate(windows):
        for one, many in zip(window_figures([window], RATE, 1.6), together, strict=True):
            np.testing.assert_allclose(one[0], many[row], atol=1e-5)


def test_the_backbone_gives_mean_maximum_and_deviation_of_its_frames():
    backbone = backbones.create("mn04", "none").eval()
    figures = window_figures([noise(1.6)], RATE, 1.6, backbone)
    assert figures.backbone.shape == (1, 3 * backbone.dim)
    mean, largest = figures.backbone[0, : backbone.dim], figures.backbone[0, backbone.dim : 2 * backbone.dim]
    assert (mean <= largest + 1e-6).all()


def test_batched_stacks_single_windows():
    single = [Figures(*(part[0] for part in window_figures([noise(1.6, seed=s)], RATE, 1.6))) for s in (1, 2, 3)]
    assert batched(single).bands.shape == (3, 100, 80)


def test_silence_is_finite_and_nan_is_refused():
    silent = window_figures([np.zeros(round(1.6 * RATE), np.float32)], RATE, 1.6)
    assert all(np.isfinite(part).all() for part in silent)
    broken = noise(1.6)
    broken[100] = np.nan
    with pytest.raises(AudioError, match="NaN"):
        window_figures([broken], RATE, 1.6)
