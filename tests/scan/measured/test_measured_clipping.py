"""Clipped runs at their samples, and crests that are none."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.scan.measured.clipping import Clipping
from contrastive_artifacts.scan.measured.finding import Finding

RATE = 48_000


def clipping(samples: np.ndarray, block: int = 4000) -> list[Finding]:
    meter = Clipping(len(samples), RATE)
    for start in range(0, samples.shape[1], block):
        meter.add(samples[:, start : start + block].astype(np.float32))
    return meter.findings()


def noise(seconds: float = 1.0, channels: int = 2) -> np.ndarray:
    samples = np.random.default_rng(2).uniform(-0.6, 0.6, (channels, round(seconds * RATE)))
    return np.round(samples * 32768) / 32768


@pytest.mark.parametrize("place", [10, 3998, 3999, 4000, 7997, 20_000])
@pytest.mark.parametrize("sign", [1, -1])
def test_an_inserted_run_is_one_finding_at_its_sample(place: int, sign: int) -> None:
    samples = noise()
    samples[1, place : place + 5] = sign * 0.99
    assert clipping(samples) == [Finding(place, place + 5, "digital clipping", 5.0, "samples", 1)]


def test_runs_within_50_ms_are_one_finding() -> None:
    samples = noise(channels=1)
    apart = round(0.05 * RATE)
    for place, sign in ((10_000, 1), (10_003 + apart - 1, -1), (30_000, 1)):
        samples[0, place : place + 3] = sign * 0.99
    first, second = clipping(samples)
    assert (first.start, first.stop, first.value) == (10_000, 10_005 + apart, 6)
    assert (second.start, second.stop, second.value) == (30_000, 30_003, 3)


def test_a_run_across_many_blocks_is_one() -> None:
    samples = noise(channels=1)
    samples[0, 9000:15_000] = 0.99
    assert [(f.start, f.stop, f.value) for f in clipping(samples, 1000)] == [(9000, 15_000, 6000)]


def test_runs_below_the_peak_of_the_recording_do_not_count() -> None:
    samples = noise(channels=1)
    samples[0, 5000:5005] = 0.8
    assert len(clipping(samples)) == 1
    samples[0, 40_000] = 0.95
    assert clipping(samples) == []


def test_a_clipped_sine_is_found_at_any_level_and_a_sine_is_not() -> None:
    time = np.arange(RATE) / RATE
    for hertz in (20, 50, 440, 3000):
        for level in (1.0, 0.1):
            sine = np.round(level * np.sin(2 * np.pi * hertz * time) * 32767)[None] / 32768
            assert clipping(sine) == [], (hertz, level)
    sine = np.sin(2 * np.pi * 440 * time)
    for level in (1.0, 0.1):
        (finding,) = clipping(level * np.clip(sine, -0.9, 0.9)[None])
        assert finding.stop - finding.start > 0.99 * RATE


def test_constants_and_quiet_noise_are_not_clipped() -> None:
    assert clipping(np.full((1, RATE), 0.5)) == []
    assert clipping(np.zeros((1, RATE))) == []
    assert clipping(np.random.default_rng(0).integers(-2, 3, (1, RATE)) / 32768) == []
