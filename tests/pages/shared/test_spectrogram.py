"""Pictures of windows, and what is marked on them."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.pages.shared.channels import chosen, names
from contrastive_artifacts.pages.shared.marked import marks
from contrastive_artifacts.pages.shared.spectrogram import picture

RATE = 16000
TIME = np.arange(4 * RATE) / RATE
TONE = (0.5 * np.sin(2 * np.pi * 440 * TIME)).astype(np.float32)
NOISE = np.random.default_rng(0).normal(0, 0.02, TIME.size).astype(np.float32)


def levels(shown: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(shown["spectrogram"]), np.uint8).reshape(shown["rows"], shown["columns"])


@pytest.mark.parametrize("scale", ["linear", "low", "log"])
@pytest.mark.parametrize("shown", [None, (RATE, 3 * RATE)])
def test_the_ends_of_a_slice_are_not_bright(scale, shown):
    """Silence beyond an end is a step in the sound, with power at all frequencies."""
    columns = levels(picture(TONE[None], RATE, scale, shown)).astype(float).mean(axis=0)
    assert columns.max() - np.median(columns) < 3, "255 levels are 100 dB"


@pytest.mark.parametrize(("scale", "low", "high"), [("linear", 0, None), ("log", 0, None), ("linear", 400, 500)])
def test_frequencies_lie_where_the_edges_say(scale, low, high):
    shown = picture(TONE[None], RATE, scale, None, low, high)
    row = int(np.argmax(levels(shown).mean(axis=1)))
    bottom, top = shown["bottom_hz"], shown["top_hz"]
    at = 1 - (np.array([row, row + 1])) / shown["rows"]
    edges = bottom * (top / bottom) ** at if scale == "log" else bottom + (top - bottom) * at
    width = 60.0 if high is None else 6.0
    assert edges[1] - width <= 440 <= edges[0] + width
    level_db = 100 * (levels(shown).max() / 255 - 1)
    below = 20 * np.log10(0.5) - level_db
    assert -0.1 <= below <= 1.42 + 0.4, "Hann frames read a tone between two bins up to 1.42 dB low; a level is 0.4 dB"


def test_a_click_in_a_minute_is_seen():
    minute = np.zeros((1, 60 * RATE), np.float32)
    minute[0, 1_234_567 % (60 * RATE)] = 1.0
    assert levels(picture(minute, RATE)).max() > 60


def test_channels_that_cancel_are_shown():
    shown = picture(np.stack([TONE, -TONE]), RATE)
    assert levels(shown).max() == levels(picture(TONE[None], RATE)).max()
    assert [max(high) for _, high in shown["lanes"]] == pytest.approx([0.5, 0.5], abs=1e-3)
    left_only = picture(np.stack([TONE, 0 * TONE]), RATE)["lanes"]
    assert max(left_only[1][1]) == 0.0
    assert picture(TONE[None], RATE)["lanes"] == []


def test_mid_and_side():
    left, right = TONE + NOISE, TONE - NOISE
    both = np.stack([left, right])
    np.testing.assert_allclose(chosen(both, "mid")[0], TONE, atol=1e-6)
    np.testing.assert_allclose(chosen(both, "side")[0], NOISE, atol=1e-6)
    np.testing.assert_array_equal(chosen(both, "2")[0], right)
    assert chosen(both, "all") is both
    for channel in ("0", "3", "left", "²", ""):
        with pytest.raises(ParameterError, match="this sound has all, mid, side, 1, 2"):
            chosen(both, channel)
    with pytest.raises(ParameterError, match="has all, 1"):
        chosen(TONE[None], "mid")
    assert [value for value, _ in names(2)] == ["all", "1", "2", "mid", "side"]
    assert (names(1), len(names(6))) == ([], 7)


@pytest.mark.parametrize(
    ("right", "relation"),
    [(-TONE - NOISE, "R is −L"), (0 * TONE, "R is silent"), (TONE + NOISE, "L and R are equal"), (NOISE, "")],
)
def test_related_channels_are_stated(right, relation):
    assert marks(np.stack([TONE + NOISE, right]), RATE)["relation"] == relation


def test_clipped_runs_and_mains_lines_are_marked():
    assert marks((TONE + NOISE)[None], RATE) == {"clipped": [], "mains": None, "relation": ""}
    part = np.concatenate([0.1 * TONE[:RATE], np.clip(4 * TONE[RATE : 2 * RATE], -0.9, 0.9), 0.1 * TONE[2 * RATE :]])
    ((start, stop, samples),) = marks(part[None], RATE)["clipped"]
    assert abs(start - RATE) < 100
    assert abs(stop - 2 * RATE) < 100
    assert samples > 0.3 * RATE
    hum = sum(0.02 / k * np.sin(2 * np.pi * 60 * k * TIME) for k in range(1, 6)).astype(np.float32)
    mains = marks(np.stack([0 * hum, NOISE + hum]), RATE)["mains"]
    assert mains["hz"] == 60
    assert mains["level_db"] == pytest.approx(10 * np.log10(sum((0.02 / k) ** 2 / 2 for k in range(1, 6))), abs=2.5)
