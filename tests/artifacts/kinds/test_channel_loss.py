"""Channel loss: which channel, by how much, from where on."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.dsp.channels import pick_channel

RATE = 44100
CHANNEL_LOSS = artifacts.artifact("channel_loss")


@pytest.mark.parametrize("share", [0.0, 0.6, 1.0])
def test_only_the_picked_channel_changes(share: float, wide: np.ndarray) -> None:
    out = CHANNEL_LOSS.apply(wide, RATE, {"gain_db": -20.0, "channel": share, "start": 0.0})
    changed = np.flatnonzero((wide != out).any(axis=1))
    assert_array_equal(changed, [pick_channel(wide, share)])


@pytest.mark.parametrize("gain", [-6.0, -25.0, -60.0])
def test_the_gain_of_the_channel(gain: float, wide: np.ndarray) -> None:
    out = CHANNEL_LOSS.apply(wide, RATE, {"gain_db": gain, "channel": 0.0, "start": 0.0})
    np.testing.assert_allclose(20 * np.log10(out[0] / wide[0]), gain, atol=1e-3)


def test_a_loss_from_the_middle_on(wide: np.ndarray) -> None:
    params = {"gain_db": -40.0, "channel": 0.0, "start": 0.5}
    out, ((start, stop),) = CHANNEL_LOSS.render(wide, RATE, params)
    assert (start, stop) == (RATE // 2, RATE)
    assert_array_equal(out[:, :start], wide[:, :start])
    np.testing.assert_allclose(out[0, start + RATE // 100 :], 0.01 * wide[0, start + RATE // 100 :], rtol=1e-5)
    assert_array_equal(out[1:], wide[1:])
