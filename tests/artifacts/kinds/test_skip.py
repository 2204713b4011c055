"""Skips: deleted samples, displacement, extended end."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.kinds.skip import deleted_spans

RATE = 44100
SKIP = artifacts.artifact("skip")


def make(lost: float = 300.0, rate_hz: float = 1.0, seed: int = 3) -> dict:
    return {"seed": seed, "lost": lost, "rate_hz": rate_hz}


@pytest.mark.parametrize("lost", [1.0, 40.0, 2000.0])
def test_outside_the_segments_the_clip_is_moved_up_by_the_deleted_samples(lost: float, steady: np.ndarray) -> None:
    for seed in range(5):
        params = make(lost, 2.0, seed)
        out, segments = SKIP.render(steady, RATE, params)
        cuts = deleted_spans(steady, RATE, params)
        assert len(segments) == len(cuts) + 1
        bounds = [0, *segments.ravel()]
        lags = np.concatenate([[0], np.cumsum(np.diff(cuts)[:, 0])])
        for start, stop, lag in zip(bounds[::2], bounds[1::2], lags, strict=False):
            assert stop > start
            assert_array_equal(out[:, start:stop], steady[:, start + lag : stop + lag])
        assert segments[-1].tolist() == [steady.shape[1] - lags[-1], steady.shape[1]]


def test_joints_hold_the_samples_around_the_cut(steady: np.ndarray) -> None:
    out, segments = SKIP.render(steady, RATE, make())
    lag = 0
    for (start, stop), joint in zip(deleted_spans(steady, RATE, make()), segments[:-1].mean(axis=1), strict=True):
        at = int(joint)
        assert at == start - lag
        assert_array_equal(out[0, at - 2 : at + 2], [*steady[0, start - 2 : start], *steady[0, stop : stop + 2]])
        lag += stop - start


def test_the_end_is_extended_by_reflection(steady: np.ndarray) -> None:
    out, segments = SKIP.render(steady, RATE, make(2000.0))
    start, stop = segments[-1]
    assert_array_equal(out[:, start:stop], out[:, 2 * start - stop : start][:, ::-1])
    assert np.square(out[:, start:stop]).mean() == pytest.approx(0.01, rel=0.1)


def test_lengths_and_share_stay_in_range() -> None:
    rng = np.random.default_rng(1)
    for seconds in (0.01, 0.2, 3.0, 20.0):
        wave = (0.1 * rng.standard_normal((1, round(seconds * RATE)))).astype(np.float32)
        for seed in range(10):
            lengths = np.diff(deleted_spans(wave, RATE, make(2000.0, 4.0, seed)))
            assert 1 <= lengths.min() <= lengths.max() <= 2000
            assert lengths.sum() <= 0.1 * wave.shape[1]


def test_cuts_are_in_sound_around_the_same_samples_at_every_severity(clip: np.ndarray) -> None:
    for seed in range(20):
        params = [artifacts.render("skip", clip, RATE, s, seed).params["parameters"] for s in (0.0, 1.0)]
        mild, severe = (deleted_spans(clip, RATE, p) for p in params)
        assert len(mild) == len(severe) >= 1
        assert (severe[:, 0] <= mild[:, 0]).all()
        assert (mild[:, 1] <= severe[:, 1]).all()
        assert all(np.abs(clip[:, a - 441 : b + 441]).max() > 0.01 for a, b in mild)
