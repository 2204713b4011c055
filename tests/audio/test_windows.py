"""The window policy: every sample covered, streamed windows equal to sliced ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contrastive_artifacts.audio import windows

SIZES = st.tuples(st.integers(1, 200), st.integers(1, 40), st.integers(1, 40))


@given(SIZES)
def test_windows_cover_every_sample_when_the_hop_does(sizes):
    samples, window, hop = sizes
    starts = windows.starts(samples, window, hop)
    assert starts[0] == 0
    assert (np.diff(starts) > 0).all()
    assert starts[-1] == max(0, samples - window)
    if hop <= window:
        covered = {i for s in starts for i in range(s, s + window)}
        assert covered >= set(range(samples))


@given(SIZES, st.lists(st.integers(1, 50), min_size=1, max_size=8), st.integers(0, 1000))
def test_streamed_windows_equal_sliced_ones(sizes, lengths, origin):
    samples, window, hop = sizes
    signal = np.arange(2 * samples, dtype=np.float32).reshape(2, samples)
    edges = np.unique(np.clip(np.cumsum([0, *lengths, samples]), 0, samples))
    blocks = [(origin + int(a), signal[:, a:b]) for a, b in pairwise(edges)]
    streamed = list(windows.stream(blocks, window, hop))
    starts = windows.starts(samples, window, hop)
    assert [at - origin for at, _ in streamed] == starts.tolist()
    for (_, cut), start in zip(streamed, starts, strict=True):
        assert np.array_equal(cut, signal[:, start : start + window])


def test_nothing_streams_nothing():
    assert list(windows.stream([], 4, 2)) == []
