"""Levels against published figures: a reference tone, the filter table of BS.1770, the gates of EBU Tech 3341."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.audio import level

RATE = 48_000


def test_active_rms_leaves_silence_and_pauses_out() -> None:
    sound = 0.4 * np.sin(2 * np.pi * 400 * np.arange(RATE) / RATE)
    padded = np.concatenate([np.zeros(2 * RATE), sound, 1e-4 * sound, np.zeros(RATE)])[None].astype(np.float32)
    assert level.rms(padded) < 0.15
    assert level.active_rms(padded, RATE) == pytest.approx(0.4 / np.sqrt(2), rel=1e-3)
    assert level.active_rms(np.zeros((2, 5000), np.float32), RATE) == 0
    assert level.active_rms(np.full((1, 1), 0.5, np.float32), RATE) == pytest.approx(0.5)


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000, 192_000])
def test_loudness_of_the_reference_tone(rate: int) -> None:
    t = np.arange(3 * rate) / rate
    sine = np.sin(2 * np.pi * 997 * t)[None]
    assert level.loudness(sine, rate) == pytest.approx(-3.01, abs=0.05)
    assert level.loudness(np.repeat(sine, 2, axis=0), rate) == pytest.approx(0.0, abs=0.05)
    assert level.loudness(sine / 10, rate) == pytest.approx(-23.01, abs=0.05)


def test_k_weighting_gives_the_published_table_at_48_khz() -> None:
    """Table 1 and table 2 of BS.1770-4."""
    shelf, high_pass = level._k_weighting(48_000)
    table = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585]
    assert shelf == pytest.approx(table, abs=1e-6)
    assert high_pass == pytest.approx([1, -2, 1, 1, -1.99004745483398, 0.99007225036621], abs=1e-6)


@pytest.mark.parametrize(
    "parts",  # seconds and dBFS: cases 3, 4 and 5 of EBU Tech 3341, each of which must read -23.0 LUFS
    [
        ((10, -36), (60, -23), (10, -36)),
        ((10, -72), (10, -36), (60, -23), (10, -36), (10, -72)),
        ((20, -26), (20.1, -20), (20, -26)),
    ],
)
def test_loudness_gates(parts: tuple[tuple[float, float], ...]) -> None:
    rate = 16_000
    gain = np.concatenate([np.full(round(seconds * rate), 10 ** (db / 20)) for seconds, db in parts])
    sine = gain * np.sin(2 * np.pi * 1000 * np.arange(gain.size) / rate)
    assert level.loudness(np.stack([sine, sine]), rate) == pytest.approx(-23, abs=0.1)


def test_loudness_of_silence_and_of_short_sounds() -> None:
    assert level.loudness(np.zeros((1, RATE)), RATE) == -np.inf
    assert level.loudness(np.zeros((1, 10)), RATE) == -np.inf
    assert level.loudness(1e-5 * np.sin(np.arange(RATE))[None], RATE) == -np.inf
    short = np.sin(2 * np.pi * 997 * np.arange(RATE // 5) / RATE)[None]
    assert level.loudness(short, RATE) == pytest.approx(-3.01, abs=0.3)
    surround = np.zeros((6, RATE))
    surround[3] = 0.5 * np.sin(2 * np.pi * 60 * np.arange(RATE) / RATE)
    assert level.loudness(surround, RATE) == -np.inf  # the LFE does not count


def speech_like(rate: int, channels: int) -> np.ndarray:
    """40 s of noise whose level changes every second by up to 30 dB."""
    rng = np.random.default_rng(7)
    gains = np.repeat(10 ** (rng.uniform(-50, -20, 40) / 20), rate)
    return gains * rng.normal(0, 1, (channels, 40 * rate))


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (44_100, 1), (32_000, 5)])
def test_loudness_and_its_range_are_those_of_pyloudnorm(rate: int, channels: int) -> None:
    pyloudnorm = pytest.importorskip("pyloudnorm")
    sound = speech_like(rate, channels)
    oracle = pyloudnorm.Meter(rate, filter_class="DeMan")
    assert level.loudness(sound, rate) == pytest.approx(oracle.integrated_loudness(sound.T), abs=0.01)
    meter = level.Loudness(channels, rate)
    meter.add(sound)
    assert meter.range_lu() == pytest.approx(oracle.loudness_range(sound.T), abs=0.3)  # it appends 1.5 s of silence


@pytest.mark.parametrize(
    ("levels", "expected"),  # dBFS, 20 s each: cases 1 to 4 of EBU Tech 3342, each within 1 LU
    [((-20, -30), 10), ((-20, -15), 5), ((-40, -20), 20), ((-50, -35, -20, -35, -50), 15)],
)
def test_loudness_range_of_EBU_3342(levels: tuple[float, ...], expected: float) -> None:
    rate = 16_000
    gain = np.repeat([10 ** (db / 20) for db in levels], 20 * rate)
    sine = gain * np.sin(2 * np.pi * 1000 * np.arange(gain.size) / rate)
    meter = level.Loudness(2, rate)
    meter.add(np.stack([sine, sine]))
    assert meter.range_lu() == pytest.approx(expected, abs=1)


def test_loudness_range_of_silence_and_of_short_sounds() -> None:
    for sound in (np.zeros((1, 5 * RATE)), np.ones((1, RATE)), 1e-6 * np.ones((1, 5 * RATE))):
        meter = level.Loudness(1, RATE)
        meter.add(sound)
        assert meter.range_lu() is None
