"""Retrieval by similarity: hits that overlap in a recording are joined to one, with time codes."""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...core import files
from ...core.errors import ParameterError, StorageError
from ...scan.timeline import clock
from ..index import Hit, Index, Where, check_k

_PLACE = ("corpus", "clip", "channel", "artifact", "params", "sample_rate")  # rows that differ in one never overlap
_NUMBERS = ("severity", "heard_severity", "heard_probability")
_TEXTS = ("clip", "corpus", "artifact", "heard", "source", "file")
MOST_HZ = 10_000_000
_MOST_ROWS = 50_000  # fetched by one search at most: where they join to fewer than k spans, fewer are returned
_checked: weakref.WeakSet[Index] = weakref.WeakSet()  # an open index does not change: one check is enough


@dataclass(frozen=True)
class SpanHit(Hit):
    """A span of a recording that is similar to the query: one row of the index, or several that overlap.

    Attributes:
        id: Of the best row.
        score: Cosine of the best row.
        metadata: Of the best row.
        start, stop: Samples ``[start, stop)`` at ``sample_rate``, over all rows.
        sample_rate: Of the recording, in Hz.
        ids: Of all rows, the best one first.
    """

    start: int
    stop: int
    sample_rate: int
    ids: tuple[int, ...]

    @property
    def time(self) -> str:
        """``hh:mm:ss.mmm - hh:mm:ss.mmm``."""
        return f"{clock(self.start, self.sample_rate)} - {clock(self.stop, self.sample_rate)}"

    @property
    def name(self) -> str:
        """Recording and, where one was embedded alone, channel (counted from 1)."""
        channel = self.metadata.get("channel")
        return f"{self.metadata['clip']}{'' if channel is None else f' channel {channel + 1}'}"


def retrieve(
    index: Index, vector: np.ndarray, k: int = 10, where: Where | None = None, exclude: Where | None = None
) -> list[SpanHit]:
    """The ``k`` spans most similar to ``vector`` [D], best first; fewer when there are no more.

    Hits of the index are taken in the order of their scores. A hit that overlaps or touches a span of the same
    recording (same channel, same rendering) extends it. The search ends at the hit that would open span ``k + 1``, or
    after 50,000 hits.

    Args:
        where, exclude: See :meth:`contrastive_artifacts.Index.search`.

    Raises:
        ParameterError: as the search of the index, or an index whose rows have no place in a recording.
        StorageError: as :func:`check_places`.
    """
    check_places(index)
    check_k(k)
    fetched = min(4 * k + 16, max(1, len(index)))
    while True:
        hits = index.search(vector, fetched, where, exclude)
        spans, complete = _joined(hits, k)
        if complete or len(hits) < fetched or fetched >= min(len(index), _MOST_ROWS):
            return spans
        fetched = min(4 * fetched, len(index), _MOST_ROWS)


def check_places(index: Index) -> None:
    """Checks that every row of an index has a place in a recording that can be read and shown.

    Raises:
        ParameterError: the index has no columns of places.
        StorageError: a sample rate, a span, a channel or a stream out of range, or a column of another type.
    """
    if index in _checked:
        return
    table = index.metadata
    if missing := {"clip", "start", "stop", "sample_rate"} - set(table.column_names):
        raise ParameterError(
            f"{index.location} has no columns {', '.join(sorted(missing))}: its rows are not windows of recordings. "
            "Give an index of scripts/embed.py or of a probed run."
        )
    for names, fits, kind in (
        (("start", "stop", "sample_rate", "channel", "stream"), _is_whole, "whole numbers"),
        (_NUMBERS, _is_number, "numbers"),
        (_TEXTS, _is_text, "texts"),
    ):
        for name in names:
            if name in table.column_names and not fits(table.schema.field(name).type):
                column_type = table.schema.field(name).type
                raise StorageError(f"{index.location}: column {name} holds {column_type}, not {kind}; index again.")
    start, stop, rate = (table.column(name).cast(pa.int64()) for name in ("start", "stop", "sample_rate"))
    length = pc.subtract(stop, start)
    rules = {
        f"a sample_rate outside 1 to {MOST_HZ}": pc.and_(pc.greater(rate, 0), pc.less_equal(rate, MOST_HZ)),
        "a start outside 0 to 2**53": pc.and_(pc.greater_equal(start, 0), pc.less_equal(start, 1 << 53)),
        "a stop that is not after its start, or a day later": pc.and_(
            pc.greater(length, 0), pc.less_equal(length, pc.multiply(rate, 86400))
        ),
        "no clip": pc.is_valid(table.column("clip")),
    }
    for name in {"channel", "stream"} & set(table.column_names):
        number = table.column(name)
        in_range = pc.and_(pc.greater_equal(number, 0), pc.less(number, 1 << 16))
        rules[f"a {name} outside 0 to 65535"] = pc.or_(pc.is_null(number), pc.fill_null(in_range, False))
    for problem, good in rules.items():
        bad = np.flatnonzero(~np.asarray(pc.fill_null(good, False).to_numpy(), dtype=bool))
        if len(bad):
            raise StorageError(
                f"{index.location}: {len(bad)} rows have {problem}; the first has the id {index.ids[bad[0]]}. "
                "Index again."
            )
    _checked.add(index)


def _is_whole(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_null(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or _is_whole(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind))


def _joined(hits: list[Hit], k: int) -> tuple[list[SpanHit], bool]:
    """Up to ``k`` spans of hits in the order of their scores, and whether one more hit would open another."""
    spans: list[_Span] = []
    for hit in hits:
        metadata = hit.metadata
        place = tuple(metadata.get(name) for name in _PLACE)
        start, stop = metadata["start"], metadata["stop"]
        # A span has no gaps, so its ends decide what overlaps it.
        near = [n for n, s in enumerate(spans) if max(start, s.start) <= min(stop, s.stop) and s.place == place]
        if not near:
            if len(spans) == k:
                return [span.joined() for span in spans], True
            spans.append(_Span(place, start, stop, [hit]))
            continue
        first, *rest = near
        for n in [None, *reversed(rest)]:  # a hit between two spans joins them to one
            added = _Span(place, start, stop, [hit]) if n is None else spans.pop(n)
            span = spans[first]
            span.start, span.stop = min(span.start, added.start), max(span.stop, added.stop)
            span.hits += added.hits
    return [span.joined() for span in spans], False


@dataclass
class _Span:
    """A span while hits are joined to it."""

    place: tuple[Any, ...]
    start: int
    stop: int
    hits: list[Hit]

    def joined(self) -> SpanHit:
        hits = sorted(self.hits, key=lambda hit: (-hit.score, hit.id))
        best, ids = hits[0], tuple(hit.id for hit in hits)
        start, stop = min(hit.metadata["start"] for hit in hits), max(hit.metadata["stop"] for hit in hits)
        return SpanHit(best.id, best.score, best.metadata, start, stop, best.metadata["sample_rate"], ids)


def is_unknown(value: Any) -> bool:
    """Whether a value of a row is missing: None, or NaN, as the severity of a label that users added."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def write_hits_csv(path: str | Path, hits: list[SpanHit]) -> None:
    """One row per hit: rank, score, recording, place in samples and seconds, true labels and verdicts of the probe."""
    columns = ["file", "clip", "channel", "stream", "source", "corpus", "artifact", "severity"]
    columns += ["heard", "heard_severity", "heard_probability", "present"]
    present = [name for name in columns if any(name in hit.metadata for hit in hits)]
    rows: list[list[Any]] = [["rank", "score", "start", "stop", "sample_rate", "start_s", "stop_s", *present]]
    for rank, hit in enumerate(hits, start=1):
        seconds = [f"{at / hit.sample_rate:.6f}" for at in (hit.start, hit.stop)]
        values = [hit.metadata.get(name) for name in present]
        place = [hit.start, hit.stop, hit.sample_rate, *seconds]
        rows.append([rank, f"{hit.score:.6f}", *place, *("" if is_unknown(value) else value for value in values)])
    files.write_csv(path, rows)
