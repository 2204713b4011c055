"""The difference of a damaged sound and its clean one."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.pages.shared.difference import difference

RATE = 16000
CLEAN = np.random.default_rng(0).normal(0, 0.1, (1, RATE)).astype(np.float32)
CLICK = np.zeros((1, RATE), np.float32)
CLICK[0, 8000] = 0.5


@pytest.mark.parametrize("gain", [0.25, 1.0, -1.0])
@pytest.mark.parametrize("lag", [0, 7, -200])
def test_what_was_added_is_left_whatever_the_gain_and_the_shift(gain, lag):
    damaged = np.float32(gain) * np.roll(CLEAN, lag, axis=1) + CLICK
    left = difference(damaged, CLEAN, RATE)[:, 300:-300]
    np.testing.assert_allclose(left, CLICK[:, 300:-300], atol=0.01)


def test_a_change_of_level_alone_leaves_nothing():
    assert np.abs(difference(0.3 * CLEAN, CLEAN, RATE)).max() < 1e-6
    np.testing.assert_array_equal(difference(CLICK, 0 * CLEAN, RATE), CLICK)
    assert difference(CLEAN[:, :1], CLEAN[:, :1], RATE).shape == (1, 1)
