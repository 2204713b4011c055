"""Band limits, measured."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.kinds.bandlimit import cutoff

RATE = 44100
BANDLIMIT = artifacts.artifact("bandlimit")


def gain_db(hertz: float, params: dict, rate: int = RATE) -> float:
    tone = np.sin(2 * np.pi * hertz / rate * np.arange(rate)).astype(np.float32)[None]
    out = BANDLIMIT.apply(tone, rate, params)
    middle = slice(rate // 4, -rate // 4)  # a tone that begins or ends is no tone
    return 20 * np.log10(np.std(out[0, middle]) / np.std(tone[0, middle]) + 1e-12)


@pytest.mark.parametrize("corner", [3400.0, 5000.0, 8000.0])
@pytest.mark.parametrize("order", [8, 16])
def test_tones_below_the_cutoff_pass_and_tones_above_are_attenuated(corner: float, order: int) -> None:
    params = {"cutoff_hz": corner, "order": order, "highpass_hz": 0.0, "academy": 0.0}
    assert abs(gain_db(0.6 * corner, params)) < 0.2
    assert gain_db(corner, params) == pytest.approx(-3, abs=0.3)
    assert gain_db(2 * corner, params) < -45


def test_a_file_of_a_lower_rate_ends_steeply() -> None:
    params = {"cutoff_hz": 4000.0, "order": 0, "highpass_hz": 0.0, "academy": 0.0}
    assert abs(gain_db(3500, params)) < 0.1
    assert gain_db(4400, params) < -45  # beyond half of the rate, 8.75 kHz
    assert gain_db(5000, params) < -100


@pytest.mark.parametrize("samples", [1, 301, 1001])
def test_a_file_of_a_lower_rate_is_as_long_and_not_late(samples: int) -> None:
    params = {"cutoff_hz": 4000.0, "order": 0, "highpass_hz": 0.0, "academy": 0.0}
    impulse = np.zeros((1, samples), np.float32)
    impulse[0, samples // 2] = 1.0
    out = BANDLIMIT.apply(impulse, RATE, params)
    assert out.shape == impulse.shape
    assert int(np.argmax(np.abs(out[0]))) == samples // 2


def test_lows_of_a_file_of_a_lower_rate_are_attenuated_on_request() -> None:
    params = {"cutoff_hz": 4000.0, "order": 0, "highpass_hz": 300.0, "academy": 0.0}
    assert gain_db(75, params) < -40
    assert abs(gain_db(1500, params)) < 0.2


def test_the_telephone_attenuates_lows_too() -> None:
    params = {"cutoff_hz": 3400.0, "order": 8, "highpass_hz": 300.0, "academy": 0.0}
    assert gain_db(75, params) < -40
    assert abs(gain_db(1000, params)) < 0.2


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 192000])
def test_more_severity_cuts_more_at_every_rate(rate: int) -> None:
    noise = (0.1 * np.random.default_rng(0).standard_normal(2 * rate)).astype(np.float32)
    for seed in range(3):
        left = [np.std(artifacts.render("bandlimit", noise, rate, s, seed).waveform) for s in (0, 0.25, 0.5, 0.75, 1)]
        assert (np.diff(left) < 0).all()


def test_the_cutoff_is_limited_at_low_sample_rates_only() -> None:
    assert cutoff(8000, 8000) == pytest.approx(3600)
    assert cutoff(3400, 8000) < cutoff(5000, 8000) < 3600
    assert cutoff(5000, 16000) == 5000
    assert cutoff(8000, 44100) == 8000


@pytest.mark.parametrize(("hertz", "expected"), [(200, 0), (1000, 0), (1600, 0), (5000, -10), (8000, -18)])
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_academy_curve(hertz: float, expected: float, share: float) -> None:
    params = {"cutoff_hz": 8000.0, "order": 16, "highpass_hz": 0.0, "academy": share}
    lowpass = gain_db(hertz, {**params, "academy": 0.0})
    assert gain_db(hertz, params) - lowpass == pytest.approx(share * expected, abs=0.3)


def test_the_academy_curve_is_drawn_without_high_pass_only() -> None:
    drawn = [artifacts.artifact("bandlimit").sample(1.0, np.random.default_rng(seed)) for seed in range(400)]
    optical = [params for params in drawn if params["academy"]]
    assert 0.08 < len(optical) / len(drawn) < 0.22
    assert all(params["academy"] == 1.0 and not params["highpass_hz"] for params in optical)
