"""Arguments of the Python surface that are of another kind than it takes: errors that say what to give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import AudioError, ParameterError
from contrastive_artifacts.search.retrieval import retrieve

NOISE = np.random.default_rng(0).normal(0, 0.1, 22050).astype(np.float32)
RATES = ["44100", b"44100", 44100.5, None, True, [44100], np.array([44100, 44100]), 1j, np.float32(44100.5)]


@pytest.fixture(scope="module")
def encoder() -> ca.PretrainedEncoder:
    return ca.load("release/mn04")


@pytest.mark.parametrize("rate", RATES, ids=repr)
def test_a_sample_rate_is_a_whole_number(encoder: ca.PretrainedEncoder, rate: Any) -> None:
    view = ca.render("hum", NOISE, 44100, seed=1)
    for call in (
        lambda: encoder.embed((NOISE, rate)),
        lambda: encoder.embed_batch([(NOISE, rate)]),
        lambda: encoder.classify((NOISE, rate)),
        lambda: ca.render("hum", NOISE, rate),
        lambda: ca.render("clean", NOISE, rate),
        lambda: ca.replay(NOISE, rate, view.params),
        lambda: audio.as_waveform(NOISE, rate),
    ):
        with pytest.raises(ParameterError, match="give it in Hz, as a whole number"):
            call()


@pytest.mark.parametrize("rate", [44100, 44100.0, np.int32(44100), np.float64(44100), torch.tensor(44100)], ids=repr)
def test_whole_numbers_of_any_type_are_sample_rates(rate: Any) -> None:
    assert audio.as_waveform(NOISE, rate).shape == (1, 22050)


@pytest.mark.parametrize("rate", [0, -44100, 999, 10**7, float("nan"), float("inf"), -float("inf")])
def test_sample_rates_out_of_range(rate: float) -> None:
    with pytest.raises(AudioError, match="must lie in"):
        audio.as_waveform(NOISE, rate)


@pytest.mark.parametrize("k", [-1, 0, "abc", "3", 2.5, None, True, [3], float("nan")], ids=repr)
def test_a_number_of_hits_is_a_whole_number_of_at_least_one(tmp_path: Path, k: Any) -> None:
    rows = [{"clip": "a", "start": n, "stop": n + 1, "sample_rate": 8000} for n in range(0, 60, 2)]
    index = ca.Index.build(np.random.default_rng(0).normal(size=(30, 4)), rows, tmp_path, fingerprint="f")
    query = np.eye(4)[0]
    for call in (
        lambda: index.search(query, k),
        lambda: index.search_batch(query[None], k),
        lambda: retrieve(index, query, k),
    ):
        with pytest.raises(ParameterError, match="whole number of at least 1"):
            call()
    assert len(retrieve(index, query, np.int64(2))) == 2


@pytest.mark.parametrize(
    "source", [NOISE, 3, None, (NOISE,), (NOISE, 44100, 1), {"a": 1}], ids=lambda s: type(s).__name__
)
def test_an_input_is_a_path_or_a_pair(encoder: ca.PretrainedEncoder, source: Any) -> None:
    for call in (encoder.embed, encoder.classify):
        with pytest.raises(ParameterError, match=r"give a path, or \(waveform, sample_rate\)"):
            call(source)


@pytest.mark.parametrize("channel", [-1, 2])
def test_a_channel_that_there_is_not(encoder: ca.PretrainedEncoder, channel: int) -> None:
    with pytest.raises(ParameterError, match="there are 2 channels"):
        encoder.embed((np.stack([NOISE, NOISE]), 44100), channel)


def test_inputs_too_short_are_not_classified_but_embedded(encoder: ca.PretrainedEncoder, tmp_path: Path) -> None:
    assert encoder.shortest_s == 0.5
    assert ca.load("release/all").shortest_s == pytest.approx(5 / 6)
    audio.write(tmp_path / "short.wav", NOISE[:100], 44100)
    for source in (tmp_path / "short.wav", (NOISE[:100], 44100), (NOISE[:22049], 44100)):
        with pytest.raises(AudioError, match=r"(short\.wav|The waveform) is too short .* give 0\.5 s or"):
            encoder.classify(source)
        assert np.isfinite(encoder.embed(source).clip).all()
    assert encoder.classify((NOISE, 44100)).label in encoder.labels
