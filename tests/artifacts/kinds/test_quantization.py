"""Quantization: number of levels, power of the error, effect of dither."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts import artifacts

RATE = 44100
QUANTIZATION = artifacts.artifact("quantization")
POWER = {"none": 1 / 12, "rpdf": 1 / 6, "tpdf": 1 / 4}  # of the total error, in steps squared


def quantized(wave: np.ndarray, bits: float, dither: str) -> np.ndarray:
    return QUANTIZATION.apply(wave, RATE, {"seed": 3, "bits": bits, "dither": dither})


def step_of(wave: np.ndarray, bits: float) -> float:
    return float(np.abs(wave).max() / (2 ** (bits - 1) - 1))


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_number_of_levels(bits: int) -> None:
    wave = np.linspace(-0.3, 0.3, 100001, dtype=np.float32)[None]
    out = quantized(wave, bits, "none")
    assert len(np.unique(out)) == 2**bits - 1
    np.testing.assert_allclose(np.diff(np.unique(out)), step_of(wave, bits), rtol=1e-4)
    assert np.abs(out - wave).max() < 0.5001 * step_of(wave, bits)


@pytest.mark.parametrize("bits", [4, 7.5, 12])
@pytest.mark.parametrize("dither", list(POWER))
def test_power_of_the_error(bits: float, dither: str, steady: np.ndarray) -> None:
    error = quantized(steady, bits, dither) - steady.astype(np.float64)
    in_steps = np.square(error / step_of(steady, bits)).mean()
    assert 10 * np.log10(in_steps / POWER[dither]) == pytest.approx(0, abs=0.5)


def test_a_quiet_clip_gets_the_same_damage(clip: np.ndarray) -> None:
    scale = np.float32(2.0**-10)
    np.testing.assert_array_equal(quantized(scale * clip, 6, "tpdf"), scale * quantized(clip, 6, "tpdf"))


def test_dither_removes_harmonics() -> None:
    """A tone of about one step: the error is harmonics without dither, and noise with TPDF."""
    wave = np.sin(2 * np.pi * 441 * np.arange(4 * RATE) / RATE)
    wave = (wave * np.where(np.arange(4 * RATE) < 100, 7.0, 1.2)).astype(np.float32)[None] / 70  # a peak sets the step
    rest = slice(RATE, 4 * RATE)
    lines = {}
    for dither in POWER:
        error = (quantized(wave, 4, dither) - wave)[0, rest]
        lines[dither] = (
            np.abs(np.fft.rfft(error))[[3 * 441, 9 * 441, 15 * 441]].max() / (len(error) / 2) / step_of(wave, 4)
        )
    assert lines["none"] > 0.1
    assert lines["tpdf"] < 0.01


def test_the_error_with_tpdf_does_not_depend_on_the_signal() -> None:
    """Mean and power of the error depend on the signal between two levels without dither, and not with TPDF."""
    wave = np.tile(np.linspace(0.0, 1.0, 1000, dtype=np.float32), 400)[None] / 7
    wave[0, 0] = 1.0  # at 4 bits the step is 1/7: the ramps run through one step
    scatter = {}
    for dither in POWER:
        error = ((quantized(wave, 4, dither) - wave)[0] * 7).reshape(400, 1000)[1:]
        slots = error.reshape(399, 20, 50).transpose(1, 0, 2).reshape(20, -1)
        scatter[dither] = slots.mean(axis=1).std(), np.square(slots).mean(axis=1).std()
    assert scatter["none"][0] > 0.2
    assert scatter["rpdf"][0] < 0.02
    assert scatter["rpdf"][1] > 0.05  # the power still depends on the signal
    assert max(scatter["tpdf"]) < 0.02


@pytest.mark.parametrize("dither", list(POWER))
def test_silence_is_not_changed(dither: str) -> None:
    silence = np.zeros((2, 1000), dtype=np.float32)
    np.testing.assert_array_equal(quantized(silence, 4, dither), silence)
