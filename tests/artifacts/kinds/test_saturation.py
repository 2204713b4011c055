"""Saturation: harmonics of a tone, aliasing, level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.dsp.oversampling import change, sufficient

RATE = 44100
SATURATION = artifacts.artifact("saturation")


def params(drive_db: float, bias: float = 0.0, curve: str = "tanh", oversampling: int = 2) -> dict:
    return {"drive_db": drive_db, "bias": bias, "curve": curve, "oversampling": oversampling}


def tone(hertz: int, rate: int = RATE, seconds: int = 1) -> np.ndarray:
    return (0.1 * np.sin(2 * np.pi * hertz * np.arange(seconds * rate) / rate)).astype(np.float32)[None]


def lines(wave: np.ndarray) -> np.ndarray:
    """Amplitude at each whole Hz of one second of sound, ``[rate / 2 + 1]``."""
    return np.abs(np.fft.rfft(wave[0].astype(np.float64))) * 2 / wave.shape[1]


def distortion(hertz: int, drive_db: float, bias: float) -> float:
    """Total harmonic distortion: RMS of the harmonics re the fundamental."""
    level = lines(SATURATION.apply(tone(hertz), RATE, params(drive_db, bias)))
    return float(np.sqrt(np.square(level[2 * hertz :: hertz]).sum()) / level[hertz])


@pytest.mark.parametrize("bias", [0.0, 0.1, -0.25])
def test_distortion_grows_with_drive(bias: float) -> None:
    measured = [distortion(441, drive, bias) for drive in (3, 8, 13, 18, 24)]
    assert (np.diff(measured) > 0).all()
    assert measured[0] < 0.06
    assert measured[-1] > 0.25


def test_distortion_of_a_sine_is_1_percent_at_3_db_and_30_at_24_db() -> None:
    assert distortion(441, 3, 0.0) == pytest.approx(0.01, rel=0.15)
    assert distortion(441, 24, 0.0) == pytest.approx(0.3, rel=0.1)


def test_harmonics_are_those_of_tanh() -> None:
    drive_db = 12.0
    amplitude = np.sqrt(2) * 10 ** ((drive_db - 15) / 20)
    expected = lines(np.tanh(amplitude * tone(441) / 0.1))
    level = lines(SATURATION.apply(tone(441), RATE, params(drive_db)))
    for n in (3, 5, 7):
        assert level[n * 441] / level[441] == pytest.approx(expected[n * 441] / expected[441], rel=0.01)


def test_bias_gives_even_harmonics() -> None:
    level, biased = (lines(SATURATION.apply(tone(441), RATE, params(12.0, bias))) for bias in (0.0, 0.2))
    assert level[882] < 1e-5 * level[441]
    assert biased[882] > 0.03 * biased[441]
    assert biased[1323] > 0.03 * biased[441]
    assert biased[0] < 1e-3 * biased[441]  # no offset


@pytest.mark.parametrize(("hertz", "rate"), [(2999, 44100), (4999, 48000), (997, 16000)])
def test_aliasing_is_weak(hertz: int, rate: int) -> None:
    """Between the harmonics at the highest drive there is little energy; with tanh alone there is much more."""
    wave = tone(hertz, rate)
    amplitude = np.sqrt(2) * 10 ** ((24 - 15) / 20)
    folded = []
    for bent in (SATURATION.apply(wave, rate, params(24.0)), np.tanh(10 * amplitude * wave)):
        level = lines(bent)
        fundamental = level[hertz]
        level[::hertz] = 0.0
        folded.append(20 * np.log10(level[: int(0.3 * rate)].max() / fundamental))
    assert folded[0] < -55
    assert folded[1] > folded[0] + 15


def test_the_level_is_preserved(clip: np.ndarray) -> None:
    for drive in (3.0, 24.0):
        out = SATURATION.apply(clip, RATE, params(drive, 0.2))
        assert np.square(out).mean() == pytest.approx(np.square(clip).mean(), rel=1e-4)
    assert np.abs(out).max() < 0.8 * np.abs(clip).max()


def test_drive_is_relative_to_the_level(clip: np.ndarray) -> None:
    chosen = params(15.0, 0.1)
    quiet = SATURATION.apply(0.01 * clip, RATE, chosen)
    np.testing.assert_allclose(100 * quiet, SATURATION.apply(clip, RATE, chosen), atol=1e-4)


@pytest.mark.parametrize("bias", [0.0, 0.2])
@pytest.mark.parametrize(
    ("curve", "at"),
    [
        ("tanh", np.tanh),
        ("arctan", lambda x: 2 / np.pi * np.arctan(np.pi / 2 * x)),
        ("cubic", lambda x: np.where(np.abs(x) < 1.5, x - 4 * x**3 / 27, np.sign(x))),
    ],
)
def test_without_oversampling_every_sample_follows_the_curve(curve: str, at: Any, bias: float) -> None:
    """Up to the level and the offset of a biased curve, which varies below 10 Hz only."""
    wave = tone(441)
    out = SATURATION.apply(wave, RATE, params(18.0, bias, curve, oversampling=1))[0]
    expected = at(np.sqrt(2) * 10 ** (3 / 20) * wave[0] / 0.1 + bias)
    middle = slice(RATE // 4, RATE // 4 + 1000)  # ten periods
    out, expected = (x[middle] - x[middle].mean() for x in (out, expected))
    np.testing.assert_allclose(out / out.std(), expected / expected.std(), atol=0.01)


def test_simple_software_leaves_flat_tops_and_oversampling_does_not() -> None:
    """Shares of the samples that equal their neighbour after rounding to 16 bits, of tones up to 6 kHz."""
    wave = sum(tone(hertz) for hertz in (397, 1511, 3119, 5987))
    shares = []
    for oversampling in (1, 2):
        out = SATURATION.apply(wave, RATE, params(24.0, 0.0, "cubic", oversampling))[0]
        shares.append(float((np.diff(np.round(32767 * out)) == 0).mean()))
    assert shares[0] > 0.4
    assert shares[1] < 0.5 * shares[0]


@pytest.mark.parametrize("rate", [44100, 16000])
def test_blocks_leave_no_joints(rate: int) -> None:
    """A clip rendered in blocks equals a short part rendered around the edge of a block."""
    wave = (0.1 * np.random.default_rng(0).standard_normal((1, 600000))).astype(np.float32)

    def cube(x: np.ndarray) -> np.ndarray:
        return x**3

    full = change(wave, sufficient(rate), cube)
    for joint in (32768, 262144):
        part = slice(joint - 5000, joint + 5000)
        np.testing.assert_allclose(
            change(wave[:, part], sufficient(rate), cube)[:, 300:-300], full[:, part][:, 300:-300], atol=1e-6
        )
