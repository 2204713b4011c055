"""Embedding in parts: the table is that of one run, an interrupted run goes on, a bad file costs itself only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import ArtifactsError, StorageError
from contrastive_artifacts.data import corpora
from contrastive_artifacts.data.corpora import Clip, Corpus
from contrastive_artifacts.embedding import Embedding
from contrastive_artifacts.embedding.embedder import Input
from contrastive_artifacts.embedding.table import read_table, write_table
from contrastive_artifacts.search.retrieval import EmbeddingParts, embed_recordings, parts

RATE = 8000


class Levels:
    """Embeds one window a second as its mean and its peak."""

    fingerprint, labels, has_probe = "levels", ("clean", "loud"), True

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, source: Input, channel: int | None = None, stream: audio.Stream = None) -> Embedding:
        assert isinstance(source, Path)
        self.embedded.append(source.name)
        if source.name.startswith("bad"):
            raise ZeroDivisionError("of a decoder")
        return self.levels(source)

    def levels(self, source: Input) -> Embedding:
        assert not isinstance(source, tuple)
        waveform, rate = audio.read(source)
        frames = np.stack([[x.mean(), abs(x).max()] for x in waveform[0].reshape(-1, rate)]).astype(np.float32)
        starts = np.arange(len(frames)) * rate
        return Embedding(frames.mean(axis=0), frames, np.stack([starts, starts + rate], 1), rate)

    def verdict_columns(self, vectors: np.ndarray) -> dict[str, pa.Array]:
        loud = vectors[:, 1] / 2
        heard = pa.array([self.labels[int(value > 0.5)] for value in loud])
        severity, probability = pa.array(np.where(loud > 0.5, loud, 0)), pa.array(np.maximum(loud, 1 - loud))
        return {"heard": heard, "heard_severity": severity, "heard_probability": probability}


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    monkeypatch.setattr(parts, "_RECORDINGS", 2)
    monkeypatch.setattr(parts, "_BLOCK", 4)
    rng = np.random.default_rng(0)
    for number in range(7):
        name = "bad" if number == 3 else "good"
        noise = rng.uniform(-0.5, 0.5, (1, (1 + number) * RATE)).astype(np.float32)
        audio.write(tmp_path / "in" / f"{number}-{name}.wav", noise, RATE)
        if name == "bad":
            (tmp_path / "in" / f"{number}-{name}.wav").rename(tmp_path / "in" / "bad.wav")
    return corpora.create("folder", path=tmp_path / "in")


def test_the_table_is_that_of_one_run(corpus: Corpus, tmp_path: Path) -> None:
    expected, problems = embed_recordings(corpus, corpus.clips, Levels())
    out = tmp_path / "out.parquet"
    with EmbeddingParts(out, corpus, Levels()) as embedding_parts:
        embedding_parts.embed(corpus.clips)
        assert embedding_parts.join() == len(expected)
        embedding_parts.remove()
    write_table(tmp_path / "in" / "whole.parquet", expected)
    assert read_table(out).equals(read_table(tmp_path / "in" / "whole.parquet"), check_metadata=True)
    assert embedding_parts.problems == problems == [("bad.wav", "ZeroDivisionError: of a decoder")]
    assert [path.name for path in tmp_path.iterdir() if path.name != "in"] == ["out.parquet"]


@pytest.mark.parametrize("finished", [1, 3, 4, 6])
def test_an_interrupted_run_goes_on(corpus: Corpus, tmp_path: Path, finished: int) -> None:
    def interrupted() -> Iterator[Clip]:
        yield from corpus.clips[:finished]
        raise KeyboardInterrupt

    out, encoder = tmp_path / "out.parquet", Levels()

    def first_run() -> None:
        with EmbeddingParts(out, corpus, Levels()) as first:
            with pytest.raises(StorageError, match="in use"):
                EmbeddingParts(out, corpus, Levels()).__enter__()
            first.embed(interrupted())

    with pytest.raises(KeyboardInterrupt):
        first_run()
    with EmbeddingParts(out, corpus, encoder) as embedding_parts:
        embedding_parts.embed(embedding_parts.remaining)
        embedding_parts.join()
    assert encoder.embedded == [clip.id for clip in corpus.clips[finished:]]
    whole, _ = embed_recordings(corpus, corpus.clips, Levels())
    assert read_table(out).to_pylist() == whole.to_pylist()


def test_a_changed_recording_is_embedded_again(corpus: Corpus, tmp_path: Path) -> None:
    out, encoder = tmp_path / "out.parquet", Levels()
    with EmbeddingParts(out, corpus, Levels()) as first:
        first.embed(corpus.clips)
    changed = corpus.clips[2]
    assert changed.path is not None
    audio.write(changed.path, np.zeros((1, RATE), np.float32), RATE)
    with EmbeddingParts(out, corpus, encoder) as embedding_parts:
        embedding_parts.embed(embedding_parts.remaining)
        embedding_parts.join()
    assert encoder.embedded == [changed.id]
    whole, _ = embed_recordings(corpus, corpus.clips, Levels())
    assert read_table(out).to_pylist() == whole.to_pylist()


def test_no_recording_at_all_is_an_error(corpus: Corpus, tmp_path: Path) -> None:
    bad = [clip for clip in corpus.clips if clip.id == "bad.wav"]
    with EmbeddingParts(tmp_path / "out.parquet", Corpus(corpus.name, bad), Levels()) as embedding_parts:
        embedding_parts.embed(bad)
        with pytest.raises(ArtifactsError, match=r"None of the recordings .* ZeroDivisionError"):
            embedding_parts.join()
    assert not embedding_parts.folder.exists()
