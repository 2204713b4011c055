"""Polarity: which channel, from which frequency on."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.dsp.channels import pick_channel

RATE = 44100
POLARITY = artifacts.artifact("polarity")


@pytest.mark.parametrize("share", [0.0, 0.6, 1.0])
def test_only_the_picked_channel_changes(share: float, wide: np.ndarray) -> None:
    out = POLARITY.apply(wide, RATE, {"corner_hz": 500.0, "channel": share})
    changed = np.flatnonzero((wide != out).any(axis=1))
    assert_array_equal(changed, [pick_channel(wide, share)])


@pytest.mark.parametrize("rate", [8000, 44100, 96000])
def test_frequencies_above_the_corner_are_inverted(rate: int) -> None:
    corner = 400.0 * min(1.0, rate / 32000)
    time = np.arange(rate) / rate
    for factor, expected in ((1 / 20, 1.0), (1.0, 0.0), (8.0, -1.0)):
        tone = (0.1 * np.sin(2 * np.pi * corner * factor * time)).astype(np.float32)
        out = POLARITY.apply(np.stack([tone, tone]), rate, {"corner_hz": 400.0, "channel": 0.0})
        late = slice(rate // 2, None)
        assert np.corrcoef(tone[late], out[0, late])[0, 1] == pytest.approx(expected, abs=0.05)
        assert np.square(out[0, late]).mean() == pytest.approx(np.square(tone[late]).mean(), rel=0.01)


def test_at_5_hz_the_channel_is_inverted(clip: np.ndarray) -> None:
    pair = np.repeat(clip, 2, axis=0)
    out = POLARITY.apply(pair, RATE, {"corner_hz": 5.0, "channel": 0.9})
    assert np.corrcoef(out[0], out[1])[0, 1] < -0.98
    assert np.square(out.mean(axis=0)).mean() < 0.01 * np.square(pair[0]).mean()  # it cancels in the mono sum
