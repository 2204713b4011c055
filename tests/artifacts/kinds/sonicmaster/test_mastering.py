"""Compression, punch, overdrive, volume and mono sum."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.dsp.levels import reference

RATE = 44100
TIME = np.arange(2 * RATE) / RATE
COMPRESSION = {"threshold_db": -40.0, "ratio": 8.0, "attack_ms": 5.0, "release_ms": 100.0, "makeup_db": 20.0}


def level(wave: np.ndarray) -> float:
    return 20 * np.log10(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))


@pytest.mark.parametrize("gain", [1.0, 0.01])
def test_static_curve_of_the_compressor(gain: float) -> None:
    """Two levels 10 dB apart become 10 / 8 dB apart, at the levels of the static curve, whatever that of the clip."""
    tone = np.sin(2 * np.pi * 1000 * TIME) * np.where(TIME < 1, 0.3, 0.3 * 10 ** (-10 / 20))
    wave = (gain * tone).astype(np.float32)[None]
    out = artifacts.artifact("compression").apply(wave, RATE, COMPRESSION)
    loud, soft = slice(RATE // 2, RATE), slice(3 * RATE // 2, 2 * RATE)
    assert level(out[0, loud]) - level(out[0, soft]) == pytest.approx(10 / 8, abs=0.1)
    scale = -15 - 20 * np.log10(reference(wave, RATE))
    for part in (loud, soft):
        before = level(wave[0, part]) + scale
        expected = -40 + (before + 40) / 8 + 20 - before
        assert level(out[0, part]) - level(wave[0, part]) == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize("depth", [8.0, 15.0])
def test_punch_attenuates_onsets_only(depth: float) -> None:
    rng = np.random.default_rng(0)
    bed = 0.02 * rng.standard_normal(len(TIME))
    hits = sum((np.exp(-np.clip(TIME - at, 0, None) / 0.05) * (at <= TIME) for at in (0.5, 1.0, 1.5)), 0.0)
    wave = (bed + 0.5 * hits * np.sin(2 * np.pi * 800 * TIME)).astype(np.float32)
    out = artifacts.artifact("punch").apply(wave[None], RATE, {"depth_db": depth})[0]
    for at in (0.5, 1.0, 1.5):
        start = int(at * RATE)
        attack = slice(start + RATE // 500, start + RATE // 100)
        assert level(out[attack]) - level(wave[attack]) == pytest.approx(-depth, abs=0.5)
        rest = slice(start + RATE // 5, start + RATE // 2 - RATE // 50)
        assert level(out[rest]) - level(wave[rest]) == pytest.approx(0, abs=0.2)


def test_overdrive_amplifies_up_to_the_peak(clip: np.ndarray) -> None:
    out = artifacts.artifact("overdrive").apply(clip, RATE, {"gain": 3.0})
    peak = np.abs(clip).max()
    assert np.abs(out).max() == peak
    below = np.abs(3 * clip) < 0.99 * peak
    np.testing.assert_allclose(out[below], 3 * clip[below], rtol=1e-6)
    assert (np.abs(out) == peak).sum() > 1000


def test_volume_is_a_factor(clip: np.ndarray) -> None:
    for severity, factor in ((0.0, 0.05), (1.0, 0.001)):
        out = artifacts.render("volume", clip, RATE, severity).waveform
        assert level(out) - level(clip) == pytest.approx(20 * np.log10(factor), abs=0.01)


def test_mono_sum_attenuates_the_difference_only() -> None:
    wave = (0.1 * np.random.default_rng(0).standard_normal((2, RATE))).astype(np.float32)
    for share in (0.4, 0.9):
        out = artifacts.artifact("mono_sum").apply(wave, RATE, {"share": share})
        np.testing.assert_allclose(out.mean(axis=0), wave.mean(axis=0), atol=1e-7)
        assert level(out[0] - out[1]) - level(wave[0] - wave[1]) == pytest.approx(20 * np.log10(1 - share), abs=0.01)
    mono = artifacts.artifact("mono_sum").apply(wave, RATE, {"share": 1.0})
    assert np.array_equal(mono[0], mono[1])
