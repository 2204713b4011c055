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


@given(SIZES, st.integers(0, 90), st.lists(st.integers(1, 50), min_size=1, max_size=8), st.integers(0, 1000))
def test_streamed_windows_equal_sliced_ones(sizes, context, lengths, origin):
    samples, window, hop = sizes
    signal = np.arange(2 * samples, dtype=np.float32).reshape(2, samples)
    edges = np.unique(np.clip(np.cumsum([0, *lengths, samples]), 0, samples))
    blocks = [(origin + int(a), signal[:, a:b]) for a, b in pairwise(edges)]
    streamed = list(windows.stream(blocks, window, hop, context))
    starts = windows.starts(samples, window, hop)
    assert [cut.start - origin for cut in streamed] == starts.tolist()
    for cut, start in zip(streamed, starts, strict=True):
        assert np.array_equal(cut.samples, signal[:, start : start + window])
        begin, stop = windows.context_of(start, window, hop, context, 0, samples)
        assert np.array_equal(cut.context, signal[:, begin:stop])
        assert begin <= start
        assert stop >= min(samples, start + window)
        assert stop - begin == min(samples, max(window, context))


def test_neighbouring_windows_lie_in_the_middle_of_a_context_but_for_the_ends():
    signal = np.arange(33)[None]
    cuts = windows.cut(signal, 4, 2, 8)
    spans = [(cut.start, *cut.context[0, [0, -1]].tolist()) for cut in cuts]
    assert spans[:4] == [(0, 0, 7), (2, 0, 7), (4, 3, 10), (6, 3, 10)]
    assert spans[-3:] == [(26, 23, 30), (28, 25, 32), (29, 25, 32)]
    assert cuts[2].context is cuts[3].context


def test_shared_contexts_are_mixed_once():
    signal = np.arange(66.0, dtype=np.float32).reshape(2, 33)
    samples, contexts = windows.mixed(windows.cut(signal, 4, 2, 8))
    assert contexts[2] is contexts[3]
    assert np.array_equal(contexts[2], signal[:, 3:11].mean(0))
    assert np.array_equal(samples[2], signal[:, 4:8].mean(0))
    samples, contexts = windows.mixed(windows.cut(signal, 4, 2), channel=1)
    assert np.array_equal(samples[1], signal[1, 2:6])
    assert all(one is other for one, other in zip(samples, contexts, strict=True))


def test_contexts_hold_no_more_than_they_need():
    """A stream of an hour in blocks of a window holds two contexts at most."""
    longest = max(len(cut.context.base[0]) for cut in windows.stream(_blocks(2000, 50), 50, 25, 100))
    assert longest <= 200


def _blocks(count, length):
    for number in range(count):
        yield number * length, np.zeros((1, length), np.float32)


def test_nothing_streams_nothing():
    assert list(windows.stream([], 4, 2)) == []
