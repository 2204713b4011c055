"""False stereo: the difference between channels is attenuated, the common channel is not."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts import artifacts

RATE = 44100
FALSE_STEREO = artifacts.artifact("false_stereo")


@pytest.mark.parametrize("source", ["mean", "channel"])
@pytest.mark.parametrize("side", [-3.0, -20.0, -60.0])
def test_the_difference_is_attenuated_and_the_common_signal_is_not(source: str, side: float, wide: np.ndarray) -> None:
    pair = wide[:2]
    out = FALSE_STEREO.apply(pair, RATE, {"side_db": side, "source": source, "channel": 0.9})
    difference, before = out[0] - out[1], pair[0] - pair[1]
    np.testing.assert_allclose(difference, 10 ** (side / 20) * before, atol=1e-6)
    commons = (out.mean(axis=0), pair.mean(axis=0)) if source == "mean" else (out[1], pair[1])
    np.testing.assert_allclose(*commons, atol=1e-6)


def test_five_channels_become_equal(wide: np.ndarray) -> None:
    out = FALSE_STEREO.apply(wide, RATE, {"side_db": -60.0, "source": "mean", "channel": 0.0})
    np.testing.assert_allclose(out, np.broadcast_to(wide.mean(axis=0), wide.shape), atol=1e-3)


def test_equal_channels_are_not_changed(clip: np.ndarray) -> None:
    pair = np.repeat(clip, 2, axis=0)
    out = FALSE_STEREO.apply(pair, RATE, {"side_db": -20.0, "source": "channel", "channel": 0.0})
    np.testing.assert_allclose(out, pair, atol=1e-7)
