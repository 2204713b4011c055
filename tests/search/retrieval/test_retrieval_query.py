"""Queries: spans, examples, differences, labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.embedding.embedder import Embedding, Input
from contrastive_artifacts.search.index import Index
from contrastive_artifacts.search.retrieval import mean_of, of_label, of_span, retrieve, sources_of, unlike

RATE = 8000


class Loudness:
    """Embeds a sound as its mean and its standard deviation, a unit vector."""

    fingerprint = "loudness"

    def embed(self, source: Input, channel: int | None = None, stream: audio.Stream = None) -> Embedding:
        waveform, rate = source if isinstance(source, tuple) else audio.read(source)
        vector = np.array([waveform.mean(), waveform.std()], np.float32)
        vector /= np.linalg.norm(vector)
        return Embedding(vector, vector[None], np.array([[0, waveform.shape[-1]]]), rate)


def test_a_span_equals_the_same_samples_as_a_file(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0.05, 0.1, (1, 2 * RATE)).astype(np.float32)
    noise[:, RATE:] *= np.linspace(1, 5, RATE, dtype=np.float32)
    audio.write(tmp_path / "all.wav", noise, RATE)
    audio.write(tmp_path / "part.wav", noise[:, 12000:14000], RATE)
    part = of_span(Loudness(), tmp_path / "part.wav")
    np.testing.assert_array_equal(of_span(Loudness(), tmp_path / "all.wav", 1.5, 1.75), part)
    assert not np.allclose(of_span(Loudness(), tmp_path / "all.wav"), part, atol=1e-3)
    with pytest.raises(ParameterError, match="empty"):
        of_span(Loudness(), tmp_path / "all.wav", 1.5, 1.5)


def test_examples_count_alike_however_long_their_vectors() -> None:
    mean = mean_of([np.array([10.0, 0.0]), np.array([0.0, 0.1])])
    np.testing.assert_allclose(mean, [np.sqrt(0.5)] * 2, rtol=1e-6)
    assert mean.dtype == np.float32
    with pytest.raises(ParameterError, match="at least one"):
        mean_of([])
    with pytest.raises(ParameterError, match="cancel"):
        mean_of([np.array([1.0, 0.0]), np.array([-1.0, 0.0])])


def test_a_difference_ignores_what_both_have() -> None:
    """Ten sounds, clean and damaged: the change of one finds all damaged sounds, not the clean version of its own."""
    rng = np.random.default_rng(0)
    sounds, damage = 3 * rng.standard_normal((10, 32)), rng.standard_normal(32) * 2
    rows = np.concatenate([sounds, sounds + damage])
    change = unlike(rows[10], rows[0])
    assert np.linalg.norm(change) == pytest.approx(1, abs=1e-6)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    best = np.argsort(-(unit @ change))
    plain = np.argsort(-(unit @ unit[10]))
    assert set(best[:10]) == set(range(10, 20))
    assert plain[1] == 0, "by likeness alone the clean twin comes first"
    with pytest.raises(ParameterError, match="alike"):
        unlike(rows[0], rows[0] * 2)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    vectors = np.random.default_rng(1).standard_normal((6, 4))
    facts = [
        {"clip": f"c{i % 3}.wav", "file": f"/archive/c{i % 3}.wav", "source": f"s{i % 3}", "start": 0, "stop": 9,
         "sample_rate": RATE, "artifact": ["hum", "hum", ""][i % 3], "heard": ["clean", "hum", "hiss"][i % 3]}
        for i in range(6)
    ]  # fmt: skip
    return Index.build(vectors, facts, tmp_path / "index", fingerprint="f")


def test_a_label_is_the_mean_of_its_rows_true_labels_first(index: Index) -> None:
    np.testing.assert_allclose(of_label(index, "hum"), mean_of(index.vectors([0, 1, 3, 4])), atol=1e-6)
    np.testing.assert_allclose(of_label(index, "hiss"), mean_of(index.vectors([2, 5])), atol=1e-6)
    with pytest.raises(ParameterError, match=r"'crackle'.*clean.*hiss.*hum"):
        of_label(index, "crackle")


def test_a_label_of_a_set_is_the_mean_of_all_rows_that_have_it(tmp_path: Path) -> None:
    vectors = np.random.default_rng(1).standard_normal((4, 4))
    facts = [{"artifact": "", "present": p, "heard": h} for p, h in
             [("hiss, hum", "hum"), ("hiss", "hiss"), ("clean", "clean"), ("echo, hiss", "echo")]]  # fmt: skip
    index = Index.build(vectors, facts, tmp_path / "index", fingerprint="f")
    np.testing.assert_allclose(of_label(index, "hiss"), mean_of(index.vectors([0, 1, 3])), atol=1e-6)
    np.testing.assert_allclose(of_label(index, "clean"), index.vectors([2])[0], atol=1e-6)
    with pytest.raises(ParameterError, match=r"'crackle'.*clean.*echo.*hiss.*hum"):
        of_label(index, "crackle")


def test_the_sources_of_recordings_are_known_by_path_or_name(index: Index) -> None:
    assert sources_of(index, ["/archive/c1.wav"]) == ["s1"]
    assert sources_of(index, ["/elsewhere/c2.wav", "/elsewhere/x.wav"]) == ["s2"]
    assert sources_of(index, ["/elsewhere/x.wav"]) == []
    sources = sources_of(index, ["/archive/c0.wav", "/archive/c1.wav"])
    assert {span.metadata["source"] for span in retrieve(index, np.ones(4), 9, exclude={"source": sources})} == {"s2"}
