"""Packet loss: share, bursts and concealment."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.kinds.packet_loss import lost_frames

RATE = 16000
FRAME = 320
LOSS = artifacts.artifact("packet_loss")


def make(share: float = 0.1, burst: float = 2.0, concealment: str = "zero", seed: int = 5) -> dict:
    return {"seed": seed, "share": share, "burst_frames": burst, "concealment": concealment}


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return (0.1 * np.random.default_rng(3).standard_normal((1, 500 * FRAME))).astype(np.float32)


def bursts(lost: np.ndarray) -> np.ndarray:
    edges = np.flatnonzero(np.diff(lost.astype(int), prepend=0, append=0))
    return edges[1::2] - edges[::2]


@pytest.mark.parametrize("share", [0.05, 0.12, 0.25])
@pytest.mark.parametrize("burst", [1.5, 2.5, 4.0])
def test_share_and_bursts_are_those_of_the_markov_chain(share: float, burst: float) -> None:
    """Burst lengths are geometric, with probability 1 - 1 / burst of one more frame, up to 10."""
    wave = np.ones((1, 200_000), dtype=np.float32)
    lost = lost_frames(wave, 1, make(share, burst))
    assert lost.mean() == pytest.approx(share, rel=0.01)
    lengths = bursts(lost)
    assert lengths.max() <= 10
    assert lengths.max() >= (10 if burst > 2 else 6)
    reached = np.array([(lengths > k).sum() for k in range(5)])
    assert_allclose(reached[1:] / reached[:-1], 1 - 1 / burst, atol=0.05)
    gaps = bursts(~lost)  # between bursts: geometric, too, by its mean and deviation
    assert gaps.mean() == pytest.approx(lengths.mean() * (1 - share) / share, rel=0.01)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.15)


def test_frames_lost_at_one_share_are_lost_at_larger_ones(noise: np.ndarray) -> None:
    for seed in range(10):
        lost = [lost_frames(noise, FRAME, make(share, seed=seed)) for share in np.linspace(0.05, 0.25, 9)]
        for less, more in pairwise(lost):
            assert not (less & ~more).any()
            assert less.sum() < more.sum()


@pytest.mark.parametrize("concealment", ["zero", "repeat", "decay", "pitch"])
def test_segments_are_whole_frames_and_the_rest_is_not_changed(concealment: str, noise: np.ndarray) -> None:
    params = make(concealment=concealment)
    wave = noise[:, :-100]  # the last frame is cut
    out, segments = LOSS.render(wave, RATE, params)
    assert (segments[:, 0] % FRAME == 0).all()
    assert ((segments[:, 1] % FRAME == 0) | (segments[:, 1] == wave.shape[1])).all()
    rest = np.ones(wave.shape[1], dtype=bool)
    for start, stop in segments:
        rest[start:stop] = False
    assert_array_equal(out[:, rest], wave[:, rest])
    assert (out[:, ~rest] != wave[:, ~rest]).all()


def test_zero_repeat_and_decay(noise: np.ndarray) -> None:
    segments = LOSS.segments(noise, RATE, make(0.25, 4.0))
    zero, repeat, decay = (LOSS.apply(noise, RATE, make(0.25, 4.0, c)) for c in ("zero", "repeat", "decay"))
    time = np.arange(10 * FRAME) / RATE
    gain = np.interp(time, [0, 0.01, 0.06], [1, 1, 0])  # 20 % of the level for each 10 ms after the first
    longest = 0
    for start, stop in segments:
        assert not zero[:, start:stop].any()
        if start == 0:
            assert not repeat[:, start:stop].any()
            continue
        again = np.tile(noise[0, start - FRAME : start], (stop - start) // FRAME)
        assert_array_equal(repeat[0, start:stop], again)
        assert_allclose(decay[0, start:stop], again * gain[: stop - start], atol=1e-6)
        longest = max(longest, stop - start)
    assert longest > 4 * FRAME  # longer than the fade


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("hertz", [83.0, 130.0, 180.0])
def test_the_pitch_continues_through_the_gap(rate: int, hertz: float) -> None:
    """The first 10 ms of a gap in a voiced sound: a small error, and a large one for a repeated frame."""
    phase = 2 * np.pi * hertz * np.arange(5 * rate) / rate
    voice = sum(np.cos(n * phase + n * n) / n for n in range(1, 12)).astype(np.float32)[None] / 10
    left = {}
    for concealment in ("repeat", "pitch"):
        out, segments = LOSS.render(voice, rate, make(concealment=concealment))
        first = [slice(start, start + rate // 100) for start, _ in segments if start > rate // 10]
        gone = sum(np.square(voice[0, part]).sum() for part in first)
        left[concealment] = sum(np.square(out[0, part] - voice[0, part]).sum() for part in first) / gone
    assert left["pitch"] < 0.1
    assert left["repeat"] > 0.3


def test_the_only_frame_with_sound_is_lost() -> None:
    wave = np.zeros((1, 500 * FRAME), dtype=np.float32)
    wave[:, 77 * FRAME : 78 * FRAME] = 0.1
    for seed in range(20):
        for severity in (0.0, 1.0):
            out = artifacts.render("packet_loss", wave, RATE, severity, seed).waveform
            assert not np.array_equal(out, wave)


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_frames_last_20_ms(rate: int) -> None:
    wave = (0.1 * np.random.default_rng(1).standard_normal((1, 5 * rate))).astype(np.float32)
    segments = LOSS.segments(wave, rate, make(0.05, 1.5))
    assert np.diff(segments).min() / rate == pytest.approx(0.02, rel=0.005)
