"""Flat crests at one level: cut-off sound is recognised after a codec, tones and limiters are not taken for it."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.signal import butter, resample_poly, sosfilt

from contrastive_artifacts.artifacts.dsp.coders import code
from contrastive_artifacts.data.curation.blocks import of_waveform
from contrastive_artifacts.data.curation.crests import Crests
from contrastive_artifacts.data.curation.limits import LIMITS

RATE = 44100
LIMIT = LIMITS["crowded"].soft


def crowding(sound: np.ndarray, rate: int = RATE, length: int = 1 << 20) -> float:
    waveform = np.atleast_2d(sound).astype(np.float32)
    crests = Crests(waveform.max(1), waveform.min(1), rate)
    for block in of_waveform(waveform, rate, length):
        crests.add(block)
    return crests.most()


def babble(rate: int = RATE, seconds: float = 5.0, seed: int = 0) -> np.ndarray:
    """Noise between 100 and 2,000 Hz, louder and softer three times a second; its largest sample is 1."""
    noise = np.random.default_rng(seed).normal(size=round(seconds * rate))
    noise = sosfilt(butter(2, (100, 2000), "bandpass", fs=rate, output="sos"), noise)
    noise *= 1.5 + np.sin(2 * np.pi * 3 * np.arange(len(noise)) / rate)
    return noise / np.abs(noise).max()


def tone(hertz: float, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(4 * RATE) / RATE)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 192000])
def test_cut_off_crests_crowd_at_every_sample_rate(rate: int) -> None:
    sound = babble(rate)
    assert crowding(sound, rate) < 3
    assert crowding(np.clip(sound, -0.5, 0.5), rate) > LIMIT
    assert crowding(np.clip(sound, -2, 0.5), rate) > LIMIT, "one sign is enough"


@pytest.mark.parametrize("decibels", [6, 10])
def test_a_codec_and_another_sample_rate_do_not_hide_it(decibels: float) -> None:
    ceiling = 10 ** (-decibels / 20)
    coded = code(np.clip(babble(), -ceiling, ceiling).astype(np.float32), RATE, "mp3", 96, unlimited=True)
    assert len(np.unique(np.sort(coded)[-20:])) > 10, "no plateau is left"
    assert crowding(coded) > LIMIT
    assert crowding(resample_poly(coded, 16000, RATE), 16000) > LIMIT
    assert crowding(code(babble().astype(np.float32), RATE, "mp3", 96, unlimited=True)) < 3


@pytest.mark.parametrize("hertz", [30, 100, 440, 2000])
@pytest.mark.parametrize("noise", [0.0, 0.001, 0.02])
def test_a_tone_has_round_crests(hertz: float, noise: float) -> None:
    sound = tone(hertz) + noise * np.random.default_rng(1).normal(size=4 * RATE)
    assert crowding(sound) < LIMIT


@pytest.mark.parametrize("hertz", [100, 440, 2000])
def test_a_clipped_tone_has_flat_ones(hertz: float) -> None:
    assert crowding(np.clip(tone(hertz), -0.25, 0.25)) > LIMIT


def test_a_limiter_leaves_crests_round() -> None:
    sound = babble()
    around = np.lib.stride_tricks.sliding_window_view(np.pad(np.abs(sound), 441), 883).max(1)
    gain = np.convolve(np.minimum(1, 0.5 / around), np.ones(441) / 441, "same")
    limited = sound * gain
    assert np.abs(limited).max() < 0.6
    assert crowding(limited) < LIMIT


def test_blocks_make_no_difference_and_the_worst_channel_counts() -> None:
    clipped = np.clip(babble(), -0.5, 0.5)
    both = np.stack([babble(seed=2), clipped])
    whole = crowding(clipped)
    assert crowding(both) == whole
    assert crowding(both, length=1000) == whole
    assert crowding(-clipped) == whole


@pytest.mark.parametrize(
    "sound", [np.zeros(RATE), np.full(RATE, 0.5), babble(seconds=0.01), np.ones(1), 1e-4 * babble()]
)
def test_nothing_crowds_where_there_are_no_crests(sound: np.ndarray) -> None:
    assert crowding(sound) == 0


def test_memory_stays_small_where_every_other_sample_is_a_crest() -> None:
    sound = np.tile(np.array([0.5, -0.5], np.float32), 1 << 19)
    crests = Crests(np.array([0.5]), np.array([-0.5]), 192000)
    tracemalloc.start()
    crests.add(sound[None])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6
