"""Echo: lag, level and low-pass of the repetitions."""

from __future__ import annotations

import numpy as np
import pytest
from delayed_copies import lag_and_gain
from numpy.testing import assert_array_equal
from scipy import signal

from contrastive_artifacts import artifacts

RATE = 44100
ECHO = artifacts.artifact("echo")


@pytest.mark.parametrize("delay_ms", [50.0, 123.4, 500.0])
@pytest.mark.parametrize("level_db", [-25.0, -6.0])
def test_echo_lag_and_level(burst: np.ndarray, delay_ms: float, level_db: float) -> None:
    params = {"delay_ms": delay_ms, "level_db": level_db, "repeats": 3, "decay_db": 5.0, "cutoff_hz": 0.0}
    added = ECHO.apply(burst, RATE, params) - burst
    for turn in (1, 2, 3):
        lag, gain_db = lag_and_gain(burst, added, round(turn * delay_ms * 1e-3 * RATE))
        assert lag == turn * round(delay_ms * 1e-3 * RATE)
        assert gain_db == pytest.approx(level_db - 5 * (turn - 1), abs=0.5)
    assert not energy_from(added, 4 * RATE + round(3.2e-3 * delay_ms * RATE) + RATE // 3)


def energy_from(added: np.ndarray, start: int) -> float:
    return float(np.square(added[0, start:]).sum())


def test_the_low_pass_has_no_delay_and_3_db_loss_at_its_cutoff(burst: np.ndarray) -> None:
    params = {"delay_ms": 200.0, "level_db": -10.0, "repeats": 1, "decay_db": 3.0, "cutoff_hz": 3000.0}
    added = ECHO.apply(burst, RATE, params) - burst
    assert lag_and_gain(burst, added, RATE // 5)[0] == RATE // 5
    hertz, cross = signal.csd(
        burst[0, 4 * RATE : 5 * RATE], added[0, 4 * RATE + RATE // 5 : 5 * RATE + RATE // 5], RATE
    )
    power = signal.welch(burst[0, 4 * RATE : 5 * RATE], RATE)[1]
    gain_db = 20 * np.log10(np.abs(cross) / power) + 10
    assert np.interp(300, hertz, gain_db) == pytest.approx(0, abs=0.5)
    assert np.interp(3000, hertz, gain_db) == pytest.approx(-3, abs=0.5)


def test_before_the_first_repetition_nothing_is_touched(steady: np.ndarray) -> None:
    view = artifacts.render("echo", steady, RATE, 1.0, 2)
    first = round(view.params["parameters"]["delay_ms"] * 1e-3 * RATE)
    assert_array_equal(view.segments, [[first, steady.shape[1]]])
    assert_array_equal(view.waveform[:, :first], steady[:, :first])


def test_in_a_short_clip_the_delay_is_half_of_it() -> None:
    wave = np.random.default_rng(1).standard_normal((1, 441)).astype(np.float32)
    assert artifacts.render("echo", wave, RATE, 1.0, 2).segments[0, 0] == 220


def test_silence_stays_silent() -> None:
    assert not artifacts.render("echo", np.zeros(RATE, dtype=np.float32), RATE, 1.0).waveform.any()
