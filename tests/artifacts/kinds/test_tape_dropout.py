"""Tape dropouts: loss over frequency, ramps, positions."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from contrastive_artifacts import artifacts

RATE = 44100
TAPE = artifacts.artifact("tape_dropout")


def make(**changes: float) -> dict:
    params = {
        "seed": 4, "depth_db": 12.0, "distance_um": 1.0, "speed_cm_s": 4.76, "rate_hz": 0.5, "length_ms": 400.0,
        "ramp": 0.2,
    }  # fmt: skip
    return {**params, **changes}


@pytest.mark.parametrize(("distance", "speed"), [(0.5, 4.76), (3.0, 4.76), (3.0, 19.05), (8.0, 9.53)])
@pytest.mark.parametrize("hertz", [100, 1000, 5000])
def test_the_loss_is_that_of_level_and_spacing(distance: float, speed: float, hertz: int) -> None:
    tone = (0.5 * np.sin(2 * np.pi * hertz * np.arange(4 * RATE) / RATE)).astype(np.float32)[None]
    out, segments = TAPE.render(tone, RATE, make(distance_um=distance, speed_cm_s=speed))
    start, stop = segments[0]
    third = (stop - start) // 3
    inside = slice(start + third, stop - third)
    loss_db = 10 * np.log10(np.square(tone[0, inside]).mean() / np.square(out[0, inside]).mean())
    wavelength_um = speed * 1e4 / hertz
    assert loss_db == pytest.approx(12.0 + 54.6 * distance / wavelength_um, abs=0.5)


def test_ramps_are_smooth_and_inside_the_segments() -> None:
    flat = np.full((1, 4 * RATE), 0.5, dtype=np.float32)
    params = make(depth_db=30.0, rate_hz=2.0, length_ms=100.0)
    out, segments = TAPE.render(flat, RATE, params)
    rest = np.ones(flat.shape[1], dtype=bool)
    for start, stop in segments:
        gain = out[0, start:stop] / 0.5
        assert gain[0] > 0.98
        assert gain[-1] > 0.98
        assert np.abs(np.diff(gain)).max() < 0.01
        assert 20 * np.log10(gain.min()) == pytest.approx(-30, abs=0.1)
        assert (gain > 0).all()
        rest[start:stop] = False
    assert_array_equal(out[:, rest], flat[:, rest])


def test_lengths_and_share_stay_in_range(steady: np.ndarray) -> None:
    long = np.tile(steady, 10)
    for seed in range(10):
        for length_ms in (10.0, 80.0, 500.0):
            segments = TAPE.segments(long, RATE, make(seed=seed, length_ms=length_ms, rate_hz=4.0))
            seconds = np.diff(segments) / RATE
            assert 0.0099 < seconds.min() <= seconds.max() < 0.501
            assert seconds.sum() < 0.4 * 40
            assert (segments[1:, 0] >= segments[:-1, 1]).all()


def test_dropouts_are_in_sound_and_at_the_same_positions_at_every_severity(clip: np.ndarray) -> None:
    for seed in range(20):
        mild, severe = (artifacts.render("tape_dropout", clip, RATE, s, seed) for s in (0.0, 1.0))
        assert_array_equal(mild.segments, severe.segments)
        assert all(np.abs(clip[:, a:b]).max() > 0.01 for a, b in severe.segments)


def test_an_hour_renders_within_10_s() -> None:
    begin = time.perf_counter()
    hour = (0.1 * np.random.default_rng(0).standard_normal((1, 3600 * 2000))).astype(np.float32)
    assert len(TAPE.segments(hour, 2000, make(rate_hz=1.0, length_ms=50.0))) > 3000
    assert time.perf_counter() - begin < 10
