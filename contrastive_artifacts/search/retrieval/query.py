"""Queries as one vector: the mean of examples, the difference of two examples, or the mean of a label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ... import audio
from ...core.errors import ParameterError
from ...core.vectors import unit_rows
from ...embedding.embedder import Embedding, Input
from ...probes.label_sets import COLUMNS, names_of
from ..index import Index

_SHORTEST = 1e-4  # length of a difference of unit vectors below which its direction is rounding


class Encoder(Protocol):
    """The part of an encoder that a query needs."""

    @property
    def fingerprint(self) -> str: ...

    def embed(self, source: Input, channel: int | None = None, stream: audio.Stream = None) -> Embedding: ...


def of_span(encoder: Encoder, path: str | Path, start_s: float = 0.0, stop_s: float | None = None) -> np.ndarray:
    """The vector of a file, or of a span of it in seconds: the unit mean of its windows, float32 [D].

    Raises:
        AudioError: it cannot be read, or ends before the span begins.
        ParameterError: a span that is empty or begins before the file.
    """
    if start_s == 0.0 and stop_s is None:
        return encoder.embed(path).clip
    rate = audio.probe(path).sample_rate
    start, stop = round(start_s * rate), None if stop_s is None else round(stop_s * rate)
    return encoder.embed(audio.read(path, start, stop)).clip


def mean_of(vectors: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Several examples as one query: the unit mean, float32 [D], of vectors [D]; their lengths do not count.

    Raises:
        ParameterError: no vectors, or a mean of length zero.
    """
    if not len(vectors):
        raise ParameterError("There is no example to search by; give at least one.")
    unit = unit_rows(np.stack([np.asarray(v, np.float64) for v in vectors]), np.float64)
    return _direction(unit.mean(axis=0), "the examples cancel out")


def unlike(like: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The direction from ``other`` to ``like``, both [D], as a unit vector float32 [D]: like this but not like that.

    From the embedding of a clean clip to that of its damaged twin this is the change by the damage, for any sound: a
    search by it ranks rows by how far they lie in that direction.

    Raises:
        ParameterError: the two are equal.
    """
    like, other = (unit_rows(np.asarray(v, np.float64), np.float64) for v in (like, other))
    return _direction(like - other, "the two are alike to this encoder")


def of_label(index: Index, label: str) -> np.ndarray:
    """A label as a query: the unit mean of the rows that have it, alone or among others; true or given by the probe.

    Raises:
        ParameterError: no row has it; the message lists the labels of the index.
    """
    labels: list[str] = []
    for column in COLUMNS:
        if column in index.metadata.column_names:
            ids = index.matching({column: label})
            if len(ids):
                return mean_of(index.vectors(ids))
            values = index.metadata.column(column).unique().to_pylist()
            labels += [name for value in values for name in names_of(str(value or ""))]
    raise ParameterError(f"No row of {index.location} is labelled {label!r}; there are {sorted(set(labels))}.")


def sources_of(index: Index, paths: Sequence[str | Path]) -> list[Any]:
    """The sources, in the index, of recordings on disk: exclude them so that a query does not find itself.

    Recordings are matched by their paths, or by their names where no path matches.
    """
    columns = [name for name in ("file", "clip", "source") if name in index.metadata.column_names]
    if "source" not in columns:
        return []
    full = {str(Path(path).resolve()) for path in paths}
    names = {Path(path).name for path in paths}
    rows = index.metadata.select(columns).group_by(columns).aggregate([]).to_pylist()
    by_path = {row["source"] for row in rows if row.get("file") in full}
    return sorted(by_path or {row["source"] for row in rows if Path(row.get("clip") or "").name in names})


def _direction(vector: np.ndarray, problem: str) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    if not length > _SHORTEST:
        raise ParameterError(f"This query points nowhere: {problem}; give other examples.")
    return (vector / length).astype(np.float32)
