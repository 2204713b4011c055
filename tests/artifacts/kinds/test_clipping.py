"""Clipping: share of clipped samples, ceilings, segments, aliasing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import signal

from contrastive_artifacts import artifacts

RATE = 44100
CLIPPING = artifacts.artifact("clipping")


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.2])
def test_hard_clipping_cuts_the_given_share(share: float, steady: np.ndarray) -> None:
    out = CLIPPING.apply(steady, RATE, {"share": share, "knee": 0.0, "skew": 0.0, "oversampling": 1})
    assert np.mean(out != steady) == pytest.approx(share, rel=0.01)
    assert np.abs(out).max() == pytest.approx(np.quantile(np.abs(steady), 1 - share), rel=0.01)
    unchanged = out == steady
    assert np.abs(out[~unchanged]).min() == np.abs(out).max()  # flat tops, not amplified
    assert_array_equal(out[unchanged], steady[unchanged])


@pytest.mark.parametrize(("knee", "skew"), [(0.3, 0.0), (0.0, 0.15), (0.3, -0.15), (0.5, 0.2)])
def test_knee_and_skew_clip_the_same_share(knee: float, skew: float, steady: np.ndarray) -> None:
    out = CLIPPING.apply(steady, RATE, {"share": 0.05, "knee": knee, "skew": skew, "oversampling": 1})
    top = (out >= out.max() * (1 - 1e-6)) | (out <= out.min() * (1 - 1e-6))
    assert np.mean(top) == pytest.approx(0.05, rel=0.03)
    assert out.max() / -out.min() == pytest.approx((1 + skew) / (1 - skew), rel=1e-4)
    order = np.argsort(steady[0])
    assert (np.diff(out[0][order]) >= -1e-7).all()  # monotone and continuous
    assert np.abs(np.diff(out[0][order])).max() < 1.01 * np.abs(np.diff(steady[0][order])).max()


def test_pauses_do_not_count(clip: np.ndarray) -> None:
    padded = np.concatenate([clip, np.zeros((1, 20 * RATE), dtype=np.float32)], axis=1)
    params = {"share": 0.1, "knee": 0.0, "skew": 0.0, "oversampling": 1}
    changed, alone = ((CLIPPING.apply(w, RATE, params) != w).sum() for w in (padded, clip))
    assert changed == pytest.approx(alone, rel=0.02)


def test_segments_are_runs_of_clipped_samples_and_near_ones_are_merged() -> None:
    time = np.arange(RATE) / RATE
    beat = (np.sin(2 * np.pi * 1000 * time) * np.sin(2 * np.pi * 2 * time)).astype(np.float32)[None]
    params = {"share": 0.2, "knee": 0.0, "skew": 0.0, "oversampling": 1}
    changed = (CLIPPING.apply(beat, RATE, params) != beat)[0]
    segments = CLIPPING.segments(beat, RATE, params)
    assert len(segments) == 4  # peaks 0.5 ms apart are merged into the four maxima of the beat
    assert changed[segments[:, 0]].all()
    assert changed[segments[:, 1] - 1].all()
    assert sum(changed[a:b].sum() for a, b in segments) == changed.sum()
    low = np.sin(2 * np.pi * 50 * time).astype(np.float32)[None]
    assert len(CLIPPING.segments(low, RATE, params)) == 100


def test_all_channels_have_the_same_ceiling(steady: np.ndarray) -> None:
    wide = np.concatenate([steady, 0.5 * steady])
    out = CLIPPING.apply(wide, RATE, {"share": 0.1, "knee": 0.0, "skew": 0.0, "oversampling": 1})
    assert np.mean(out[0] != wide[0]) > 3 * np.mean(out[1] != wide[1])
    assert np.mean(out != wide) == pytest.approx(0.1, rel=0.01)


def test_audio_that_was_clipped_before_is_clipped_further(steady: np.ndarray) -> None:
    flat = np.clip(steady, -0.1, 0.1)
    assert (CLIPPING.apply(flat, RATE, {"share": 0.001, "knee": 0.0, "skew": 0.0, "oversampling": 1}) != flat).any()


def test_a_square_wave_is_not_changed() -> None:
    square = np.sign(np.sin(np.arange(8000))).astype(np.float32)[None]
    params = {"share": 0.2, "knee": 0.0, "skew": 0.0, "oversampling": 1}
    assert_array_equal(CLIPPING.apply(square, 8000, params), square)
    assert CLIPPING.segments(square, 8000, params).shape == (0, 2)


def band_limited(rate: int) -> np.ndarray:
    """``[1, 2 s]`` of noise below 0.2 x the sample rate."""
    spectrum = np.fft.rfft(np.random.default_rng(3).standard_normal(2 * rate))
    spectrum[int(0.4 * len(spectrum)) :] = 0
    wave = np.fft.irfft(spectrum)
    return (0.1 * wave / wave.std()).astype(np.float32)[None]


@pytest.mark.parametrize("rate", [8000, 44100])
def test_clipping_before_the_converter_overshoots(rate: int) -> None:
    wave = band_limited(rate)
    hard = {"share": 0.1, "knee": 0.0, "skew": 0.0, "oversampling": 1}
    digital, analogue = (CLIPPING.apply(wave, rate, {**hard, "oversampling": n}) for n in (1, 4))
    ceiling = np.abs(digital).max()
    assert 1.02 * ceiling < np.abs(analogue).max() < 1.5 * ceiling
    flat = [np.mean(np.abs(w) > 0.9999 * ceiling) for w in (digital, analogue)]
    assert np.mean(np.abs(np.abs(analogue) - ceiling) < 1e-4 * ceiling) < 0.1 * flat[0]
    assert flat[1] == pytest.approx(0.1, abs=0.05)
    between = signal.resample(wave[0], 4 * wave.shape[1])  # the oversampled wave, of which the share was cut
    assert np.mean(np.abs(between) > ceiling) == pytest.approx(0.1, rel=0.1)


def test_clipping_before_the_converter_does_not_alias() -> None:
    tone = (0.5 * np.sin(2 * np.pi * 4999 * np.arange(RATE) / RATE)).astype(np.float32)[None]
    folded = []
    for oversampling in (1, 4):
        params = {"share": 0.2, "knee": 0.0, "skew": 0.0, "oversampling": oversampling}
        level = np.abs(np.fft.rfft(CLIPPING.apply(tone, RATE, params)[0]))
        level[::4999] = 0
        folded.append(level[:15000].max())
    assert folded[1] < 0.15 * folded[0]


def test_clipping_before_the_converter_changes_the_segments_only(clip: np.ndarray) -> None:
    params = {"share": 0.01, "knee": 0.0, "skew": 0.0, "oversampling": 4}
    out, segments = CLIPPING.render(clip, RATE, params)
    inside = np.zeros(clip.shape[1], dtype=bool)
    for start, stop in segments:
        inside[start:stop] = True
    assert_array_equal(out[:, ~inside], clip[:, ~inside])
    assert 0.01 < inside.mean() < 0.3


@pytest.mark.parametrize("samples", [3, 64, 65, 1000, 70000])
def test_the_ceiling_is_the_quantile(samples: int) -> None:
    """For few samples, and for sorted ones."""
    wave = np.sort(np.random.default_rng(samples).standard_normal(samples)).astype(np.float32)[None]
    for share in (0.001, 0.03, 0.2):
        out = CLIPPING.apply(wave, 10**6 // 2, {"share": share, "knee": 0.0, "skew": 0.0, "oversampling": 1})
        assert np.sum(out != wave) == max(1, round(share * samples))
