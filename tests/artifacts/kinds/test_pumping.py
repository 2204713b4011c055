"""Pumping: the gain over time, measured on bursts of a tone."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts import artifacts

RATE = 16000
PUMPING = artifacts.artifact("pumping")
PARAMS = {"swing_db": 12.0, "below_db": 10.0, "attack_ms": 5.0, "release_s": 0.3}


def bursts(loud_s: float, quiet_s: float, count: int, drop_db: float = 40.0) -> np.ndarray:
    """A tone, alternately loud and quiet."""
    period = round((loud_s + quiet_s) * RATE)
    time = np.arange(count * period)
    level = np.where(time % period < loud_s * RATE, 0.2, 0.2 * 10 ** (-drop_db / 20))
    return (level * np.sin(2 * np.pi * 1000 * time / RATE + 0.1)).astype(np.float32)[None]


def gain_db(clean: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Gain in dB of each block of 5 ms: whole periods of the tone."""
    before, after = (np.square(w[0].reshape(-1, 80), dtype=np.float64).sum(axis=1) for w in (clean, out))
    return 10 * np.log10(after / before)


@pytest.mark.parametrize("swing", [3.0, 8.0, 20.0])
@pytest.mark.parametrize("below", [6.0, 20.0])
def test_the_gain_swings_by_the_given_range(swing: float, below: float) -> None:
    wave = bursts(0.5, 1.5, 4)
    gain = gain_db(wave, PUMPING.apply(wave, RATE, {**PARAMS, "swing_db": swing, "below_db": below}))
    assert np.subtract(*np.percentile(gain, (95, 5))) == pytest.approx(swing, rel=0.05)


@pytest.mark.parametrize("release", [0.3, 1.0])
def test_the_release_is_exponential(release: float) -> None:
    """After a burst the reduction in dB decays exponentially, with the given time constant."""
    wave = bursts(1.0, 6.0, 1, drop_db=60)
    gain = gain_db(wave, PUMPING.apply(wave, RATE, {**PARAMS, "release_s": release}))
    reduction = gain[-1] - gain
    later = [reduction[round((1.0 + 0.1 + t) / 0.005)] for t in (0.0, release, 2 * release)]
    rest = np.exp(-(5.9 / release))  # reduction that is left at the end of the clip
    fall = np.exp(-1) - rest
    assert later[1] / later[0] == pytest.approx(fall, abs=0.03)
    assert later[2] / later[0] == pytest.approx(np.exp(-2) - rest, abs=0.03)


def test_attack_is_fast_and_release_slow() -> None:
    wave = bursts(1.0, 2.0, 3)
    gain = gain_db(wave, PUMPING.apply(wave, RATE, {**PARAMS, "attack_ms": 10.0, "release_s": 1.0}))
    onset = round(3.0 / 0.005)
    low, high = gain[onset + 60], gain[onset - 1]
    assert gain[onset] > low + 0.5 * (high - low)  # the transient passes
    assert gain[onset + 8] < low + 0.1 * (high - low)  # four time constants later the gain is reduced


def test_the_level_is_preserved_and_a_steady_tone_is_not_changed() -> None:
    wave = bursts(0.5, 1.5, 3)
    out = PUMPING.apply(wave, RATE, {**PARAMS, "swing_db": 20.0})
    assert np.square(out).mean() == pytest.approx(np.square(wave).mean(), rel=0.02)
    tone = bursts(2.0, 0.0, 1)
    np.testing.assert_allclose(PUMPING.apply(tone, RATE, PARAMS), tone, atol=0.002)


def test_the_gain_is_the_same_in_all_channels() -> None:
    wave = bursts(0.5, 1.5, 2)
    bed = np.full_like(wave, 0.01)
    out = PUMPING.apply(np.concatenate([wave, bed]), RATE, PARAMS)
    gain = 20 * np.log10(out[1] / bed[0])
    assert np.subtract(*np.percentile(gain, (95, 5))) == pytest.approx(12, rel=0.05)  # driven by the other channel
