"""Slow figures: finite for all input, independent of level and sample rate, sensitive to their artifacts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrastive_artifacts import artifacts, audio
from contrastive_artifacts.core import seeding
from contrastive_artifacts.core.errors import AudioError
from contrastive_artifacts.data import corpora
from contrastive_artifacts.models.slow import LEAST_S, SLOW_FIGURES, slow_figures


def sound(seconds: float = 4.0, rate: int = 16000, seed: int = 0) -> np.ndarray:
    """A melody over noise."""
    rng, t = np.random.default_rng(seed), np.arange(round(seconds * rate)) / rate
    notes = np.repeat(rng.choice([220.0, 247, 294, 330, 392], round(4 * seconds) + 1), rate // 4)[: len(t)]
    tone = sum(np.sin(2 * np.pi * k * np.cumsum(notes) / rate) / k for k in range(1, 6))
    return (0.1 * tone + 0.01 * rng.standard_normal(len(t))).astype(np.float32)


def test_names_are_as_many_as_figures_and_no_two_alike():
    assert slow_figures(sound(), 16000).shape == (len(SLOW_FIGURES),) == (len(set(SLOW_FIGURES)),)


@pytest.mark.parametrize("gain", [1e-3, 30.0])
def test_gain_does_not_matter(gain):
    np.testing.assert_allclose(slow_figures(sound(), 16000), slow_figures(np.float32(gain) * sound(), 16000), atol=2e-3)


@pytest.mark.parametrize("rate", [8000, 44100, 192000])
def test_any_rate_is_taken(rate):
    """What a rate of 8 kHz cannot hold is missing there; above, the rate makes no difference."""
    x = audio.resample(sound(), 16000, rate)
    figures = slow_figures(x, rate)
    assert np.isfinite(figures).all()
    if rate > 16000:
        assert np.abs(figures - slow_figures(sound(), 16000)).max() < 0.5
        assert np.median(np.abs(figures - slow_figures(sound(), 16000))) < 0.01


@pytest.mark.parametrize(
    "x",
    [np.zeros(48000), np.full(48000, 0.5), np.eye(1, 48000, 20000)[0], np.sin(np.arange(48000)), 1e-30 * sound(3.0)],
    ids=["silence", "dc", "impulse", "tone", "denormal"],
)
def test_degenerate_sounds_have_finite_figures(x):
    figures = slow_figures(x.astype(np.float32), 16000)
    assert np.isfinite(figures).all()
    assert np.abs(figures).max() < 40


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**16), rate=st.sampled_from([8000, 11025, 16000, 48000]), seconds=st.floats(1.51, 4.0),
    level=st.floats(-180, 180), gate=st.floats(0, 1), sparse=st.booleans(),
)  # fmt: skip
def test_whatever_is_finite_has_finite_figures(seed, rate, seconds, level, gate, sparse):
    """Noise of any level, gated to silence for any share of the time, or single samples in silence."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(round(seconds * rate)) * (rng.random(round(seconds * rate)) < (0.001 if sparse else 1))
    x[: int(gate * len(x))] = 0
    figures = slow_figures((x * 10 ** (level / 20)).astype(np.float32), rate)
    assert np.isfinite(figures).all()
    assert np.abs(figures).max() < 60


def test_lengths_from_the_least_to_a_minute():
    for seconds in (LEAST_S, 2.0, 60.0):
        assert np.isfinite(slow_figures(sound(seconds), 16000)).all()


def test_what_cannot_be_is_refused():
    with pytest.raises(AudioError, match=r"1\.5 s or more"):
        slow_figures(sound(1.0), 16000)
    with pytest.raises(AudioError, match="mono"):
        slow_figures(sound()[None], 16000)
    with pytest.raises(AudioError, match="NaN"):
        slow_figures(np.where(np.arange(48000) == 7, np.nan, 0.1).astype(np.float32), 16000)


@pytest.fixture(scope="module")
def sources() -> list[tuple[np.ndarray, int]]:
    corpus = corpora.create("builtin", sources=16, duration_s=10.0, seed=5)
    return [corpus.load(clip) for clip in corpus.clips]


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("print_through", "copy: growing"),
        ("wow", "speed 0.4-1 Hz: line"),
        ("gain_step", "step 1 s: contrast"),
        ("pumping", "slope 0.1 s: tight 50 %"),
    ],
)
def test_the_artifacts_of_the_library_move_the_figures_made_for_them(name, figure, sources):
    """On most of 16 synthetic sources, against the same source clean."""
    which, moved = SLOW_FIGURES.index(figure), []
    for number, (x, rate) in enumerate(sources):
        rng = seeding.generator(0, name, number)
        artifact = artifacts.artifact("wow_flutter" if name == "wow" else name)
        params = artifact.sample(1.0, rng)
        if name == "wow":
            params["parts"] = [[0.7, 1.0, 0.0]]
        if name == "print_through":
            params["kind"] = "tape"
        damaged, _ = artifact.render(x[:1], rate, params)
        moved.append(slow_figures(damaged[0], rate)[which] - slow_figures(x[0], rate)[which])
    assert (np.array(moved) > 0).mean() >= 0.75, np.round(moved, 2)
