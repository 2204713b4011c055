"""Rendering in bulk gives the views of single renderings, and checks each clip once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import contrastive_artifacts as ca
from contrastive_artifacts import artifacts, audio
from contrastive_artifacts.core.errors import AudioError, ParameterError, UnknownNameError

RATE = 8000
STATES = [(name, severity) for name in ("clean", "hum", "clicks", "wow_flutter") for severity in (0.2, 0.9)]


@pytest.fixture
def clips() -> list[np.ndarray]:
    rng = np.random.default_rng(4)
    return [(0.1 * rng.standard_normal(shape)).astype(np.float32) for shape in ((RATE,), (2, RATE // 2), (RATE // 3,))]


def test_views_are_those_of_single_renderings(clips: list[np.ndarray]) -> None:
    batches = list(ca.render_batch(STATES, clips, RATE, seeds=[7, 8, 9]))
    assert len(batches) == len(clips)
    for clip, seed, views in zip(clips, (7, 8, 9), batches, strict=True):
        for (name, severity), view in zip(STATES, views, strict=True):
            alone = ca.render(name, clip, RATE, severity, seed)
            assert view.params == alone.params
            np.testing.assert_array_equal(view.waveform, alone.waveform)
            np.testing.assert_array_equal(view.segments, alone.segments)
            np.testing.assert_array_equal(ca.replay(clip, RATE, view.params), view.waveform)
            assert not np.shares_memory(view.waveform, clip)


def test_torch_gives_torch_and_the_default_seeds_count(clips: list[np.ndarray]) -> None:
    waves = [torch.from_numpy(clip) for clip in clips]
    for number, (view,) in enumerate(ca.render_batch([("hiss", 0.5)], waves, RATE)):
        assert isinstance(view.waveform, torch.Tensor)
        assert view.params["seed"] == number


def test_a_clip_is_checked_once(clips: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []
    check: Callable[..., Any] = audio.as_waveform
    monkeypatch.setattr(audio, "as_waveform", lambda *arguments: checked.append(arguments) or check(*arguments))
    assert [len(views) for views in ca.render_batch(STATES, clips, RATE)] == [len(STATES)] * 3
    assert len(checked) == 3


def test_what_is_wrong_is_refused(clips: list[np.ndarray]) -> None:
    with pytest.raises(ParameterError, match="2 seeds for 3 clips"):
        list(ca.render_batch(STATES, clips, RATE, seeds=[1, 2]))
    with pytest.raises(UnknownNameError, match="hum"):
        list(ca.render_batch([("humm", 0.5)], clips, RATE))
    with pytest.raises(ParameterError, match="severity"):
        list(ca.render_batch([("hum", 1.5)], clips, RATE))
    with pytest.raises(AudioError, match="between channels"):
        list(ca.render_batch([("polarity", 0.5)], clips[:1], RATE))
    clips[1][0, 5] = np.nan
    batches = ca.render_batch([("hum", 0.5)], clips, RATE)
    assert next(batches)
    with pytest.raises(AudioError, match="the first at sample 5"):
        next(batches)


@pytest.mark.parametrize("name", artifacts.names())
def test_what_is_drawn_needs_no_check(name: str) -> None:
    """render and render_batch do not check what sample() returns; it passes the check of replay."""
    record = artifacts.artifact(name)
    if not record.fits(2):
        pytest.skip("it needs files that are not here")
    for number in range(40):
        artifacts.base.check_fields(artifacts.draw(name, (number % 11) / 10, number)["parameters"], record.fields, name)
