"""Bad splices: jumps of level, phase and offset, measured at the sample."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from contrastive_artifacts import artifacts, audio

RATE = 44100
SPLICE = artifacts.artifact("splice")


def make(**changes: float) -> dict:
    params = {
        "seed": 3, "level_db": 0.0, "phase_deg": 0.0, "dc": 0.0, "coupling_hz": 5.0, "rate_hz": 0.5, "piece_s": 0.4,
    }  # fmt: skip
    return {**params, **changes}


@pytest.mark.parametrize("level_db", [-12.0, -1.5, 3.0, 12.0])
def test_the_level_jumps_at_the_joints(level_db: float, steady: np.ndarray) -> None:
    out, segments = SPLICE.render(steady, RATE, make(level_db=level_db))
    gain = 20 * np.log10(out[0] / steady[0], where=steady[0] != 0, out=np.zeros(steady.shape[1], np.float32))
    rest = np.ones(steady.shape[1], dtype=bool)
    for start, stop in segments:
        assert_allclose(gain[[start - 1, start, stop - 1, stop]], [0, level_db, level_db, 0], atol=0.01)
        assert_allclose(gain[start:stop], level_db, atol=0.01)
        rest[start:stop] = False
    assert_array_equal(out[:, rest], steady[:, rest])


@pytest.mark.parametrize("degrees", [20.0, 90.0, 137.0, 180.0])
@pytest.mark.parametrize("hertz", [100.0, 1000.0, 9000.0])
def test_the_phase_jumps_by_the_angle_at_every_frequency(degrees: float, hertz: float) -> None:
    time = np.arange(4 * RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)[None]
    out, segments = SPLICE.render(tone, RATE, make(phase_deg=degrees))
    start, stop = segments[0]
    expected = 0.5 * np.sin(2 * np.pi * hertz * time[start:stop] + np.radians(degrees))
    edge = RATE // 50
    assert_allclose(out[0, start + edge : stop - edge], expected[edge:-edge], atol=0.01)


def test_180_degrees_invert_the_polarity_exactly(steady: np.ndarray) -> None:
    out, segments = SPLICE.render(steady, RATE, make(phase_deg=180.0))
    for start, stop in segments:
        assert_array_equal(out[:, start:stop], -steady[:, start:stop])


@pytest.mark.parametrize("dc", [-2.0, 0.1, 1.0])
@pytest.mark.parametrize("coupling_hz", [2.0, 20.0])
def test_an_offset_jumps_and_decays(dc: float, coupling_hz: float, steady: np.ndarray) -> None:
    long = np.tile(steady, 3)
    out, segments = SPLICE.render(long, RATE, make(dc=dc, coupling_hz=coupling_hz, piece_s=1.5))
    offset = out.astype(np.float64)[0] - long[0]
    level = audio.active_rms(long, RATE)
    start, stop = segments[0]
    assert offset[start - 1] == 0
    assert offset[start] == pytest.approx(dc * level, abs=1e-6)
    constant = RATE / (2 * np.pi * coupling_hz)
    assert offset[start + round(constant)] == pytest.approx(dc * level / np.e, rel=0.01)
    assert abs(offset[stop - 1]) < 3e-4 * abs(dc * level)
    assert stop - start == pytest.approx(constant * np.log(1e4), abs=2)


def test_jumps_are_in_sound_and_at_the_same_positions_at_every_severity(clip: np.ndarray) -> None:
    for seed in range(30):
        mild, severe = (artifacts.render("splice", clip, RATE, s, seed) for s in (0.0, 1.0))
        assert_array_equal(mild.segments, severe.segments)
        for start, _ in severe.segments:
            assert np.abs(clip[:, max(0, start - 441) : start + 441]).max() > 0.01


def test_pieces_take_at_most_half_of_the_clip(steady: np.ndarray) -> None:
    for seed in range(20):
        segments = SPLICE.segments(np.tile(steady, 5), RATE, make(level_db=6.0, rate_hz=2.0, piece_s=1.0, seed=seed))
        assert (segments[1:, 0] > segments[:-1, 1]).all()
        assert np.diff(segments).sum() <= 0.5 * 5 * steady.shape[1]


def test_each_draw_has_one_kind_of_jump() -> None:
    rng = np.random.default_rng(0)
    kinds = [
        [bool(p[k]) for k in ("level_db", "phase_deg", "dc")] for p in (SPLICE.sample(0.5, rng) for _ in range(99))
    ]
    assert (np.sum(kinds, axis=1) == 1).all()
    assert (np.sum(kinds, axis=0) > 15).all()
