"""Faults between channels: inverted, lost, duplicated."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from contrastive_artifacts import artifacts

RATE = 44100
POLARITY, CHANNEL_LOSS, FALSE_STEREO = (artifacts.artifact(n) for n in ("polarity", "channel_loss", "false_stereo"))


@pytest.fixture(scope="module")
def wide() -> np.ndarray:
    """``[5, 1 s]`` of noise, independent between channels; the fourth is silent."""
    wave = 0.1 * np.random.default_rng(8).standard_normal((5, RATE))
    wave[3] = 0.0
    return wave.astype(np.float32)


def touched(clean: np.ndarray, out: np.ndarray) -> list[int]:
    return np.flatnonzero((clean != out).any(axis=1)).tolist()


@pytest.mark.parametrize(("share", "hit"), [(0.0, 0), (0.3, 1), (0.6, 2), (0.9, 4), (1.0, 4)])
def test_one_channel_that_sounds_is_hit(share: float, hit: int, wide: np.ndarray) -> None:
    assert touched(wide, POLARITY.apply(wide, RATE, {"corner_hz": 500.0, "channel": share})) == [hit]
    params = {"gain_db": -20.0, "channel": share, "start": 0.0}
    assert touched(wide, CHANNEL_LOSS.apply(wide, RATE, params)) == [hit]


@pytest.mark.parametrize("rate", [8000, 44100, 96000])
def test_polarity_inverts_above_the_corner(rate: int) -> None:
    corner = 400.0 * min(1.0, rate / 32000)
    time = np.arange(rate) / rate
    for factor, expected in ((1 / 20, 1.0), (1.0, 0.0), (8.0, -1.0)):
        tone = (0.1 * np.sin(2 * np.pi * corner * factor * time)).astype(np.float32)
        out = POLARITY.apply(np.stack([tone, tone]), rate, {"corner_hz": 400.0, "channel": 0.0})
        late = slice(rate // 2, None)
        assert np.corrcoef(tone[late], out[0, late])[0, 1] == pytest.approx(expected, abs=0.05)
        assert np.square(out[0, late]).mean() == pytest.approx(np.square(tone[late]).mean(), rel=0.01)


def test_polarity_of_the_severest_is_an_inversion(clip: np.ndarray) -> None:
    pair = np.repeat(clip, 2, axis=0)
    out = POLARITY.apply(pair, RATE, {"corner_hz": 5.0, "channel": 0.9})
    assert np.corrcoef(out[0], out[1])[0, 1] < -0.98
    assert np.square(out.mean(axis=0)).mean() < 0.01 * np.square(pair[0]).mean()  # gone in the mono sum


@pytest.mark.parametrize("gain", [-6.0, -25.0, -60.0])
def test_loss_in_db(gain: float, wide: np.ndarray) -> None:
    out = CHANNEL_LOSS.apply(wide, RATE, {"gain_db": gain, "channel": 0.0, "start": 0.0})
    np.testing.assert_allclose(20 * np.log10(out[0] / wide[0]), gain, atol=1e-3)


def test_a_contact_that_breaks(wide: np.ndarray) -> None:
    params = {"gain_db": -40.0, "channel": 0.0, "start": 0.5}
    out, ((start, stop),) = CHANNEL_LOSS.render(wide, RATE, params)
    assert (start, stop) == (RATE // 2, RATE)
    assert_array_equal(out[:, :start], wide[:, :start])
    np.testing.assert_allclose(out[0, start + RATE // 100 :], 0.01 * wide[0, start + RATE // 100 :], rtol=1e-5)
    assert_array_equal(out[1:], wide[1:])


@pytest.mark.parametrize("source", ["mean", "channel"])
@pytest.mark.parametrize("side", [-3.0, -20.0, -60.0])
def test_the_side_goes(source: str, side: float, wide: np.ndarray) -> None:
    pair = wide[:2]
    out = FALSE_STEREO.apply(pair, RATE, {"side_db": side, "source": source, "channel": 0.9})
    difference, before = out[0] - out[1], pair[0] - pair[1]
    np.testing.assert_allclose(difference, 10 ** (side / 20) * before, atol=1e-6)
    kept = (out.mean(axis=0), pair.mean(axis=0)) if source == "mean" else (out[1], pair[1])
    np.testing.assert_allclose(*kept, atol=1e-6)


def test_more_than_two_channels_become_one(wide: np.ndarray) -> None:
    out = FALSE_STEREO.apply(wide, RATE, {"side_db": -60.0, "source": "mean", "channel": 0.0})
    np.testing.assert_allclose(out, np.broadcast_to(wide.mean(axis=0), wide.shape), atol=1e-3)


def test_equal_channels_stay(clip: np.ndarray) -> None:
    pair = np.repeat(clip, 2, axis=0)
    out = FALSE_STEREO.apply(pair, RATE, {"side_db": -20.0, "source": "channel", "channel": 0.0})
    np.testing.assert_allclose(out, pair, atol=1e-7)
