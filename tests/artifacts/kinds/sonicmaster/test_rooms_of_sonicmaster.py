"""Rooms as artifacts: geometry, level, and the ratio of a recorded response."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.dsp import responses
from contrastive_artifacts.artifacts.kinds.sonicmaster.spaces import SPACES

RATE = 44100
SHOEBOXES = [record for record in SPACES if record.name != "room_recorded"]
shoeboxes = pytest.mark.parametrize("record", SHOEBOXES, ids=lambda record: record.name)


def impulse(seconds: float, channels: int = 1) -> np.ndarray:
    wave = np.zeros((channels, round(seconds * RATE)), dtype=np.float32)
    wave[:, 0] = 1.0
    return wave


@shoeboxes
def test_source_and_microphone_are_in_the_room_and_its_size_in_range(record: artifacts.Artifact) -> None:
    for seed in range(200):
        for severity in (0.0, 0.5, 1.0):
            params = record.sample(severity, np.random.default_rng(seed))
            (size,), (microphone,), (source,) = params["room_m"], params["microphone_m"], params["source_m"]
            assert (record.sides[0] <= np.array(size)).all()
            assert (np.array(size) <= record.sides[1]).all()
            for point in (microphone, source):
                assert (np.array(point) > 0.2).all()
                assert (np.array(size) - point > 0.2).all()
            assert np.linalg.norm(np.subtract(source, microphone)) > 0.12


@shoeboxes
def test_the_direct_sound_is_unchanged_and_the_mean_ratio_is_that_of_the_theory(record: artifacts.Artifact) -> None:
    """The theory is that of a diffuse field: it holds for the mean over rooms, not for each."""
    for severity, ratio in ((0.0, 10.0), (1.0, -6.0)):
        ratios = []
        for seed in range(8):
            out = record.apply(impulse(2), RATE, record.sample(severity, np.random.default_rng(seed)))[0]
            assert out[0] == pytest.approx(1.0, abs=0.02)
            ratios.append(-10 * np.log10(np.sum(out[1:].astype(np.float64) ** 2)))
        assert np.mean(ratios) == pytest.approx(ratio, abs=2.5), (severity, ratios)


def test_channels_are_different_microphones() -> None:
    out = artifacts.render("room_small", impulse(0.5, 2), RATE, 0.5, 1).waveform[:, 500:]
    assert abs(np.corrcoef(out)[0, 1]) < 0.5
    assert 0.5 < np.std(out[0]) / np.std(out[1]) < 2


@pytest.mark.parametrize("ratio", [10.0, 2.0, -5.0])
def test_ratio_and_decay_of_recorded_responses(ratio: float, recorded_responses: dict[str, float]) -> None:
    times = []
    for identity, path in responses.listing().items():
        params = {"response": identity, "drr_db": ratio}
        out = artifacts.artifact("room_recorded").apply(impulse(2), RATE, params)[0].astype(np.float64)
        assert out[0] == pytest.approx(1.0, abs=1e-4)
        assert np.abs(out[1 : int(0.0025 * RATE)]).max() < 1e-4
        assert -10 * np.log10(np.sum(out[1:] ** 2)) == pytest.approx(ratio, abs=0.1)
        level = 10 * np.log10(np.cumsum(out[:0:-1] ** 2)[::-1] + 1e-12)
        span = (level < level[0] - 5) & (level > level[0] - 35)
        slope = np.polyfit(np.flatnonzero(span) / RATE, level[span], 1)[0]
        times.append(-60 / slope / recorded_responses[path.name])
    assert times == pytest.approx([1.0, 1.0], rel=0.1)
