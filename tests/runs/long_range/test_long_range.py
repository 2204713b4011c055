"""The material and scores of the long-range tests: pairs are equal where they must be, rates and spans are right."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.data import corpora
from contrastive_artifacts.runs.long_range import (
    CLASSES,
    LOCAL_S,
    PAIRS,
    TURNS_HZ,
    Predictions,
    items,
    place,
    revolution_rate,
    series_probe,
    shortest_window,
    turn_items,
)

RATE = 16000


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("seed", [0, 1])
def test_pairs_are_equal_around_the_moment_and_differ_elsewhere(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    t = np.arange(14 * RATE) / RATE
    x = (0.1 * np.sin(2 * np.pi * 440 * t) + 0.02 * rng.standard_normal(len(t))).astype(np.float32)
    at = round(rng.uniform(0.4, 0.6) * len(x))
    first, second = PAIRS[name].render(x, RATE, at, rng)
    half = round(LOCAL_S / 2 * RATE) - 1
    assert first.dtype == second.dtype == np.float32
    assert first.shape == second.shape == x.shape
    np.testing.assert_array_equal(first[at - half : at + half], second[at - half : at + half])
    assert np.abs(first[at - half : at + half] - x[at - half : at + half]).max() > 0.01  # there is a click, gap or tone
    assert np.abs(first - second).max() > 0.01


def test_irregular_clicks_are_as_many_as_regular_ones() -> None:
    rng = np.random.default_rng(3)
    clicks = [np.flatnonzero(np.abs(y) > 0) for y in PAIRS["irregular / once per turn"].render(
        np.zeros(14 * RATE, np.float32), RATE, 7 * RATE, rng)]  # fmt: skip
    starts = [np.flatnonzero(np.diff(places, prepend=-RATE) > 0.05 * RATE) for places in clicks]
    assert len(starts[0]) == len(starts[1]) > 5
    spread = [np.diff(places[s]).std() / RATE for places, s in zip(clicks, starts, strict=True)]
    assert spread[0] > 0.1
    assert spread[1] < 0.001


@pytest.mark.parametrize("hertz", TURNS_HZ.values())
@pytest.mark.parametrize("width_s", [0.1, 0.5, 0.97])
def test_the_rate_of_a_record_within_three_percent(hertz: float, width_s: float) -> None:
    """One event per turn, smeared by the window, in noise; not half or twice the rate."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        now = np.arange(300) * 0.1
        events = np.arange(rng.random() / hertz, 30, 1 / hertz)
        series = (np.abs(now[:, None] - events) < width_s / 2).sum(axis=1) + 0.3 * rng.standard_normal(len(now))
        assert abs(revolution_rate(series, 0.1) / hertz - 1) < 0.03


def test_a_series_too_short_is_refused() -> None:
    with pytest.raises(ParameterError, match="two turns"):
        revolution_rate(np.zeros(20), 0.1)
    with pytest.raises(ParameterError, match="four scores a turn"):
        revolution_rate(np.zeros(100), 0.5)


def test_the_series_probe_finds_the_events() -> None:
    rng = np.random.default_rng(0)
    events = [np.arange(rng.random(), 29, 1.3) for _ in range(3)]
    now = np.arange(297) * 0.1 + 0.15
    x = []
    for times in events:
        bump = np.clip(1 - np.abs(now[:, None] - times) / 0.15, 0, 1).sum(axis=1)
        x.append(np.stack([rng.standard_normal(297), 5 * bump + 1, rng.standard_normal(297)], axis=1))
    weights, bias = series_probe(x[:2], events[:2], 0.1, 0.3)
    score = x[2] @ weights + bias
    assert abs(weights[1]) > 5 * np.abs(weights[[0, 2]]).max()
    assert abs(revolution_rate(score, 0.1) * 1.3 - 1) < 0.03


@pytest.mark.parametrize("context_s", [1.0, 2.0, 10.0, 30.0])
def test_a_context_holds_the_moment(context_s: float) -> None:
    patches = 1 + int((30 - 0.96) / 0.48)
    for at_s in np.linspace(0, 29.9, 25):
        first, count = place(float(at_s), context_s, patches, 0.96, 0.48, 0.4)
        assert 0 <= first <= first + count <= patches
        assert (count - 1) * 0.48 + 0.96 <= context_s + 1e-6
        end = (first + count - 1) * 0.48 + 0.96
        assert first * 0.48 - 0.25 <= at_s <= end + 0.5  # the end of the clip is not in a whole patch


def test_material_touches_the_whole_clip() -> None:
    corpus = corpora.create("builtin", sources=1, duration_s=8.0, sample_rate=RATE)
    rendered = list(items(corpus, corpus.clips, 8.0, (0.8, 1.0), 0))
    assert [item.label for item in rendered] == list(CLASSES)
    clean = rendered[0].waveform
    for item in rendered[1:]:
        assert item.waveform.shape == clean.shape
        assert np.abs(item.waveform - clean).max() > 1e-4, item.label
        assert 0 <= item.at_s <= 8.0
    records = list(turn_items(corpus, corpus.clips, 8.0, 0.5, 0))
    assert [item.label for item in records] == list(TURNS_HZ)
    for item in records:
        assert abs(item.rate_hz / TURNS_HZ[item.label] - 1) < 0.003
        np.testing.assert_allclose(np.diff(item.clicks_s), 1 / item.rate_hz, rtol=0.02)


def test_shortest_window() -> None:
    contexts = (0.5, 1.0, 2.0, 10.0)
    assert shortest_window(contexts, (0.5, 0.77, 0.7, 0.8)) == 1.0
    assert shortest_window(contexts, (0.1, 0.2, 0.3, 0.8)) == 10.0
    with pytest.raises(ParameterError, match="No score at 10"):
        shortest_window((1.0, 2.0), (0.1, 0.2))


def test_scores_and_their_intervals() -> None:
    truth = np.array(["a", "b"] * 20)
    predicted = np.where(np.arange(40) < 30, truth, "a")
    predictions = Predictions(truth, predicted, np.repeat([f"s{i}" for i in range(10)], 4))
    assert predictions.accuracy(("a", "b")).value == pytest.approx(35 / 40)
    assert predictions.accuracy(("b",)).value == pytest.approx(15 / 20)
    assert predictions.f1("a").value == pytest.approx(2 * 20 / (20 + 25))
    assert predictions.macro_f1().value == pytest.approx((40 / 45 + 30 / 35) / 2)
    assert predictions.f1("b").low < predictions.f1("b").value < predictions.f1("b").high
