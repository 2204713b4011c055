"""Trace figures: an echo, a room, a stutter, a comb filter, a thump and rumble raise the figures meant for them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import fft, signal

from contrastive_artifacts import artifacts
from contrastive_artifacts.core.errors import AudioError
from contrastive_artifacts.models.traces import LEAST_S, TRACE_FIGURES, notches, repeats, trace_figures

RATE = 22050


def phrases(seconds: float = 5.0, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Gliding tones with harmonics over noise, with pauses: nothing in it repeats exactly."""
    rng, t = np.random.default_rng(seed), np.arange(round(seconds * rate)) / rate
    pitch = 150 + 40 * np.sin(2 * np.pi * 0.7 * t) + 10 * np.sin(2 * np.pi * 5.3 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    tone = sum(np.sin(k * phase) / k for k in range(1, 12))
    speaks = np.repeat(rng.random(round(4 * seconds) + 1) < 0.7, rate // 4)[: len(t)]
    smooth = np.convolve(speaks, np.hanning(500) / 250, mode="same")
    return (0.1 * tone * smooth + 0.01 * rng.standard_normal(len(t))).astype(np.float32)


def named(x: np.ndarray, rate: int = RATE) -> dict[str, float]:
    return dict(zip(TRACE_FIGURES, trace_figures(x, rate).tolist(), strict=True))


def test_names_are_as_many_as_figures_and_no_two_alike():
    assert trace_figures(phrases(), RATE).shape == (len(TRACE_FIGURES),) == (len(set(TRACE_FIGURES)),)


@pytest.mark.parametrize("lag_s", [0.08, 0.25, 0.5])
def test_an_echo_raises_the_copies_at_its_lag_only(lag_s):
    x, lag = phrases(), round(lag_s * RATE)
    echoed = x.copy()
    echoed[lag:] += 0.3 * x[:-lag]
    change = {name: named(echoed)[name] - value for name, value in named(x).items()}
    assert change["copy at 60-550 ms"] > 0.3
    assert abs(change["copy at 2-10 ms"]) < 0.15
    assert abs(change["copy at 30-60 ms"]) < 0.15


def test_a_room_raises_the_copies_at_short_lags():
    x = phrases()
    room = artifacts.render("reverb", x, RATE, 0.7, seed=1).waveform
    assert named(room)["copy at 30-60 ms"] > named(x)["copy at 30-60 ms"] + 0.1


@pytest.mark.parametrize("lag_s", [0.009, 0.04, 0.11])
def test_frames_that_repeat_the_sound_before_them_differ_from_it_by_nothing(lag_s):
    x, lag = phrases(), round(lag_s * RATE)
    start = 2 * RATE
    for place in range(start, start + RATE // 4, lag):
        x[place : place + lag] = x[start - lag : start]
    clean, looped = repeats.differences(phrases(), RATE), repeats.differences(x, RATE)
    assert clean.min() > 1e-3
    exact = np.flatnonzero(looped < 1e-4) * repeats.FRAME_S + repeats.MOST_S
    assert 8 <= len(exact) <= 21
    assert 2 - repeats.FRAME_S <= exact[0] <= exact[-1] <= 2.4
    assert named(x)["repeat: 0 %"] < named(phrases())["repeat: 0 %"] - 1


@pytest.mark.parametrize("samples", [1, 127, 128, 129, 50_001])
@pytest.mark.parametrize("step", [1, 2, 4, 17])
def test_the_search_of_repeats_runs_at_the_rate_of_scipys_resampler(samples, step):
    x = np.random.default_rng(0).standard_normal(samples).astype(np.float32)
    expected = signal.resample_poly(x, 1, step)
    np.testing.assert_allclose(repeats._decimated(x, step), expected, atol=2e-6)


def test_differences_are_those_of_the_definition():
    """Two implementations: with shared energies, and frame by frame; a click makes the energies before it small."""
    x, step, length = np.diff(phrases(2.0)), 2, 352
    x[20_000] = 1e3
    starts = np.arange(2756, len(x) - length, 2 * length)
    lags = np.random.default_rng(0).integers(110, 2757, len(starts))
    lags[0] = 2756  # the first lag reaches the first sample
    differences = repeats._refined(x, starts, lags, length, step)
    for start, lag, difference in zip(starts.tolist(), lags.tolist(), differences.tolist(), strict=True):
        here = x[start : start + length].astype(np.float64)
        places = [start - lag + shift for shift in range(-step, step + 1) if start - lag + shift >= 0]
        parts = [x[place : place + length].astype(np.float64) for place in places]
        ratios = [here @ part / np.sqrt((here @ here) * (part @ part) + 1e-20) for part in parts]
        assert difference == pytest.approx(1 - max(ratios), abs=1e-5)


def test_silence_after_a_click_has_no_energy_below_zero():
    x = np.zeros(4000, np.float32)
    x[1000:1002], x[3000:3100] = (1e4, 1e-3), 1.0
    with np.errstate(invalid="raise"):
        assert np.isfinite(repeats._refined(x, np.array([2990]), np.array([1989]), 200, 4)).all()


def test_a_thump_is_a_burst_and_rumble_is_not():
    x = phrases()
    t = np.arange(len(x)) / RATE
    thump = np.where(t > 2, np.exp(-np.maximum(t - 2, 0) / 0.04) * np.sin(2 * np.pi * 50 * (t - 2)), 0)
    rumble = artifacts.render("rumble", x, RATE, 0.8, seed=1).waveform
    clean, thumped, rumbled = named(x), named((x + 0.5 * thump).astype(np.float32)), named(rumble)
    assert thumped["burst: maximum"] > clean["burst: maximum"] + 1  # 10 dB
    assert rumbled["20-40 Hz: median"] > clean["20-40 Hz: median"] + 1
    assert rumbled["burst: maximum"] < thumped["burst: maximum"]
    assert thumped["20-40 Hz: median"] < clean["20-40 Hz: median"] + 0.3


@pytest.mark.parametrize("lag_ms", [0.2, 0.4, 0.9])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_comb_filter_raises_the_notches(lag_ms, rate):
    noise = np.random.default_rng(0).standard_normal(3 * rate)
    x = (phrases(3.0, rate) + 0.1 * np.convolve(noise, [1, 0.8], mode="same")).astype(np.float32)
    spectrum = np.fft.rfft(x)
    copy = np.exp(-2j * np.pi * np.fft.rfftfreq(len(x), 1 / rate) * lag_ms / 1e3)
    combed = np.fft.irfft(spectrum * (1 + 0.8 * copy), len(x)).astype(np.float32)
    for name in ("notches: re long lags", "notches of frames: re long lags"):
        assert named(combed, rate)[name] > named(x, rate)[name] + 0.3


@pytest.mark.parametrize("gain", [1e-3, 30.0])
def test_gain_does_not_matter(gain):
    np.testing.assert_allclose(
        trace_figures(phrases(), RATE), trace_figures(np.float32(gain) * phrases(), RATE), atol=1e-2
    )


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 96000])
@pytest.mark.parametrize("kind", ["silence", "dc", "impulse", "noise", "square"])
def test_figures_are_finite_for_any_sound_at_any_rate(rate, kind):
    t = np.arange(2 * rate)
    x = {
        "silence": np.zeros(len(t)),
        "dc": np.ones(len(t)),
        "impulse": np.eye(1, len(t), rate)[0],
        "noise": np.random.default_rng(0).standard_normal(len(t)),
        "square": np.sign(np.sin(2 * np.pi * 100 * t / rate) + 1e-9),
    }[kind]
    figures = trace_figures(x.astype(np.float32), rate)
    assert figures.dtype == np.float32
    assert np.isfinite(figures).all()
    assert np.abs(figures).max() < 30


def test_what_is_no_window_is_refused():
    with pytest.raises(AudioError, match="mono window"):
        trace_figures(phrases(LEAST_S / 2), RATE)
    with pytest.raises(AudioError, match="NaN"):
        trace_figures(np.full(2 * RATE, np.nan, np.float32), RATE)


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
@pytest.mark.parametrize("seconds", [notches.LONG_S, notches.SHORT_S])
def test_the_spectra_of_the_notches_are_those_of_scipy(rate, seconds):
    x = np.random.default_rng(0).standard_normal(2 * rate + 17).astype(np.float32)
    length = int(seconds * rate)
    hertz, _, spectrum = signal.stft(
        x, rate, nperseg=length, noverlap=length // 2, nfft=fft.next_fast_len(length, real=True)
    )
    expected = np.abs(spectrum) ** 2
    energy = expected.sum(0)
    ours = notches._power(x, rate, seconds)
    np.testing.assert_allclose(ours[0], hertz, atol=1e-6)
    np.testing.assert_allclose(ours[1], expected[:, energy >= np.percentile(energy, 20)], rtol=1e-3, atol=1e-9)
