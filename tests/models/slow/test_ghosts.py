"""Copies at long lags are detected at their lag, for turns of constant and of growing duration, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.artifacts.dsp.resample_at import read_at
from contrastive_artifacts.models.slow import ghosts

RATE = 16000


def phrases(seconds: float = 10.0, seed: int = 0) -> np.ndarray:
    """Noise with pauses, 40 dB apart."""
    rng = np.random.default_rng(seed)
    x = 0.1 * rng.standard_normal(round(seconds * RATE))
    speaks = np.repeat(rng.random(round(4 * seconds)) < 0.6, RATE // 4)
    return (x * np.where(speaks, 1.0, 0.01)).astype(np.float32)


def printed(x: np.ndarray, period_s: float, growth: float, db: float, side: int = 1) -> np.ndarray:
    """With a copy one turn later (or earlier) whose duration grows as that of a reel."""
    now = np.arange(len(x)) / RATE
    lag = np.sqrt(period_s**2 + 2 * growth * now)
    place = np.arange(len(x)) - side * lag * RATE
    copy = np.where((place > 0) & (place < len(x) - 1), read_at(x[None], np.clip(place, 0, len(x) - 1))[0], 0)
    return (x + 10 ** (db / 20) * copy).astype(np.float32)


def lines(x: np.ndarray) -> np.ndarray:
    faint, loud = ghosts._whitened(audio.resample(x, RATE, ghosts.RATE))
    correlation = ghosts.correlations(faint, loud) + ghosts.correlations(faint[::-1], loud[::-1])[::-1]
    return ghosts.along_lines(correlation, ghosts.GROWTH)


def named(x: np.ndarray) -> dict[str, float]:
    return dict(zip(ghosts.NAMES, ghosts.figures(x, RATE).tolist(), strict=True))


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("period_s", "growth"), [(0.77, 0.0), (1.8, 0.0), (0.9, 1 / 600), (1.5, 1 / 1200)])
def test_the_turn_is_found_within_a_millisecond(period_s, growth, side):
    sums = lines(printed(phrases(), period_s, growth, -26, side))
    q, square = np.unravel_index(np.abs(sums).argmax(), sums.shape)
    middle = 5.0  # s: there lags agree, whatever is taken for the growth
    lag = np.sqrt(ghosts.LEAST_S**2 + square * ghosts.GRID + 2 * ghosts.GROWTH[q] * middle)
    assert abs(lag - np.sqrt(period_s**2 + 2 * growth * middle)) < 1e-3
    assert abs(ghosts.GROWTH[q] - growth) < 2e-4


def test_a_steady_copy_after_the_sound_is_told_from_one_before():
    clean, after, before = (
        named(x) for x in (phrases(), printed(phrases(), 1.1, 0, -26), printed(phrases(), 1.1, 0, -26, -1))
    )
    assert after["copy: steady, after"] > clean["copy: steady, after"] + 0.3
    assert before["copy: steady, before"] > clean["copy: steady, before"] + 0.3
    assert after["copy: steady, after"] > after["copy: steady, before"] + 0.2
    assert before["copy: steady, before"] > before["copy: steady, after"] + 0.2


def test_a_growing_turn_is_lost_where_turns_are_taken_for_steady():
    damaged, clean = named(printed(phrases(), 0.9, 1 / 500, -30)), named(phrases())
    assert damaged["copy: growing"] > clean["copy: growing"] + 0.2
    assert damaged["copy: growing"] > damaged["copy: steady"] + 0.2


def test_correlations_are_those_of_the_sum():
    """Two implementations: by the Fourier transform, and sample by sample."""
    rng = np.random.default_rng(0)
    here, earlier = rng.standard_normal((2, 4 * ghosts.RATE)).astype(np.float32)
    correlation = ghosts.correlations(here, earlier)
    length, most = round(ghosts.SEGMENT_S * ghosts.RATE), round(ghosts.MOST_S * ghosts.RATE)
    assert correlation.shape == (16, most + 1)
    for segment, lag in ((0, 0), (3, 100), (12, 2000), (15, most)):
        start = segment * length
        first, second = here[start : start + length], np.zeros(length)
        past = np.arange(start - lag, start - lag + length)
        second[past >= 0] = earlier[past[past >= 0]]
        assert abs(correlation[segment, lag] - first @ second) < 1e-2


@pytest.mark.parametrize("segments", [1, 20, 21])
def test_sums_along_lines_are_those_of_the_definition(segments):
    """Two implementations: sums shared between lines and blocks of lags, and line by line."""
    rng = np.random.default_rng(0)
    correlation = rng.standard_normal((segments, round(ghosts.MOST_S * ghosts.RATE) + 1)).astype(np.float32)
    sums = ghosts.along_lines(correlation, ghosts.GROWTH)
    middle = (np.arange(segments) + 0.5) * ghosts.SEGMENT_S
    squares = np.arange(ghosts.LEAST_S**2, ghosts.MOST_S**2, ghosts.GRID)
    lags = np.minimum(np.rint(np.sqrt(squares) * ghosts.RATE).astype(int), correlation.shape[1] - 1)
    for q in (0, 1, 25, 48):
        ahead = np.rint(2 * ghosts.GROWTH[q] * middle / ghosts.GRID).astype(int)
        expected = sum(correlation[s, lags[ahead[s] : ahead[s] + sums.shape[1]]] for s in range(segments))
        np.testing.assert_allclose(sums[q], expected, atol=2e-5)


@pytest.mark.parametrize("count", [1, 2, 9, 100_000, 100_001])
def test_the_median_is_that_of_numpy(count):
    rng = np.random.default_rng(count)
    periodic = (np.arange(count) % max(1, count // ghosts.SAMPLE) == 0).astype(np.float32)  # the sample is all ones
    for values in (rng.standard_normal(count).astype(np.float32), np.zeros(count, np.float32), periodic):
        assert ghosts._median(values) == pytest.approx(float(np.median(values)), rel=1e-6)


@pytest.mark.parametrize("seconds", [3.0, 5.0])
def test_figures_are_those_of_the_plain_sums(seconds):
    """Two implementations: lags counted as often as they are on the axis of squared lags, and all of them written."""
    x = printed(phrases(seconds), 0.9, 1 / 600, -26)
    faint, loud = ghosts._whitened(audio.resample(x, RATE, ghosts.RATE))
    after, before = ghosts.correlations(faint, loud), ghosts.correlations(faint[::-1], loud[::-1])[::-1]
    both = ghosts.along_lines(after + before, ghosts.GROWTH)
    sums = both[:1], both[1:], *(ghosts.along_lines(side, ghosts.GROWTH[:1]) for side in (after, before))
    sizes = [np.abs(part) for part in sums]
    expected = [np.log10((size.max() + 1e-9) / (np.median(size) / 0.6745 + 1e-9)) for size in sizes]
    np.testing.assert_allclose(ghosts.figures(x, RATE), expected, atol=3e-6)
