"""Deliveries: what they change is small, nothing moves in time, and each of them happens as often as stated."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter, welch

from contrastive_artifacts import audio
from contrastive_artifacts.data.views import delivery
from contrastive_artifacts.data.views.delivery import STEP, deliver


def pink(rate: int, seconds: float = 2.0, level: float = 0.02) -> np.ndarray:
    white = np.random.default_rng(rate).standard_normal(round(seconds * rate))
    return lfilter([level], [1, -0.95], white).astype(np.float32)


def only(monkeypatch: pytest.MonkeyPatch, **probabilities: float) -> None:
    for name in ("RESAMPLED", "CODED", "ROUNDED", "DITHERED"):
        monkeypatch.setattr(delivery, name, probabilities.get(name.lower(), 0.0))


def lag(delivered: np.ndarray, sound: np.ndarray) -> int:
    size = 2 * len(sound)
    product = np.fft.irfft(np.fft.rfft(delivered, size) * np.conj(np.fft.rfft(sound, size)))
    return int(product.argmax())


@pytest.mark.parametrize("rate", [6964, 8000, 22801, 44100, 50657, 96000])
def test_nothing_moves_and_little_changes(rate: int) -> None:
    sound = pink(rate)
    for seed in range(12):
        delivered = deliver(sound, rate, np.random.default_rng(seed))
        assert delivered.dtype == np.float32
        assert delivered.shape == sound.shape
        assert lag(delivered, sound) == 0
        assert np.square(delivered - sound).mean() < 0.05 * np.square(sound).mean()


def test_sixteen_bits_are_steps_with_and_without_dither(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = pink(44100)
    for dithered, power in ((0.0, 1 / 12), (1.0, 1 / 4)):  # of rounding alone, and with triangular noise of 1/6
        only(monkeypatch, rounded=1.0, dithered=dithered)
        delivered = deliver(sound, 44100, np.random.default_rng(0))
        assert np.array_equal(delivered / STEP, np.round(delivered / STEP))
        assert np.square((delivered - sound) / STEP).mean() == pytest.approx(power, rel=0.03)


def test_another_rate_empties_the_top_of_the_band_only(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, resampled=1.0)
    rng = np.random.default_rng(4)
    rng.random(4)
    end = 0.5 * 44100 * rng.uniform(delivery.NARROWEST, 1.0)  # in Hz
    hertz, before = welch(pink(44100), 44100, nperseg=1024)
    after = welch(deliver(pink(44100), 44100, np.random.default_rng(4)), 44100, nperseg=1024)[1]
    changes = 10 * np.log10(after / before)
    assert end < 21000
    assert np.abs(changes[(hertz > 100) & (hertz < 0.9 * end)]).max() < 0.05
    assert changes[hertz > 1.02 * end].max() < -50


def test_loud_sounds_are_scaled_and_not_clipped(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, rounded=1.0)
    sound = 3 * np.sin(np.arange(44100) * 0.05).astype(np.float32)
    delivered = deliver(sound, 44100, np.random.default_rng(0))
    assert np.abs(delivered - sound * np.float32(0.98 / np.abs(sound).max())).max() < STEP


@pytest.mark.parametrize("sound", [np.zeros(8000, np.float32), np.full(8000, 0.3, np.float32), np.ones(80, np.float32)])
def test_silence_offsets_and_short_sounds_pass(sound: np.ndarray) -> None:
    for seed in range(20):
        delivered = deliver(sound, 8000, np.random.default_rng(seed))
        assert delivered.shape == sound.shape
        assert np.isfinite(delivered).all()
        assert np.abs(delivered).max() <= 1.0


def test_each_of_them_happens_as_often_as_stated() -> None:
    """A lossy file changes a sound below 2 kHz by more than -40 dB, another rate and 16 bits by less."""
    sound = audio.resample(pink(4000, 0.5), 4000, 22050)
    outcomes = [deliver(sound, 22050, np.random.default_rng(seed)) for seed in range(300)]
    assert np.mean([np.array_equal(x / STEP, np.round(x / STEP)) for x in outcomes]) == pytest.approx(0.85, abs=0.06)
    changes = [np.square(x - sound).mean() / np.square(sound).mean() for x in outcomes]
    assert np.mean(np.array(changes) > 1e-4) == pytest.approx(0.25, abs=0.08)
