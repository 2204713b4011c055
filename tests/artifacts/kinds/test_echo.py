"""Echo and print-through: when the ghost comes, and how loud it is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import signal

from contrastive_artifacts import artifacts

RATE = 44100
ECHO, PRINT = artifacts.artifact("echo"), artifacts.artifact("print_through")
TAPE = {"kind": "tape", "period_s": 1.2, "level_db": -30.0, "after_db": 4.0, "peak_hz": 600.0, "layers": 1}


@pytest.fixture(scope="module")
def burst() -> np.ndarray:
    """``[1, 8 s]``: a quarter of a second of noise in the middle of digital silence."""
    wave = np.zeros((1, 8 * RATE), dtype=np.float32)
    wave[0, 4 * RATE : 4 * RATE + RATE // 4] = 0.1 * np.random.default_rng(8).standard_normal(RATE // 4)
    return wave


def ghosts(burst: np.ndarray, added: np.ndarray, around: int) -> tuple[int, float]:
    """Lag in samples of the best match of the burst near ``around``, and its gain in dB."""
    source = burst[0, 4 * RATE : 4 * RATE + RATE // 4].astype(np.float64)
    reach = RATE // 50
    start = 4 * RATE + around - reach
    match = signal.correlate(added[0, start : start + len(source) + 2 * reach], source, mode="valid", method="fft")
    best = int(np.argmax(match))
    return best - reach + around, 20 * np.log10(match[best] / np.dot(source, source))


@pytest.mark.parametrize("delay_ms", [50.0, 123.4, 500.0])
@pytest.mark.parametrize("level_db", [-25.0, -6.0])
def test_echo_lag_and_level(burst: np.ndarray, delay_ms: float, level_db: float) -> None:
    params = {"delay_ms": delay_ms, "level_db": level_db, "repeats": 3, "decay_db": 5.0, "cutoff_hz": 0.0}
    added = ECHO.apply(burst, RATE, params) - burst
    for turn in (1, 2, 3):
        lag, gain_db = ghosts(burst, added, round(turn * delay_ms * 1e-3 * RATE))
        assert lag == turn * round(delay_ms * 1e-3 * RATE)
        assert gain_db == pytest.approx(level_db - 5 * (turn - 1), abs=0.5)
    assert not ghost_energy(added, 4 * RATE + round(3.2e-3 * delay_ms * RATE) + RATE // 3)


def ghost_energy(added: np.ndarray, start: int) -> float:
    return float(np.square(added[0, start:]).sum())


def test_a_dull_echo_keeps_its_place_and_loses_3_db_at_its_cutoff(burst: np.ndarray) -> None:
    params = {"delay_ms": 200.0, "level_db": -10.0, "repeats": 1, "decay_db": 3.0, "cutoff_hz": 3000.0}
    added = ECHO.apply(burst, RATE, params) - burst
    assert ghosts(burst, added, RATE // 5)[0] == RATE // 5
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


def test_a_short_clip_still_echoes() -> None:
    wave = np.random.default_rng(1).standard_normal((1, 441)).astype(np.float32)
    assert artifacts.render("echo", wave, RATE, 1.0, 2).segments[0, 0] == 220


def shaped(burst: np.ndarray, hertz: float) -> np.ndarray:
    """The burst as a tone, where the colour of the ghost has one gain."""
    out = np.zeros_like(burst)
    time = np.arange(RATE // 4) / RATE
    out[0, 4 * RATE : 4 * RATE + RATE // 4] = np.sin(2 * np.pi * hertz * time) * np.hanning(RATE // 4)
    return out


@pytest.mark.parametrize("level_db", [-45.0, -20.0])
@pytest.mark.parametrize("peak_hz", [400.0, 1200.0])
def test_print_through_level_before_and_after(burst: np.ndarray, level_db: float, peak_hz: float) -> None:
    tone = shaped(burst, peak_hz)
    params = {**TAPE, "level_db": level_db, "peak_hz": peak_hz, "period_s": 1.0}
    added = PRINT.apply(tone, RATE, params) - tone
    assert ghosts(tone, added, -RATE)[1] == pytest.approx(level_db - 4, abs=0.5)
    assert ghosts(tone, added, RATE)[1] == pytest.approx(level_db, abs=0.5)


@pytest.mark.parametrize("period_s", [1.8, 0.77])
def test_groove_echo_comes_one_turn_early_to_the_sample(burst: np.ndarray, period_s: float) -> None:
    params = {**TAPE, "kind": "groove", "period_s": period_s, "after_db": -6.0, "peak_hz": 2000.0, "level_db": -25.0}
    added = PRINT.apply(burst, RATE, params) - burst
    turn = round(period_s * RATE)
    assert ghosts(burst, added, -turn)[0] == -turn
    assert ghosts(burst, added, turn)[0] == turn
    low = shaped(burst, 200)
    added = PRINT.apply(low, RATE, params) - low
    assert ghosts(low, added, -turn)[1] == pytest.approx(-25, abs=0.5)
    assert ghosts(low, added, turn)[1] == pytest.approx(-31, abs=0.5)


def test_the_turn_of_a_reel_grows_by_its_thickness(burst: np.ndarray) -> None:
    """After 5 s at a period of 1.2 s and a peak of 600 Hz the ghost is late by what the pack has grown."""
    added = PRINT.apply(burst, RATE, TAPE) - burst
    heard = 4 + 1.2  # s; within the burst the turn grows by less than a tenth of what it has grown by then
    wanted = np.sqrt(1.2**2 + 2 * (heard + 0.125) / 600)
    lag = ghosts(burst, added, round(wanted * RATE))[0]
    assert lag > 1.2 * RATE + 200
    assert lag / RATE == pytest.approx(wanted, abs=1.5e-4)


def test_layers_grow_weaker_and_duller(burst: np.ndarray) -> None:
    """At its own peak, p / n, layer n has a gain of 1 / n of the first at p."""
    params = {**TAPE, "period_s": 0.6, "layers": 3, "level_db": -20.0, "peak_hz": 900.0, "after_db": 0.0}
    for layer in (1, 2, 3):
        tone = shaped(burst, 900 / layer)
        added = PRINT.apply(tone, RATE, params) - tone
        near = round((layer * np.sqrt(0.36 + 2 * 4.7 / 900)) * RATE)
        assert ghosts(tone, added, near)[1] == pytest.approx(-20 - 20 * np.log10(layer), abs=0.6)


def test_silence_keeps_its_silence() -> None:
    for name in ("echo", "print_through"):
        assert not artifacts.render(name, np.zeros(RATE, dtype=np.float32), RATE, 1.0).waveform.any()
