"""The figures are those that the released weights and caches of views were made with.

``golden_figures.npz`` holds those of this package before they were computed faster, at commit 3ebc933.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.data import corpora
from contrastive_artifacts.models.figures import Figures, window_figures

GOLDEN = Path(__file__).parent / "golden_figures.npz"
RATES = (16000, 44100, 48000)
SECONDS = 3.0


def sounds(rate: int) -> list[np.ndarray]:
    """Four built-in sounds, one of them ending in digital silence, and silence, a constant and a click of 10 ms."""
    corpus = corpora.create("builtin", sources=4, duration_s=SECONDS, seed=5)
    length = round(SECONDS * rate)
    windows = [audio.resample(audio.mono(x), native, rate)[:length] for x, native in map(corpus.load, corpus.clips)]
    windows[0] = np.where(np.arange(length) < length // 2, windows[0], 0).astype(np.float32)
    click = np.where(np.arange(length) // (rate // 100) == 100, 0.5, 0)
    return [*windows, *(x.astype(np.float32) for x in (np.zeros(length), np.full(length, 0.5), click))]


def summary(figures: Figures[np.ndarray]) -> np.ndarray:
    """Figures of the windows, and mean and largest value over time of those of frames: ``[windows, 327]``."""
    over_time = [part.astype(np.float64) for part in (figures.frames, figures.bands)]
    parts = [*(x.mean(1) for x in over_time), *(x.max(1) for x in over_time)]
    return np.concatenate([*parts, figures.window, figures.slow, figures.traces], axis=1).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
def test_figures_do_not_change(rate):
    with np.load(GOLDEN) as golden:
        expected = golden[str(rate)]
    values = summary(window_figures(sounds(rate), rate, SECONDS))
    change = np.abs(values - expected) / np.maximum(expected.std(0), 0.1)
    # Silence and clicks are whitened to the rounding of the processor: not every figure of every window is compared.
    assert np.median(change, axis=0).max() < 1e-3
    assert np.quantile(change, 0.9) < 1e-5
