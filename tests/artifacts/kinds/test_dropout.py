"""Dropouts: position, length and fades of the gaps."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from contrastive_artifacts import artifacts

RATE = 44100
DROPOUT = artifacts.artifact("dropout")


def make(share: float = 0.05, gap_ms: float = 20.0, fade_ms: float = 0.0, seed: int = 3) -> dict:
    return {"seed": seed, "share": share, "gap_ms": gap_ms, "fade_ms": fade_ms}


@pytest.mark.parametrize("gap_ms", [5.0, 40.0, 200.0])
def test_gaps_are_zeros_and_the_rest_is_not_changed(gap_ms: float, steady: np.ndarray) -> None:
    params = make(gap_ms=gap_ms)
    out = DROPOUT.apply(steady, RATE, params)
    rest = np.ones(steady.shape[1], dtype=bool)
    for start, stop in DROPOUT.segments(steady, RATE, params):
        assert not out[:, start:stop].any()
        rest[start:stop] = False
    assert_array_equal(out[:, rest], steady[:, rest])


def test_fades_lie_inside_the_gap(steady: np.ndarray) -> None:
    params = make(fade_ms=2.0)
    out, fade = DROPOUT.apply(steady, RATE, params), round(0.002 * RATE)
    for start, stop in DROPOUT.segments(steady, RATE, params):
        edge = min(fade, (stop - start) // 4)
        assert not out[0, start + edge : stop - edge].any()
        gain = out[0, start : start + edge] / steady[0, start : start + edge]
        assert (np.diff(gain) < 1e-6).all()
        assert gain[0] > 0.95
        assert gain[-1] < 0.05


@pytest.mark.parametrize("share", [0.005, 0.03, 0.15])
@pytest.mark.parametrize("gap_ms", [5.0, 50.0, 200.0])
def test_share_and_lengths_of_the_gaps(share: float, gap_ms: float, steady: np.ndarray) -> None:
    long = np.tile(steady, 5)
    for seed in range(5):
        lengths = np.diff(DROPOUT.segments(long, RATE, make(share, gap_ms, seed=seed)))
        assert lengths.sum() / long.shape[1] == pytest.approx(share, rel=0.12)
        assert lengths.min() >= 0.0049 * RATE
        assert np.quantile(lengths, 0.5) <= 0.201 * RATE


def test_gaps_lie_where_there_is_sound() -> None:
    """All gaps are in one second of sound within ten of silence; at least one is in a burst of 30 ms."""
    rng = np.random.default_rng(1)
    for width, share in ((1.0, 0.02), (0.03, 0.15)):
        wave = np.zeros((1, 10 * RATE), dtype=np.float32)
        begin, stop = 3 * RATE, int((3 + width) * RATE)
        wave[0, begin:stop] = 0.1 * rng.standard_normal(stop - begin)
        for seed in range(20):
            segments = DROPOUT.segments(wave, RATE, make(share, 30.0, seed=seed))
            middle = segments.mean(axis=1)
            inside = (middle >= begin - 0.01 * RATE) & (middle <= stop + 0.01 * RATE)
            hit = (segments[:, 0] < stop) & (segments[:, 1] > begin)
            assert hit.any()
            if width == 1.0:
                assert inside.all()


def test_gaps_in_silence_are_anywhere() -> None:
    silence = np.zeros((1, 10 * RATE), dtype=np.float32)
    starts = np.concatenate([DROPOUT.segments(silence, RATE, make(0.01, 100.0, seed=s))[:, 0] for s in range(200)])
    assert np.histogram(starts, bins=4, range=(0, 10 * RATE))[0].min() > len(starts) / 8


def test_at_severity_0_there_is_at_least_one_gap_in_sound(clip: np.ndarray) -> None:
    for seed in range(30):
        view = artifacts.render("dropout", clip, RATE, 0.0, seed)
        assert len(view.segments) >= 1
        assert any(np.abs(clip[:, a:b]).max() > 0.01 for a, b in view.segments)


def test_many_gaps_do_not_touch() -> None:
    long = (0.1 * np.random.default_rng(0).standard_normal((1, 1800 * 8000), dtype=np.float32)).astype(np.float32)
    segments = DROPOUT.segments(long, 8000, make(0.15, 5.0))
    assert len(segments) > 30000
    assert (segments[1:, 0] > segments[:-1, 1]).all()
