"""The same recording is found at another place, level and band; other recordings of the same kind are not."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.data import corpora
from contrastive_artifacts.data.curation import duplicates
from contrastive_artifacts.data.curation.blocks import of_waveform
from contrastive_artifacts.data.curation.duplicates import (
    Pair,
    content,
    find_pairs,
    originals,
    reduced,
    similarity,
    whiten,
)

RATE = 16000


@pytest.fixture(scope="module")
def clips() -> list[np.ndarray]:
    corpus = corpora.create("builtin", seed=5, sources=20, duration_s=3.0, sample_rate=RATE)
    return [corpus.load(clip)[0] for clip in corpus.clips]


def pairs_of(waves: list[np.ndarray], least: float = 0.5) -> list[Pair]:
    low = [reduced(of_waveform(wave, RATE)) for wave in waves]
    hashes = [wave.tobytes().hex() for wave in waves]
    return find_pairs(hashes, np.stack([content(x) for x in low]), low.__getitem__, least)


def test_different_recordings_are_no_pairs(clips):
    assert pairs_of(clips) == []


def test_a_copy_at_an_offset_is_found(clips):
    copies = [
        clips[2].copy(),
        clips[5][:, RATE // 2 :] * np.float32(0.3),
        -clips[8][:, : 2 * RATE],
        audio.resample(audio.resample(clips[11][:, 4000:44000], RATE, 7000), 7000, RATE),
    ]
    pairs = pairs_of([*clips, *copies])
    assert [(pair.first, pair.second) for pair in pairs] == [(2, 20), (5, 21), (8, 22), (11, 23)]
    assert pairs[0].similarity == 1.0
    assert all(pair.similarity > 0.7 for pair in pairs)


def test_two_crops_that_share_a_third_are_alike():
    x = np.random.default_rng(0).normal(0, 0.1, 5 * 8000).astype(np.float32)
    a, b = x[:24000], x[16000:]
    assert similarity(whiten(a), whiten(b)) == pytest.approx(1, abs=0.05)
    assert similarity(whiten(x[:16000]), whiten(x[16000:32000])) < 0.2


def test_slow_waves_are_not_alike_by_chance():
    """Without whitening these correlate by .5 and more."""
    rng = np.random.default_rng(1)
    a, b = (np.cumsum(rng.normal(0, 0.01, 24000)).astype(np.float32) for _ in range(2))
    assert similarity(whiten(a), whiten(b)) < 0.3


def test_silence_is_like_nothing():
    assert similarity(whiten(np.zeros(8000, np.float32)), whiten(np.ones(8000, np.float32))) == 0.0
    assert np.isfinite(content(np.zeros(10, np.float32))).all()


def test_candidates_do_not_depend_on_blocks(monkeypatch):
    vectors = np.random.default_rng(2).normal(0, 1, (57, 12)).astype(np.float32)
    whole = list(duplicates.candidates(vectors))
    monkeypatch.setattr(duplicates, "_BLOCK", 7)
    assert list(duplicates.candidates(vectors)) == whole
    assert all(i < j for i, j in whole)
    assert list(duplicates.candidates(vectors[:1])) == []


def test_the_clip_of_higher_worth_is_kept_and_so_are_the_ends_of_a_chain():
    copies = originals([Pair(0, 1, 0.9), Pair(1, 2, 0.8)], worth=[1.0, 0.5, 1.0])
    assert {n: pair.similarity for n, pair in copies.items()} == {1: 0.9}
    copies = originals([Pair(0, 1, 0.9), Pair(1, 2, 0.8)], worth=[0.0, 1.0, 0.0])
    assert set(copies) == {0, 2}
