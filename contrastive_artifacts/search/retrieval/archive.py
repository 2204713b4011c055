"""The rows of an archive's index: the windows of recordings as they are, each with the verdict of the probe."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa

from ... import audio
from ...core import seeding
from ...core.errors import ArtifactsError, ParameterError
from ...data.corpora import Clip, Corpus
from ...embedding.embedder import Embedding, Input
from ...embedding.table import make_table, recording_rows, table_vectors
from ...probes import Verdicts
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
    def embed(self, source: Input, channel: int | None = None) -> Embedding: ...
    def classify_vectors(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


def embed_recordings(
    corpus: Corpus, clips: Iterable[Clip], encoder: Classifier, channels: Literal["mix", "each"] = "mix"
) -> tuple[pa.Table, list[tuple[str, str]]]:
    """One row per window, as a table of embeddings; and (clip, problem) for each recording that was left out.

    Args:
        clips: Clips of the corpus that are embedded.
        channels: "mix" embeds the mean of the channels, "each" every channel by itself.

    Beside the columns of :func:`.table.recording_rows`, ``heard``, ``heard_severity`` and ``heard_probability`` hold
    the verdict of the encoder's probe, if it has one; the severity is NaN where it is unknown.

    Raises:
        ArtifactsError: none of the recordings could be embedded.
    """
    if channels not in ("mix", "each"):
        raise ParameterError(f'channels={channels!r}: give "mix" (the mean of the channels) or "each".')
    rows: list[dict[str, Any]] = []
    vectors: list[np.ndarray] = []
    problems: list[tuple[str, str]] = []
    for clip in clips:
        try:
            source = clip.path or corpus.load(clip)
            for channel in [None] if channels == "mix" else range(_channels(source)):
                embedding = encoder.embed(source, channel)
                rows += recording_rows(embedding, clip, corpus.name, channel)
                vectors.append(embedding.frames)
        except ArtifactsError as error:
            problems.append((clip.id, str(error)))
    if not rows:
        problem = problems[0][1] if problems else "there are no recordings"
        raise ArtifactsError(f"None of the recordings could be embedded; the first problem: {problem}")
    x = np.concatenate(vectors)
    if encoder.has_probe:
        verdicts = Verdicts.of(*encoder.classify_vectors(x))
        for row, label, severity, probability in zip(rows, *verdicts, strict=True):
            row["heard"] = encoder.labels[label]
            row["heard_severity"] = float(severity)
            row["heard_probability"] = float(probability)
    return make_table(rows, x, encoder.fingerprint, "h"), problems


def index_table(table: pa.Table, directory: Any, fingerprint: str) -> Index:
    """Builds the index of a table of embeddings.

    The id of a row is a hash of its place (corpus, recording, channel, first sample), so that indexes of several
    batches can be merged and a window that stands twice is noticed. The folders of the recordings are recorded as the
    roots of the index, see :mod:`.roots`.
    """
    ids = np.array([seeding.derive("row", name) for name in table.column("id").to_pylist()], np.int64)
    metadata = table.drop_columns(["embedding"])
    index = Index.build(table_vectors(table), metadata, directory, fingerprint=fingerprint, ids=ids)
    if "file" in table.column_names:
        record_roots(index.directory, {name for name in table.column("file").unique().to_pylist() if name})
    return index


def _channels(source: Input) -> int:
    return audio.as_waveform(*source).shape[0] if isinstance(source, tuple) else audio.probe(source).channels
