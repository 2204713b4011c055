"""Overviews: independent of how a recording is cut into blocks, true to peaks, bounded for any length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrastive_artifacts.scan import overview as module
from contrastive_artifacts.scan.overview import Overview, OverviewMeter, joined_columns

RATE = 8000


def of(samples: np.ndarray, *cuts: int) -> Overview:
    meter = OverviewMeter(RATE)
    for block in np.split(samples, sorted({cut for cut in cuts if 0 < cut < samples.shape[1]}), axis=1):
        meter.add(block)
    return meter.overview()


def columns(values: bytes) -> np.ndarray:
    return np.frombuffer(values, np.int8)


def test_a_pulse_is_in_its_column_and_a_tone_in_its_band() -> None:
    samples = np.zeros((2, 4 * RATE), np.float32)
    samples[1, RATE] = 0.5
    samples[:, 2 * RATE :] = 0.25 * np.sin(2 * np.pi * 1000 * np.arange(2 * RATE) / RATE)
    view = of(samples)
    assert view.peak == 0.5
    assert columns(view.high)[RATE // view.hop] == 127
    assert columns(view.high)[RATE // view.hop - 1] == 0
    levels = np.frombuffer(view.levels, np.uint8).reshape(view.bands, -1)
    assert levels.shape[1] == 4 * RATE // view.frame
    band = levels[:, 3 * RATE // view.frame].argmax()
    edges = np.geomspace(view.lowest_hz, view.highest_hz, view.bands + 1)[::-1]
    assert edges[band + 1] - 20 <= 1000 <= edges[band] + 20, "within a bin of its band"
    level_db = 90 * (levels[band, 3 * RATE // view.frame] / 255 - 1)
    assert level_db == pytest.approx(20 * np.log10(0.25), abs=1)
    assert levels[:, 0].max() == 0, "silence"


def test_inverted_channels_are_not_empty() -> None:
    tone = np.sin(np.arange(RATE)).astype(np.float32)
    assert np.frombuffer(of(np.stack([tone, -tone])).levels, np.uint8).max() > 200


@given(st.integers(1, 9000), st.lists(st.integers(0, 9000), max_size=4), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_blocks_change_nothing_and_no_sample_is_lost(length: int, cuts: list[int], seed: int) -> None:
    samples = np.random.default_rng(seed).uniform(-1, 1, (1, length)).astype(np.float32)
    whole = of(samples)
    assert of(samples, *cuts) == whole
    assert len(whole.low) == -(-length // whole.hop)
    starts = np.arange(0, length, whole.hop)
    expected = np.rint(
        np.maximum.reduceat(np.append(samples[0], 0 * samples[0, -1:])[:length], starts) * 127 / whole.peak
    )
    high = columns(whole.high)
    assert np.array_equal(high[:-1], expected[:-1])
    assert high[-1] == max(expected[-1], 0 if length % whole.hop else -128), "the last column is filled up with silence"


def test_columns_are_joined_where_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_COLUMNS", 64)
    monkeypatch.setattr(module, "_MOST_FRAMES", 16)
    samples = np.random.default_rng(0).uniform(-0.1, 0.1, (1, 60 * RATE + 37)).astype(np.float32)
    samples[0, 59 * RATE] = 1.0
    for cuts in ((), (12_345,), tuple(range(0, samples.shape[1], 777))):
        view = of(samples, *cuts)
        high = columns(view.high)
        assert 32 <= len(high) <= 64
        assert len(high) == -(-samples.shape[1] // view.hop)
        assert high[59 * RATE // view.hop] == 127
        assert sorted(high)[-2] < 20
        assert 8 <= len(view.levels) // view.bands <= 16


def test_what_is_missing_before_a_block_is_silent() -> None:
    meter = OverviewMeter(RATE)
    blocks = [(0, np.full((1, RATE), 0.5, np.float32)), (3 * RATE, np.full((1, RATE), 0.5, np.float32))]
    assert [position for position, _ in meter.watch(blocks)] == [0, 3 * RATE]
    view = meter.overview()
    high = columns(view.high).reshape(4, -1)
    assert high.min(axis=1).tolist() == [127, 0, 0, 127]
    low, rough = (columns(part) for part in joined_columns(view.low, view.high, 8))
    assert rough.tolist() == [127, 127, 0, 0, 0, 0, 127, 127]
    assert low.tolist() == rough.tolist()
