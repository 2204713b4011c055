"""Periodic clicks: period, level and similarity."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts import artifacts, audio

RATE = 44100
CLICKS = artifacts.artifact("periodic_clicks")


def make(**changes: object) -> dict:
    params = {
        "seed": 5, "rate_hz": 1.3, "level_db": 20.0, "spread_db": 1.0, "jitter": 0.001, "phase": 0.4, "length_ms": 1.0,
        "resonance_hz": 2000.0, "shape": "resonance",
    }  # fmt: skip
    return {**params, **changes}


def peaks(wave: np.ndarray, apart: int) -> np.ndarray:
    """Positions of the largest sample of each click, by a threshold on the waveform."""
    loud = np.flatnonzero(np.abs(wave) > 0.5 * np.abs(wave).max())
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > apart) + 1)
    return np.array([group[np.argmax(np.abs(wave[group]))] for group in groups])


@pytest.mark.parametrize("rate", [100 / 180, 0.75, 1.3, 24.0, 96.0])
def test_the_period_is_the_given_one(rate: float) -> None:
    noise = 0.01 * np.random.default_rng(1).standard_normal((1, 40 * RATE)).astype(np.float32)
    out = CLICKS.apply(noise, RATE, make(rate_hz=rate, level_db=24.0))[0]
    positions = peaks(out, round(0.4 * RATE / rate))
    assert len(positions) == pytest.approx(40 * rate, abs=1)
    slope = np.polyfit(np.arange(len(positions)), positions / RATE, 1)[0]
    assert slope * rate == pytest.approx(1, abs=0.003)
    assert np.abs(np.diff(positions) * rate / RATE - 1).max() < 0.02


def test_the_drawn_rates_are_those_of_records_and_film() -> None:
    known = np.array([100 / 180, 0.75, 1.3, 24, 96])
    drawn = np.array([CLICKS.sample(0.5, np.random.default_rng(s))["rate_hz"] for s in range(60)])
    off = np.abs(drawn[:, None] / known - 1)
    assert off.min(axis=1).max() <= 0.002 + 1e-9
    assert set(off.argmin(axis=1)) == set(range(5))


def test_clicks_are_similar_but_not_equal() -> None:
    silence = np.zeros((1, 20 * RATE), dtype=np.float32)
    out, segments = CLICKS.render(silence, RATE, make(rate_hz=24.0, spread_db=2.0, jitter=0.0, phase=0.0))
    clicks = np.stack([out[0, start : start + 44] for start, stop in segments if stop - start == 44])
    assert len(clicks) > 400
    correlation = np.corrcoef(clicks)
    assert np.median(correlation) > 0.85
    assert len(np.unique(clicks, axis=0)) > 100
    level = 20 * np.log10(np.abs(clicks).max(axis=1))
    assert level.max() - level.min() < 2 * 2.0 + 4


def test_the_level_is_the_given_one(steady: np.ndarray) -> None:
    added = (CLICKS.apply(steady, RATE, make(level_db=24.0, spread_db=0.0)) - steady)[0]
    expected = audio.active_rms(steady, RATE) * 10 ** (24 / 20)
    heights = np.abs(added[peaks(added, RATE // 4)])
    assert heights.max() <= 1.001 * expected
    assert heights.min() > 0.6 * expected


def test_a_pop_is_a_smooth_bump_once_per_turn() -> None:
    silence = np.full((1, 10 * RATE), 1e-3, dtype=np.float32)
    out, segments = CLICKS.render(silence, RATE, make(shape="pop", length_ms=2.0, spread_db=0.0))
    pops = [(out - silence)[0, start:stop] for start, stop in segments if stop - start == 88]
    assert len(pops) == pytest.approx(13, abs=1)
    for pop in pops:
        np.testing.assert_array_equal(pop, pops[0])
        assert np.abs(np.diff(pop, prepend=0.0, append=0.0)).max() < 3.3 * np.pi / 88 * np.abs(pop).max()


def test_every_clip_has_a_click() -> None:
    short = np.zeros((1, 2000), dtype=np.float32)
    for phase in (0.0, 0.5, 1.0):
        assert len(CLICKS.segments(short, RATE, make(rate_hz=0.5, phase=phase))) == 1
