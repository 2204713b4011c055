"""Stutter: repeats of a loop, positions, short clips."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from contrastive_artifacts import artifacts

RATE = 44100
STUTTER = artifacts.artifact("stutter")


def make(repeats: float = 4.0, loop_ms: float = 30.0, rate_hz: float = 0.5, seed: int = 3) -> dict:
    return {"seed": seed, "repeats": repeats, "loop_ms": loop_ms, "rate_hz": rate_hz}


@pytest.mark.parametrize("loop_ms", [5.0, 30.0, 120.0])
@pytest.mark.parametrize("repeats", [2.0, 3.6, 10.0])
def test_the_loop_is_repeated_and_the_rest_is_not_changed(loop_ms: float, repeats: float, steady: np.ndarray) -> None:
    loop = round(loop_ms * 1e-3 * RATE)
    for seed in range(5):
        out, segments = STUTTER.render(steady, RATE, make(repeats, loop_ms, seed=seed))
        rest = np.ones(steady.shape[1], dtype=bool)
        for start, stop in segments:
            assert stop - start == round(repeats * loop)
            # Each sample equals the one a loop earlier; the first loop is the clean sound before the segment.
            assert_array_equal(out[:, start:stop], out[:, start - loop : stop - loop])
            assert_array_equal(out[:, start - loop : start], steady[:, start - loop : start])
            rest[start:stop] = False
        assert_array_equal(out[:, rest], steady[:, rest])
        assert (out[0, ~rest] != steady[0, ~rest]).mean() > 0.99


def test_the_loop_holds_sound(clip: np.ndarray) -> None:
    for seed in range(30):
        params = make(seed=seed)
        loop = round(0.03 * RATE)
        for start, _ in STUTTER.segments(clip, RATE, params):
            assert np.abs(clip[:, start - loop : start]).max() > 0.01


def test_repeats_grow_with_severity_at_the_same_positions(clip: np.ndarray) -> None:
    for seed in range(10):
        views = [artifacts.render("stutter", clip, RATE, s, seed) for s in (0.0, 0.5, 1.0)]
        for mild, severe in pairwise(views):
            assert_array_equal(mild.segments[:, 0], severe.segments[:, 0])
            assert (mild.segments[:, 1] < severe.segments[:, 1]).all()


def test_stutters_do_not_overlap_and_take_at_most_60_percent(steady: np.ndarray) -> None:
    for seed in range(20):
        segments = STUTTER.segments(np.tile(steady, 10), RATE, make(10.0, 5.0, 2.0, seed))
        assert len(segments) > 20
        assert (segments[1:, 0] > segments[:-1, 1]).all()
        assert np.diff(segments).sum() < 0.6 * 10 * steady.shape[1]


@pytest.mark.parametrize("samples", [2, 5, 80, 441])
def test_short_clips_have_short_loops(samples: int) -> None:
    wave = np.arange(1, samples + 1, dtype=np.float32)[None] / samples
    segments = STUTTER.segments(wave, RATE, make(10.0, 120.0))
    assert len(segments) == 1
    assert not np.array_equal(STUTTER.apply(wave, RATE, make(10.0, 120.0)), wave)
