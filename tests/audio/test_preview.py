"""Previews: short, small, playable, and with the pitch, level and channels of the clip."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from contrastive_artifacts.audio import preview
from contrastive_artifacts.audio.preview import encode_preview
from contrastive_artifacts.core.errors import AudioError, ParameterError


def tone(frequency: float, rate: int, seconds: float, level: float = 0.3, channels: int = 1) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return np.tile((level * np.sin(2 * np.pi * frequency * time)).astype(np.float32), (channels, 1))


def decode(data: bytes) -> tuple[np.ndarray, int]:
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    return samples.T, rate


@pytest.mark.parametrize(("rate", "stored"), [(8000, 16000), (16000, 16000), (44100, 44100), (96000, 48000)])
def test_a_tone_keeps_its_pitch_and_level(rate: int, stored: int) -> None:
    data, mime = encode_preview(tone(1000, rate, 1.5), rate)
    decoded, decoded_rate = decode(data)
    assert mime == "audio/mpeg"
    assert decoded_rate == stored
    middle = decoded[0, decoded_rate // 2 : decoded_rate]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(middle.size)))
    assert np.argmax(spectrum) * decoded_rate / middle.size == pytest.approx(1000, abs=5)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)


def test_long_clip_is_cut_and_stays_small() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 44100 * 20)).astype(np.float32)
    data, _ = encode_preview(noise, 44100)
    decoded, rate = decode(data)
    assert decoded.shape[1] / rate == pytest.approx(4.0, abs=0.06)
    assert len(data) < 4 * 100_000 / 8


def test_peaks_are_scaled_and_not_clipped() -> None:
    decoded, _ = decode(encode_preview(tone(500, 44100, 1, level=4.0), 44100)[0])
    assert np.abs(decoded).max() < 1.05
    middle = decoded[0, 10000:30000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(middle.size))) ** 2
    third = round(1500 * middle.size / 44100)
    assert spectrum[third - 3 : third + 4].sum() < 1e-4 * spectrum.sum(), "a clipped sine has a third harmonic"


@pytest.mark.parametrize(("channels", "stored"), [(1, 1), (2, 2), (6, 1)])
def test_channels(channels: int, stored: int) -> None:
    assert decode(encode_preview(tone(440, 48000, 0.5, channels=channels), 48000)[0])[0].shape[0] == stored


def test_input_is_not_changed() -> None:
    clip = tone(440, 44100, 6, level=3)
    before = clip.copy()
    encode_preview(clip, 44100)
    np.testing.assert_array_equal(clip, before)


def test_without_mp3_support_it_is_flac(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "_subtypes", dict)
    data, mime = encode_preview(tone(440, 44100, 0.5), 44100)
    assert mime == "audio/flac"
    assert data[:4] == b"fLaC"


def test_invalid_input_is_refused() -> None:
    with pytest.raises(ParameterError, match="positive length"):
        encode_preview(tone(440, 44100, 1), 44100, seconds=0)
    with pytest.raises(AudioError):
        encode_preview(np.full((1, 100), np.nan, np.float32), 44100)
