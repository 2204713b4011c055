"""Print-through: lags and levels of the copies before and after the sound."""

from __future__ import annotations

import numpy as np
import pytest
from delayed_copies import lag_and_gain

from contrastive_artifacts import artifacts

RATE = 44100
PRINT = artifacts.artifact("print_through")
TAPE = {"kind": "tape", "period_s": 1.2, "level_db": -30.0, "after_db": 4.0, "peak_hz": 600.0, "layers": 1}


def tone_burst(burst: np.ndarray, hertz: float) -> np.ndarray:
    """A tone in place of the burst: for it the filter of a copy is one gain."""
    out = np.zeros_like(burst)
    time = np.arange(RATE // 4) / RATE
    out[0, 4 * RATE : 4 * RATE + RATE // 4] = np.sin(2 * np.pi * hertz * time) * np.hanning(RATE // 4)
    return out


@pytest.mark.parametrize("level_db", [-45.0, -20.0])
@pytest.mark.parametrize("peak_hz", [400.0, 1200.0])
def test_levels_before_and_after(burst: np.ndarray, level_db: float, peak_hz: float) -> None:
    tone = tone_burst(burst, peak_hz)
    params = {**TAPE, "level_db": level_db, "peak_hz": peak_hz, "period_s": 1.0}
    added = PRINT.apply(tone, RATE, params) - tone
    assert lag_and_gain(tone, added, -RATE)[1] == pytest.approx(level_db - 4, abs=0.5)
    assert lag_and_gain(tone, added, RATE)[1] == pytest.approx(level_db, abs=0.5)


@pytest.mark.parametrize("period_s", [1.8, 0.77])
def test_the_lag_of_a_groove_is_one_revolution(burst: np.ndarray, period_s: float) -> None:
    params = {**TAPE, "kind": "groove", "period_s": period_s, "after_db": -6.0, "peak_hz": 2000.0, "level_db": -25.0}
    added = PRINT.apply(burst, RATE, params) - burst
    turn = round(period_s * RATE)
    assert lag_and_gain(burst, added, -turn)[0] == -turn
    assert lag_and_gain(burst, added, turn)[0] == turn
    low = tone_burst(burst, 200)
    added = PRINT.apply(low, RATE, params) - low
    assert lag_and_gain(low, added, -turn)[1] == pytest.approx(-25, abs=0.5)
    assert lag_and_gain(low, added, turn)[1] == pytest.approx(-31, abs=0.5)


def test_the_period_of_a_reel_grows(burst: np.ndarray) -> None:
    """After 5 s at a period of 1.2 s and a peak of 600 Hz, the lag is longer by the growth of the radius."""
    added = PRINT.apply(burst, RATE, TAPE) - burst
    time = 4 + 1.2  # s, of the copy; within the burst the period grows by less than a tenth of its growth by then
    expected = np.sqrt(1.2**2 + 2 * (time + 0.125) / 600)
    lag = lag_and_gain(burst, added, round(expected * RATE))[0]
    assert lag > 1.2 * RATE + 200
    assert lag / RATE == pytest.approx(expected, abs=1.5e-4)


def test_further_layers_are_weaker_and_lower_in_frequency(burst: np.ndarray) -> None:
    """The peak of layer n is at p / n, and 1 / n as high as that of the first at p."""
    params = {**TAPE, "period_s": 0.6, "layers": 3, "level_db": -20.0, "peak_hz": 900.0, "after_db": 0.0}
    for layer in (1, 2, 3):
        tone = tone_burst(burst, 900 / layer)
        added = PRINT.apply(tone, RATE, params) - tone
        near = round((layer * np.sqrt(0.36 + 2 * 4.7 / 900)) * RATE)
        assert lag_and_gain(tone, added, near)[1] == pytest.approx(-20 - 20 * np.log10(layer), abs=0.6)


def test_silence_stays_silent() -> None:
    assert not artifacts.render("print_through", np.zeros(RATE, dtype=np.float32), RATE, 1.0).waveform.any()
