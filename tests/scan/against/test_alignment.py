"""Copies of one recording are aligned in time, speed, level and polarity; other recordings are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.artifacts.dsp.resample_at import read_at
from contrastive_artifacts.core.errors import AudioError
from contrastive_artifacts.scan.against import align

RATE = 22050


def melody(seed: int, seconds: float) -> np.ndarray:
    """Notes of random pitch, length and level over soft noise, float32 [T]."""
    rng = np.random.default_rng(seed)
    out = rng.normal(0, 0.002, round(seconds * RATE))
    place = 0
    while place < out.size:
        length = min(round(rng.uniform(0.1, 0.6) * RATE), out.size - place)
        time = np.arange(length) / RATE
        tones = sum(np.sin(2 * np.pi * k * rng.uniform(110, 880) * time) / k for k in range(1, 5))
        out[place : place + length] += rng.uniform(0.03, 0.2) * tones * np.exp(-3 * time)
        place += round(rng.uniform(0.05, 0.5) * RATE)
    return np.asarray(out, np.float32)


SOUND = melody(0, 40.0)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("copies") / "a.wav"
    audio.write(path, SOUND[None], RATE)
    return path


@pytest.fixture
def copy(tmp_path: Path) -> Callable[..., Path]:
    def written(samples: np.ndarray, rate: int = RATE) -> Path:
        audio.write(tmp_path / "b.wav", np.atleast_2d(samples).astype(np.float32), rate)
        return tmp_path / "b.wav"

    return written


def at_speed(speed: float) -> np.ndarray:
    """The sound with ``speed`` seconds for every second."""
    positions = np.arange(round(SOUND.size * speed)) / speed
    return read_at(SOUND[None], positions, min(1.0, speed))[0]


def test_a_copy_is_itself(original: Path, copy: Callable[..., Path]) -> None:
    line = align(original, copy(SOUND))
    assert (line.offset_s, line.speed) == pytest.approx((0, 1), abs=1e-5)
    assert line.jitter_ms < 0.01
    assert line.agreeing == 1
    assert line.difference_db < -50
    assert not line.inverted
    assert (line.start_s, line.stop_s) == pytest.approx((0, 40), abs=1e-6)


def test_delay_level_and_polarity(original: Path, copy: Callable[..., Path]) -> None:
    line = align(original, copy(-0.5 * np.concatenate([np.zeros(12345), SOUND])))
    assert line.offset_s == pytest.approx(12345 / RATE, abs=1e-6)
    assert line.gain_db == pytest.approx(6.02, abs=0.01)
    assert line.inverted
    assert line.difference_db < -40


def test_an_excerpt_and_what_it_is_an_excerpt_of(original: Path, copy: Callable[..., Path]) -> None:
    part = copy(SOUND[12 * RATE : 20 * RATE])
    inside = align(original, part)
    assert inside.offset_s == pytest.approx(-12, abs=1e-5)
    assert (inside.start_s, inside.stop_s) == pytest.approx((12, 20), abs=1e-4)
    around = align(part, original)
    assert around.offset_s == pytest.approx(12, abs=1e-5)
    assert (around.start_s, around.stop_s) == pytest.approx((0, 8), abs=1e-4)


@pytest.mark.parametrize("speed", [1.0003, 0.995, 24 / 25, 25 / 24])
def test_another_speed(original: Path, copy: Callable[..., Path], speed: float) -> None:
    line = align(original, copy(at_speed(speed)))
    assert line.speed == pytest.approx(speed, abs=2e-6)
    assert line.offset_s == pytest.approx(0, abs=5e-5)
    assert line.difference_db < -35
    assert line.in_a(10 * speed) == pytest.approx(10, abs=1e-4)


def test_another_rate_and_a_second_channel(original: Path, copy: Callable[..., Path]) -> None:
    resampled = audio.resample(SOUND, RATE, 48000)
    line = align(original, copy(np.stack([resampled, resampled]), 48000))
    assert (line.offset_s, line.speed) == pytest.approx((0, 1), abs=2e-5)
    assert line.difference_db < -35


def test_added_noise_is_the_difference(original: Path, copy: Callable[..., Path]) -> None:
    noise = np.random.default_rng(1).normal(0, 1, SOUND.size)
    noise *= 0.1 * audio.rms(SOUND) / audio.rms(noise)
    line = align(original, copy(SOUND + noise))
    assert line.difference_db == pytest.approx(-20, abs=3)


def test_what_a_copy_lacks_shows_in_its_octave(original: Path, copy: Callable[..., Path]) -> None:
    spectrum = np.fft.rfft(SOUND)
    spectrum[np.fft.rfftfreq(SOUND.size, 1 / RATE) > 2800] = 0
    octaves = align(original, copy(np.fft.irfft(spectrum, SOUND.size))).octaves_db
    assert octaves[500] == pytest.approx(0, abs=0.1)
    assert octaves[4000] < -25
    assert 16000 not in octaves  # above half of the rate


@pytest.mark.parametrize("other", [melody(1, 40.0), np.zeros(20 * RATE), SOUND[: RATE // 5]])
def test_another_recording_is_refused(original: Path, copy: Callable[..., Path], other: np.ndarray) -> None:
    with pytest.raises(AudioError, match=r"b\.wav is no copy of .*a\.wav"):
        align(original, copy(other))
