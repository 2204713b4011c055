"""All measures together: independent of blocks, finite, and flat in memory."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import asdict

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.scan.measured import Measured, Meter, facts

RATE = 16_000


def measured(samples: np.ndarray, block: int = 10 * RATE, rate: int = RATE) -> Measured:
    meter = Meter(len(samples), rate)
    blocks = ((start, samples[:, start : start + block]) for start in range(0, samples.shape[1], block))
    assert sum(part.shape[1] for _, part in meter.watch(blocks)) == samples.shape[1]
    return meter.measured()


@pytest.fixture(scope="module")
def film() -> np.ndarray:
    """40 s with a fault of each kind."""
    rng = np.random.default_rng(9)
    one = rng.normal(0, 0.05, 40 * RATE) * np.repeat(rng.uniform(0.1, 1, 40), RATE)
    one += 0.01 * np.sin(2 * np.pi * 50 * np.arange(one.size) / RATE) + 0.01
    one[7 * RATE : 7 * RATE + 5] = 0.8
    samples = np.stack([one, np.roll(one, 3)])
    samples[:, 20 * RATE : 21 * RATE] = samples[:, : RATE // 2] = 0
    return samples.astype(np.float32)


def test_everything_is_measured(film: np.ndarray) -> None:
    values = measured(film)
    assert [(f.kind, f.start) for f in values.findings] == [
        ("leader silence", 0),
        ("digital clipping", 7 * RATE),
        ("digital clipping", 7 * RATE + 3),
        ("digital silence", 20 * RATE),
    ]
    assert values.sample_peak_dbfs == pytest.approx(audio.gain_to_db(0.8), abs=1e-6)
    assert values.true_peak_dbtp is not None
    assert values.true_peak_dbtp >= values.sample_peak_dbfs
    assert values.loudness_lufs == pytest.approx(audio.loudness(film, RATE), abs=1e-9)
    assert values.loudness_range_lu is not None
    assert 3 < values.loudness_range_lu < 20
    assert values.dc == pytest.approx((0.01, 0.01), abs=3e-4)
    assert [(r.kind, r.delay_samples) for r in values.relations] == [("delayed", pytest.approx(3, abs=0.05))]
    assert values.mains is not None
    assert values.bandwidth is not None
    names = [name for name, _ in facts(values)]
    assert names == ["true peak", "sample peak", "loudness", "loudness range", "DC offset", "bandwidth", "mains hum",
                     "channels"]  # fmt: skip


@pytest.mark.parametrize("block", [1000, 12_345, 640_000])
def test_the_lengths_of_blocks_change_no_value(film: np.ndarray, block: int) -> None:
    assert measured(film, block) == measured(film)


@pytest.mark.parametrize("samples", [1, 10, 160, 3000, 5 * RATE])
@pytest.mark.parametrize("level", [0.0, 1e-30, 0.5, 1e9])
@pytest.mark.parametrize("rate", [1000, 44_100])
def test_every_value_is_finite_or_none(samples: int, level: float, rate: int) -> None:
    noise = level * np.random.default_rng(0).normal(0, 1, (2, samples))
    for waveform in (noise, np.full((1, samples), level), np.full((8, samples), -level)):
        values = measured(waveform.astype(np.float32), rate=rate)
        json.dumps(asdict(values), allow_nan=False)
        assert all("nan" not in text and "inf" not in text for _, text in facts(values))


def test_silence_has_no_levels() -> None:
    values = measured(np.zeros((2, 5 * RATE), np.float32))
    assert (values.true_peak_dbtp, values.sample_peak_dbfs, values.loudness_lufs, values.loudness_range_lu) == (
        None,
    ) * 4
    assert (values.dc, values.relations, values.bandwidth, values.mains) == ((0.0, 0.0), (), None, None)


def test_samples_that_are_missing_are_silent_but_no_finding(film: np.ndarray) -> None:
    meter = Meter(2, RATE)
    meter.add(2 * RATE, film[:, 2 * RATE : 5 * RATE])
    meter.add(9 * RATE, film[:, 9 * RATE : 12 * RATE])
    played = film[:, : 12 * RATE].copy()
    played[:, : 2 * RATE] = played[:, 5 * RATE : 9 * RATE] = 0
    with_gaps = meter.measured(((0, 2 * RATE), (5 * RATE, 9 * RATE)))
    assert with_gaps.findings == ()
    assert [f.kind for f in measured(played).findings] == ["leader silence", "digital silence"]
    assert with_gaps.loudness_lufs == measured(played).loudness_lufs


def test_memory_does_not_grow_with_the_recording() -> None:
    rate = 2000
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 10 * rate)).astype(np.float32)
    noise[:, 5000:5004] = 0.9  # a finding every 10 s

    def growth(seconds: int) -> int:
        meter = Meter(2, rate)
        tracemalloc.start()
        for start in range(0, seconds * rate, noise.shape[1]):
            meter.add(start, noise)
        size = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return size

    assert (growth(1200) - growth(200)) / 1000 < 1000, "bytes per second; a second of samples has 16000"
