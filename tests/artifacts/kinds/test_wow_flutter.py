"""Wow and flutter: deviation, rates, accuracy, earlier versions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.kinds.wow_flutter import _offset, _peak_and_mean

RATE = 44100
WOW = artifacts.artifact("wow_flutter")
OLD_DRAW = {"deviation": 0.00447213595499958, "parts": [[6.733094336794068, 1.0, 0.5436249914654229]]}


def tone(hertz: float, seconds: float = 5.0, rate: int = RATE) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)[None]


def speed(wave: np.ndarray, hertz: float) -> np.ndarray:
    """Relative deviation of the speed over time, from the instantaneous frequency of a tone."""
    phase = np.unwrap(np.angle(signal.hilbert(wave[0].astype(np.float64))))
    return (np.gradient(phase) * RATE / (2 * np.pi * hertz) - 1)[2000:-2000]


@pytest.mark.parametrize("rate", [0.5, 2.0, 6.0, 25.0, 100.0])
@pytest.mark.parametrize("deviation", [0.001, 0.02])
def test_peak_deviation_and_rate(rate: float, deviation: float) -> None:
    for phase in (0.0, 0.3):
        out = WOW.apply(tone(3000), RATE, {"deviation": deviation, "parts": [[rate, 1.0, phase]]})
        curve = speed(out, 3000)
        assert np.abs(curve).max() == pytest.approx(deviation, rel=0.1)
        spectrum = np.abs(np.fft.rfft(curve * np.hanning(len(curve)), 16 * RATE))
        peak_bin = np.argmax(spectrum[1:]) + 1
        assert peak_bin / 16 == pytest.approx(rate, rel=0.1, abs=0.15)


@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_the_peak_is_set_by_severity_for_any_parts(severity: float) -> None:
    for seed in range(8):
        view = artifacts.render("wow_flutter", tone(3000), RATE, severity, seed)
        assert np.abs(speed(view.waveform, 3000)).max() == pytest.approx(0.001 * 20**severity, rel=0.1)


@pytest.mark.parametrize("hertz", [440.0, 3000.0, 12000.0, 16000.0])
def test_the_interpolation_error_is_below_65_db(hertz: float) -> None:
    """The difference between a tone with 0.5 Hz wow and the exact modulated tone."""
    params = {"deviation": 0.02, "parts": [[0.5, 1.0, 0.0]]}
    seconds = 4.0  # two whole periods: the mean of the deviation is zero, so that its integral has a closed form
    time = np.arange(int(seconds * RATE)) / RATE
    ahead = 0.02 / (2 * np.pi * 0.5) * (1 - np.cos(2 * np.pi * 0.5 * time))
    ideal = 0.5 * np.sin(2 * np.pi * hertz * (time + ahead))
    error = (WOW.apply(tone(hertz, seconds), RATE, params)[0] - ideal)[100:-1000]
    assert 20 * np.log10(np.std(error) / np.std(ideal)) < -65


def test_the_ends_of_the_clip_are_not_moved() -> None:
    """Clicks near the ends are not moved by more than 12 samples, one in the middle by up to 700."""
    wave = np.zeros((1, 5 * RATE), dtype=np.float32)
    at = np.array([500, len(wave[0]) // 2, len(wave[0]) - 500])
    wave[0, at] = 1.0
    for seed in range(10):
        out = artifacts.render("wow_flutter", wave, RATE, 1.0, seed).waveform[0]
        for place, slack in zip(at, (12, 700, 12), strict=True):
            near = out[max(0, place - slack) : place + slack + 1]
            assert np.abs(near).max() > 0.5


def test_a_constant_is_not_changed() -> None:
    out = WOW.apply(np.ones((1, RATE), dtype=np.float32), RATE, {"deviation": 0.02, "parts": [[3.0, 1.0, 0.2]]})
    assert np.abs(out[0, 50:-50] - 1).max() < 1e-4


def test_kinds_are_varied(clip: np.ndarray) -> None:
    rates = [
        [row[0] for row in artifacts.render("wow_flutter", clip[:, :4410], RATE, 0.5, s).params["parameters"]["parts"]]
        for s in range(60)
    ]
    assert any(max(r) <= 6 for r in rates)
    assert any(min(r) > 6 for r in rates)
    assert any(min(r) <= 6 < max(r) for r in rates)


@pytest.mark.parametrize(("rate", "parts"), [(300.0, [[300.0, 1.0, 0.2]]), (2900.0, [[2900.0, 1.0, 0.7]])])
def test_scrape_flutter_peak_and_rate(rate: float, parts: list) -> None:
    out = WOW.apply(tone(8000), RATE, {"deviation": 0.002, "parts": parts})
    curve = speed(out, 8000)
    assert np.abs(curve).max() == pytest.approx(0.002, rel=0.1)
    spectrum = np.abs(np.fft.rfft(curve * np.hanning(len(curve)), 16 * RATE))
    assert (np.argmax(spectrum[16:]) + 16) / 16 == pytest.approx(rate, rel=0.01)


def test_scrape_flutter_is_drawn_for_one_clip_in_five_with_a_small_share_of_the_deviation() -> None:
    drawn = [WOW.sample(0.5, np.random.default_rng(s))["parts"] for s in range(500)]
    scraped = [parts for parts in drawn if max(rate for rate, _, _ in parts) > 113]
    assert 70 < len(scraped) < 130
    for parts in scraped:
        share = sum(w for r, w, _ in parts if r > 113) / sum(w for _, w, _ in parts)
        assert 0.09 < share < 0.42
    out = WOW.apply(tone(8000), RATE, {"deviation": 0.01, "parts": scraped[0]})
    assert np.abs(speed(out, 8000)).max() == pytest.approx(0.01, rel=0.1)


def test_seeds_without_scrape_flutter_draw_the_parameters_of_earlier_versions() -> None:
    """Parameters of version 0.1.0."""
    assert WOW.sample(0.5, np.random.default_rng(0)) == OLD_DRAW


@pytest.mark.parametrize("scene", range(4))
def test_parameters_of_earlier_versions_give_equal_samples(scene: int) -> None:
    """Against the interpolator of version 0.1.0: its weights, its positions, its order of summation."""
    rng = np.random.default_rng(scene)
    rate = (8000, 22050, 44100, 192000)[scene]
    wave = (0.2 * rng.standard_normal((1 + scene % 2, rate // 2 + scene))).astype(np.float32)
    params = {"deviation": 0.02, "parts": [[1.3, 1.0, 0.3], [60.0, 0.4, 0.9]]}
    out = WOW.apply(wave, rate, params)
    np.testing.assert_array_equal(out, first_version(wave, rate, params))


def first_version(wave: np.ndarray, rate: int, params: dict) -> np.ndarray:
    taps, phases, count = 32, 16384, wave.shape[1]
    distance = np.arange(taps) - (taps // 2 - 1) - (np.arange(phases + 1) / phases)[:, None]
    window = np.i0(9.0 * np.sqrt(np.maximum(0, 1 - (distance / (taps / 2)) ** 2))) / np.i0(9.0)
    weights = np.sinc(distance) * window
    table = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    peak, mean = _peak_and_mean(count / rate, params["parts"])
    rows = np.lib.stride_tricks.sliding_window_view(np.pad(wave, ((0, 0), (16, 17))), taps, axis=1)
    out = np.empty_like(wave)
    for start in range(0, count, 8192):
        stop = min(start + 8192, count)
        position = np.arange(start, stop) + _offset(
            start, stop, rate, params["parts"], params["deviation"] / peak, mean
        )
        np.clip(position, 0, count - 1, out=position)
        sample = position.astype(np.int64)
        phase = np.round((position - sample) * phases).astype(np.int64)
        for channel in range(len(wave)):
            out[channel, start:stop] = np.einsum("nk,nk->n", rows[channel, sample + 1], table[phase])
    return out
