"""Level shifts: gain, ramps and spans."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from contrastive_artifacts import artifacts
from contrastive_artifacts.core import seeding

RATE = 44100
GAIN_STEP = artifacts.artifact("gain_step")


def gain_db(clean: np.ndarray, out: np.ndarray) -> np.ndarray:
    return 20 * np.log10(out[0].astype(np.float64) / clean[0])


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("step", [1.5, 6.0, 15.0])
def test_a_step_without_return(step: float, direction: int, steady: np.ndarray) -> None:
    params = {"step_db": step, "ramp_ms": 5.0, "spans": [[0.25, 1.0, direction]]}
    gain = gain_db(steady, GAIN_STEP.apply(steady, RATE, params))
    assert_array_equal(gain[:RATE], 0.0)
    ramp = round(0.005 * RATE)
    np.testing.assert_allclose(gain[RATE + ramp :], direction * step, atol=1e-3)
    assert (np.diff(direction * gain[RATE - 1 : RATE + ramp + 1]) > 0).all()
    assert_array_equal(GAIN_STEP.segments(steady, RATE, params), [[RATE, 4 * RATE]])


def test_a_slow_ramp_is_linear_in_db(steady: np.ndarray) -> None:
    params = {"step_db": 12.0, "ramp_ms": 1000.0, "spans": [[0.25, 1.0, -1]]}
    gain = gain_db(steady, GAIN_STEP.apply(steady, RATE, params))
    for at, expected in ((0.25, -3), (0.5, -6), (0.75, -9), (1.5, -12)):
        assert gain[round((1 + at) * RATE)] == pytest.approx(expected, abs=0.01)


def test_segments_are_the_spans(steady: np.ndarray) -> None:
    params = {"step_db": 6.0, "ramp_ms": 2.0, "spans": [[0.1, 0.2, 1], [0.5, 0.75, -1], [0.9, 0.95, 1]]}
    out = GAIN_STEP.apply(steady, RATE, params)
    segments = GAIN_STEP.segments(steady, RATE, params)
    np.testing.assert_allclose(segments / (4 * RATE), [[0.1, 0.2], [0.5, 0.75], [0.9, 0.95]], atol=1e-4)
    differs = np.zeros(4 * RATE, dtype=bool)
    for (start, stop), sign in zip(segments, (1, -1, 1), strict=True):
        differs[start:stop] = True
        assert gain_db(steady, out)[(start + stop) // 2] == pytest.approx(6 * sign, abs=1e-3)
    assert_array_equal((out != steady)[0], differs)


def test_pauses_do_not_count() -> None:
    """The start of a span is a share of the time without pauses."""
    wave = np.zeros((1, 10 * RATE), dtype=np.float32)
    sound = np.concatenate([np.arange(RATE, 2 * RATE), np.arange(8 * RATE, 9 * RATE)])
    wave[0, sound] = 0.1 * np.random.default_rng(0).standard_normal(len(sound))
    for share, at in ((0.25, 1.5), (0.75, 8.5)):
        params = {"step_db": 6.0, "ramp_ms": 1.0, "spans": [[share, 1.0, 1]]}
        assert GAIN_STEP.segments(wave, RATE, params)[0, 0] == pytest.approx(at * RATE, abs=0.06 * RATE)


def test_drawn_spans_are_sorted_and_of_both_signs_and_speeds() -> None:
    drawn = [GAIN_STEP.sample(0.5, seeding.generator(seed)) for seed in range(200)]
    for params in drawn:
        flat = np.array([row[:2] for row in params["spans"]]).ravel()
        assert (np.diff(flat) > 0.02).all()
    signs = [row[2] for params in drawn for row in params["spans"]]
    assert {1, -1} == set(signs)
    assert {len(params["spans"]) for params in drawn} == {1, 2, 3, 4}
    slow = np.array([params["ramp_ms"] >= 500 for params in drawn])
    assert 0.2 < slow.mean() < 0.5


def test_gains_of_overlapping_spans_are_not_added(steady: np.ndarray) -> None:
    params = {"step_db": 6.0, "ramp_ms": 1.0, "spans": [[0.2, 0.6, 1], [0.5, 0.9, 1]]}
    gain = gain_db(steady, GAIN_STEP.apply(steady, RATE, params))
    assert gain.max() == pytest.approx(6, abs=1e-3)
