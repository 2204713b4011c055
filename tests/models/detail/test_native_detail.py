"""Detail figures at the native rate: each artifact changes the figure for it, and a gain changes none."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.signal import lfilter

from contrastive_artifacts import audio
from contrastive_artifacts.models.detail import DetailFigures, NativeDetail, numpy_detail
from contrastive_artifacts.models.detail.clip import CLIP_FIGURES, EDGES
from contrastive_artifacts.models.detail.native import FRAME_FIGURES, HIGH, native_detail

RATE = 44100
TOP, KURTOSIS, CREST, ABOVE, GAIN = slice(7, 7 + len(HIGH)), -4, -3, -2, -1
COMB50, COMB60, LEVELS, SILENT, FLAT, RUNS = 14, 19, 24, 25, 26, 27
LOW, ALL, DEVIATION = 0, 2, 4


def noise(seconds: float = 2.0, rate: int = RATE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, (1, round(seconds * rate))).astype(np.float32)


def seconds(rate: int = RATE, length: float = 2.0) -> np.ndarray:
    return np.arange(round(length * rate)) / rate


def speechlike(seed: int = 0) -> np.ndarray:
    """Noise through four resonances at those of a vowel: [1, T] at 16 kHz."""
    poles = [0.97 * np.exp(2j * np.pi * hz / 16000) for hz in (500, 1500, 2500, 3500)]
    x = lfilter([1.0], np.poly([*poles, *np.conj(poles)]).real, noise(2.0, 16000, seed)[0])
    return (0.1 * x / np.std(x)).astype(np.float32)[None]


def clip(x: np.ndarray, rate: int = RATE) -> np.ndarray:
    return numpy_detail(np.asarray(x, np.float32), rate).clip[0]


def frames(x: np.ndarray, rate: int = RATE) -> np.ndarray:
    return numpy_detail(np.asarray(x, np.float32), rate).frames[0]


def hum(mains_hz: float, level_db: float, lines: int = 6) -> np.ndarray:
    """Hum under unit-RMS noise: equally strong lines, of ``level_db`` together."""
    t = seconds(length=3.0)
    tones = sum(np.sin(2 * np.pi * k * mains_hz * t + k) for k in range(1, lines + 1))
    return (10 * noise(3.0) + 10 ** (level_db / 20) * tones / np.std(tones)).astype(np.float32)


@pytest.mark.parametrize("gain", [1e-3, 0.37, 20.0])
@pytest.mark.parametrize("make", [noise, speechlike])
def test_gain_does_not_matter(make, gain):
    for plain, amplified in zip(
        numpy_detail(make(), 16000), numpy_detail(np.float32(gain) * make(), 16000), strict=True
    ):
        np.testing.assert_allclose(plain, amplified, atol=1e-3)


def test_clipping_is_seen_at_the_own_rate_and_blurred_after_resampling():
    x = noise()
    clipped = np.minimum(x, 0.12)
    before, after = (clip(y)[: len(EDGES)] for y in (x, clipped))
    assert after[0] > before[0] + 1  # a tenth of all samples lie at the top
    assert np.allclose(clip(clipped)[len(EDGES) : 14], clip(x)[len(EDGES) : 14], atol=0.05)  # the other sign has none
    low = clip(audio.resample(clipped, RATE, 16000), 16000)
    assert low[0] < before[0] + 0.3


def test_flat_tops_are_runs_of_equal_samples_at_the_own_rate_only():
    x = audio.resample(speechlike(), 16000, RATE)
    clipped = np.clip(x, -0.12, 0.12)
    assert clip(clipped)[RUNS] > clip(x)[RUNS] + 0.5
    assert clip(clipped)[RUNS] > clip(audio.resample(clipped, RATE, 16000), 16000)[RUNS] + 0.5


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("edge", [0.3, 0.5, 0.65, 1.0])
def test_shares_of_energy_above_a_band_limit_are_next_to_none(edge, rate):
    x = noise(1.0, rate)
    spectrum = np.fft.rfft(x)
    spectrum[:, np.fft.rfftfreq(x.shape[1], 1 / rate) > edge * rate / 2] = 0
    shares = 2 * frames(np.fft.irfft(spectrum, x.shape[1]), rate)[2:-2, TOP].mean(0)
    for part, share in zip(HIGH, shares, strict=True):
        if part < edge:
            assert share == pytest.approx(math.log10(1 - part / edge), abs=0.15)
        else:
            assert share < -4


def test_a_click_stands_out_of_speech_in_its_frame():
    x = speechlike()
    clicked = x.copy()
    clicked[0, 16000 + 100] += 3 * np.std(x)  # frame 62, and no louder than the peaks of the vowel
    rise = frames(clicked, 16000) - frames(x, 16000)
    for column in (KURTOSIS, CREST, ABOVE):
        assert rise[:, column].argmax() == 62
        assert np.delete(rise[:, column], 62).max() < 0.05
    assert rise[62, KURTOSIS] > 0.7
    assert rise[62, 0] < 0.15  # while the level says little


def test_what_a_predictor_leaves_tells_tones_from_noise():
    tone = np.sin(2 * np.pi * 700 * seconds())[None]
    assert frames(tone)[:, GAIN].max() < -1.5  # and no click at the beginning
    assert abs(frames(noise())[:, GAIN].mean()) < 0.05
    assert frames(noise())[:, KURTOSIS].mean() == pytest.approx(math.log10(3), abs=0.03)


@pytest.mark.parametrize("hz", [50.0, 50.3, 49.7])
def test_hum_of_50_hz_is_found_and_is_not_60_hz(hz):
    clean, hummed = clip(hum(hz, -200)), clip(hum(hz, -30))
    for figure in (LOW, LOW + 1):
        assert hummed[COMB50 + figure] > clean[COMB50 + figure] + 0.3  # 1 is 10 dB
    assert hummed[COMB60 + LOW] < clean[COMB60 + LOW] + 0.2
    assert hummed[COMB50 + ALL] > hummed[COMB60 + ALL] + 0.1
    assert hummed[COMB50 + DEVIATION] == pytest.approx(100 * (hz / 50 - 1), abs=0.25)


def test_hum_of_60_hz_is_not_50_hz():
    clean, hummed = clip(hum(60, -200)), clip(hum(60, -30))
    assert hummed[COMB60 + LOW] > clean[COMB60 + LOW] + 0.3
    assert hummed[COMB50 + LOW] < clean[COMB50 + LOW] + 0.2


def test_hum_that_comes_and_goes_raises_the_mean_alone():
    x, clean = hum(50, -20), hum(50, -200)
    x[:, : x.shape[1] // 2] = clean[:, : x.shape[1] // 2]
    rise = clip(x) - clip(clean)
    assert rise[COMB50 + LOW] > 0.5
    assert rise[COMB50 + LOW + 1] < 0.6 * rise[COMB50 + LOW]


@pytest.mark.parametrize("gain", [0.013, 0.71, 3.3])
def test_eight_bits_are_told_after_any_gain(gain):
    x = noise() * 2
    coarse = np.round(x * 128) / 128 * gain
    assert clip(coarse)[LEVELS] < 0.8  # fewer than 256 levels
    assert clip(x)[LEVELS] > 1.0
    assert clip(np.round(x * 32768) / 32768)[LEVELS] == pytest.approx(clip(x)[LEVELS], abs=0.02)  # 16 bits are not


def test_runs_of_equal_samples_are_measured_by_their_kind():
    x = noise()
    held, silenced = x.copy(), x.copy()
    held[0, 5000:5600] = 0.05
    silenced[0, 5000:5600] = 0
    before = clip(x)
    assert (clip(held) - before)[[SILENT, FLAT]] == pytest.approx([0, 9 / 12], abs=0.1)  # 2 ** 9 = 512
    assert (clip(silenced) - before)[[SILENT, FLAT]] == pytest.approx([9 / 12, 0], abs=0.1)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000, 192000])
def test_rates_agree_on_the_same_sound(rate):
    """Noise up to 3 kHz with hum under it: level, crest, edges and hum are the same at every rate."""
    x = noise(3.0, 8000)
    spectrum = np.fft.rfft(x)
    spectrum[:, np.fft.rfftfreq(x.shape[1], 1 / 8000) > 3000] = 0
    x = np.fft.irfft(spectrum, x.shape[1]).astype(np.float32)
    x += sum(0.01 * np.sin(2 * np.pi * 50 * k * seconds(8000, 3.0)) for k in range(1, 7)).astype(np.float32)
    expected, resampled = (numpy_detail(audio.resample(x, 8000, r), r) for r in (8000, rate))
    assert resampled.frames.shape == (1, 187, FRAME_FIGURES)
    assert resampled.clip.shape == (1, CLIP_FIGURES)
    inner = slice(2, -2)
    assert np.abs((resampled.frames - expected.frames)[0, inner, :2]).mean(0).max() < 0.06
    # The first edges depend on a single peak, which the lowest rate may not contain.
    assert np.abs((resampled.clip - expected.clip)[0, [*range(4, 7), *range(11, 14)]]).max() < 0.3
    assert np.abs((resampled.clip - expected.clip)[0, COMB50 : COMB50 + 4]).max() < 0.15
    assert expected.clip[0, COMB50 + LOW] > expected.clip[0, COMB60 + LOW] + 0.3


@pytest.mark.parametrize("length", [0.016, 0.1, 0.4, 0.5, 0.96, 3.0])
def test_the_number_of_frames_hangs_on_the_duration_alone(length):
    rates = (8000, 11025, 16000, 22050, 38801, 44100, 48000, 96001)
    counts = {frames(noise(length, rate), rate).shape[0] for rate in rates}
    assert counts == {max(2, int(length / 0.016 + 1e-9))}


def test_any_finite_input_has_finite_figures():
    awkward = [np.zeros(16000), np.ones(16000), np.full(16000, -3e38), np.full(16000, 1e-42), np.eye(1, 16000, 7)[0]]
    awkward += [1e30 * noise(1.0)[0, :16000], 1e-30 * noise(1.0)[0, :16000], np.sign(np.sin(np.arange(16000.0)))]
    for rate in (1000, 8000, 16000, 44100, 192000):
        for x in awkward:
            for samples in (1, 2, 3, 5, 700, 16000):
                for part in numpy_detail(np.asarray(x[None, :samples], np.float32), rate):
                    assert np.isfinite(part).all()
                    assert np.abs(part).max() < 10


def test_batch_equals_single():
    x = np.concatenate([noise(1.0, seed=i) * 10.0**-i for i in range(3)]).astype(np.float32)
    together = numpy_detail(x, RATE)
    for i, row in enumerate(x):
        for whole, part in zip(together, numpy_detail(row[None], RATE), strict=True):
            assert np.array_equal(whole[i], part[0])


@pytest.mark.parametrize("kind", ["noise", "silence", "dropout"])
def test_gradients_are_finite(kind):
    x = torch.from_numpy(noise(0.5)) * (kind != "silence")
    x[:, 4000:9000] *= kind != "dropout"
    detail, x = NativeDetail(RATE), x.requires_grad_()
    values = detail.pooled(detail.figures(x))
    assert values.shape == (1, detail.size)
    values.square().sum().backward()
    assert torch.isfinite(x.grad).all()
    if kind == "noise":
        assert x.grad.abs().max() > 0


def test_pooling_by_hand():
    frames = torch.tensor([[[1.0] * FRAME_FIGURES, [3.0] * FRAME_FIGURES]])
    pooled = NativeDetail.pooled(DetailFigures(frames, torch.zeros(1, CLIP_FIGURES)))
    parts = pooled[0, CLIP_FIGURES:].unflatten(0, (5, FRAME_FIGURES))
    assert torch.allclose(parts[:, 0], torch.tensor([2.0, 1.0, 1.0, 3.0, 2.0]), atol=1e-4)


def test_half_precision_around_it_changes_nothing():
    x = torch.from_numpy(noise(0.5))
    with torch.autocast("cpu", torch.bfloat16):
        inside = native_detail(x, RATE)
    assert torch.equal(inside.frames, native_detail(x, RATE).frames)
