"""The rows of an archive's index: the windows of recordings as they are, each with the verdict of the probe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa

from ... import audio
from ...core import seeding
from ...core.errors import ArtifactsError, AudioError, ParameterError, one_of_many
from ...data.corpora import Clip, Corpus
from ...embedding.embedder import Embedding, Input
from ...embedding.table import make_table, recording_rows, table_vectors
from ..index import Index
from .roots import record_roots


class Classifier(Protocol):
    """The part of an encoder that an archive needs; it classifies if it has a probe."""

    @property
    def fingerprint(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def has_probe(self) -> bool: ...
    def embed(self, source: Input, channel: int | None = None, stream: audio.Stream = None) -> Embedding: ...
    def verdict_columns(self, vectors: np.ndarray) -> dict[str, pa.Array]: ...


@dataclass(frozen=True)
class Signals:
    """What of each recording is embedded.

    Args:
        channels: "mix" for the mean of the channels, "each" for every channel by itself.
        stream: Index among the audio streams of a file, or a language tag; by default the one marked as default.
        streams: "one", or "all" for each audio stream by itself. Where one of several streams was asked for, clips are
            called "film.mkv stream 1", counted from 0.

    Raises:
        ParameterError: another value of ``channels`` or ``streams``, or a ``stream`` together with "all".
    """

    channels: Literal["mix", "each"] = "mix"
    stream: audio.Stream = None
    streams: Literal["one", "all"] = "one"

    def __post_init__(self) -> None:
        if self.channels not in ("mix", "each"):
            raise ParameterError(f'channels={self.channels!r}: give "mix" (the mean of the channels) or "each".')
        audio.check_streams(self.stream, self.streams)


def embed_recordings(
    corpus: Corpus, clips: Iterable[Clip], encoder: Classifier, signals: Signals | None = None
) -> tuple[pa.Table, list[tuple[str, str]]]:
    """One row per window, as a table of embeddings; and (clip, problem) for each recording that was left out.

    Args:
        clips: Clips of the corpus that are embedded.
        signals: What of each recording is embedded; by default the mean of its channels.

    Beside the columns of :func:`.table.recording_rows`, ``heard``, ``heard_severity`` and ``heard_probability`` hold
    the verdict of the encoder's probe, if it has one; see :func:`~...probes.columns.verdict_columns`.

    Raises:
        ArtifactsError: none of the recordings could be embedded.
    """
    rows: list[dict[str, Any]] = []
    vectors: list[np.ndarray] = []
    problems: list[tuple[str, str]] = []
    for clip in clips:
        try:
            for spans, frames in embed_recording(corpus, clip, encoder, signals or Signals()):
                rows += spans
                vectors.append(frames)
        except ArtifactsError as error:
            problems.append((clip.id, str(error)))
    if not rows:
        raise none_embedded(problems)
    table = make_table(rows, np.concatenate(vectors), encoder.fingerprint, "h")
    return with_verdicts(table, encoder), problems


def none_embedded(problems: Sequence[tuple[str, str]]) -> ArtifactsError:
    """The error where every recording was left out, or there was none; of (clip, problem)."""
    problem = problems[0][1] if problems else "there are no recordings"
    return ArtifactsError(f"None of the recordings could be embedded; the first problem: {problem}")


def embed_recording(
    corpus: Corpus, clip: Clip, encoder: Classifier, signals: Signals
) -> list[tuple[list[dict[str, Any]], np.ndarray]]:
    """Rows and vectors [N, D] of each signal of a recording that is asked for.

    Raises:
        ArtifactsError: it cannot be embedded, whatever error a decoder raises.
    """
    with one_of_many(clip.id):
        results = []
        for named, source, stream, count in _sources(corpus, clip, signals):
            for channel in [None] if signals.channels == "mix" else range(count):
                embedding = encoder.embed(source, channel, stream)
                if not np.isfinite(embedding.frames).all():
                    raise AudioError("its samples are too large to be embedded: vectors are not finite; save it again.")
                results.append((recording_rows(embedding, named, corpus.name, channel, stream), embedding.frames))
        return results


def with_verdicts(table: pa.Table, encoder: Classifier) -> pa.Table:
    """A table of embeddings with the columns of the probe's verdicts, if the encoder has a probe."""
    if not encoder.has_probe:
        return table
    for name, values in encoder.verdict_columns(table_vectors(table)).items():
        table = table.add_column(table.num_columns - 1, name, values)
    return table


def index_table(table: pa.Table, directory: Any, fingerprint: str, kind: str | None = None) -> Index:
    """Builds the index of a table of embeddings.

    The id of a row is a hash of its place (corpus, recording, channel, first sample), so that indexes of several
    batches can be merged and a window that stands twice is noticed. The folders of the recordings are recorded as the
    roots of the index, see :mod:`.roots`.
    """
    ids = np.array([seeding.derive("row", name) for name in table.column("id").to_pylist()], np.int64)
    metadata = table.drop_columns(["embedding"])
    index = Index.build(table_vectors(table), metadata, directory, fingerprint=fingerprint, ids=ids, kind=kind)
    if "file" in table.column_names:
        record_roots(index.directory, {name for name in table.column("file").unique().to_pylist() if name})
    return index


def _sources(corpus: Corpus, clip: Clip, signals: Signals) -> Iterator[tuple[Clip, Input, int | None, int]]:
    """For each audio stream that is asked for: clip with its name, input, index of the stream, number of channels."""
    if clip.path is None:
        waveform, rate = corpus.load(clip)
        yield clip, (waveform, rate), None, len(waveform)
        return
    asked = signals.stream is not None or signals.streams == "all"
    for info in audio.chosen(clip.path, signals.stream, signals.streams):
        name = f"{clip.id} stream {info.stream}" if asked and info.streams > 1 else clip.id
        yield replace(clip, id=name), clip.path, info.stream, info.channels
