"""Hits as people want them: spans of recordings, those that overlap joined, with time codes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core import files
from ...core.errors import ParameterError
from ...scan.timeline import clock
from ..index import Hit, Index, Where

_PLACE = ("corpus", "clip", "channel", "artifact", "params", "sample_rate")  # rows that differ in one never overlap
_MOST_ROWS = 50_000  # that one search looks at: where they are fewer than k spans, fewer are found


@dataclass(frozen=True)
class Found:
    """A span that sounds like the query.

    Attributes:
        score: Cosine of its best row.
        start, stop: Samples ``[start, stop)`` at ``sample_rate``, over all its rows.
        sample_rate: Of the recording, in Hz.
        ids: Of its rows in the index, the best one first.
        metadata: Of the best row.
    """

    score: float
    start: int
    stop: int
    sample_rate: int
    ids: tuple[int, ...]
    metadata: dict[str, Any]

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
) -> list[Found]:
    """The ``k`` spans nearest to ``vector`` [D], best first; fewer when there are no more.

    Rows come in by score. One that overlaps or touches a span of its recording (same channel, same rendering) extends
    it, and the search ends with the row that would open span ``k + 1``, or after 50,000 rows.

    Args:
        where, exclude: See :meth:`contrastive_artifacts.Index.search`.

    Raises:
        ParameterError: as the search of the index, or an index whose rows say no place.
    """
    lacking = {"clip", "start", "stop", "sample_rate"} - set(index.metadata.column_names)
    if lacking:
        raise ParameterError(f"{index.directory} has no columns {', '.join(sorted(lacking))}: its rows are no spans.")
    fetched = min(4 * k + 16, max(1, len(index)))
    while True:
        hits = index.search(vector, fetched, where, exclude)
        spans, complete = _joined(hits, k)
        if complete or len(hits) < fetched or fetched >= min(len(index), _MOST_ROWS):
            return spans
        fetched = min(4 * fetched, len(index), _MOST_ROWS)


def _joined(hits: list[Hit], k: int) -> tuple[list[Found], bool]:
    """Up to ``k`` spans of hits in the order of their scores, and whether one more was seen to begin."""
    spans: list[_Span] = []
    for hit in hits:
        facts = hit.metadata
        place = tuple(facts.get(name) for name in _PLACE)
        start, stop = facts["start"], facts["stop"]
        # What was joined has no gaps, so its ends tell what overlaps it.
        near = [n for n, s in enumerate(spans) if max(start, s.start) <= min(stop, s.stop) and s.place == place]
        if not near:
            if len(spans) == k:
                return [_found(span.hits) for span in spans], True
            spans.append(_Span(place, start, stop, [hit]))
            continue
        first, *rest = near
        for n in [None, *reversed(rest)]:  # a row between two spans makes them one
            added = _Span(place, start, stop, [hit]) if n is None else spans.pop(n)
            own = spans[first]
            own.start, own.stop = min(own.start, added.start), max(own.stop, added.stop)
            own.hits += added.hits
    return [_found(span.hits) for span in spans], False


@dataclass
class _Span:
    place: tuple[Any, ...]
    start: int
    stop: int
    hits: list[Hit]


def _found(span: list[Hit]) -> Found:
    best = min(span, key=lambda hit: (-hit.score, hit.id))
    start, stop = min(h.metadata["start"] for h in span), max(h.metadata["stop"] for h in span)
    ids = tuple(h.id for h in sorted(span, key=lambda hit: (-hit.score, hit.id)))
    return Found(best.score, start, stop, best.metadata["sample_rate"], ids, best.metadata)


def is_unknown(value: Any) -> bool:
    """Whether a value of a row is missing: None, or NaN, as the severity of a label that users added."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def write_hits_csv(path: str | Path, found: list[Found]) -> None:
    """One row a span: rank, score, recording, place in samples and seconds, and what is known or was heard there."""
    columns = ["file", "clip", "channel", "source", "corpus", "artifact", "severity"]
    columns += ["heard", "heard_severity", "heard_probability"]
    known = [name for name in columns if any(name in span.metadata for span in found)]
    rows: list[list[Any]] = [["rank", "score", "start", "stop", "sample_rate", "start_s", "stop_s", *known]]
    for rank, span in enumerate(found, start=1):
        seconds = [f"{at / span.sample_rate:.6f}" for at in (span.start, span.stop)]
        facts = [span.metadata.get(name) for name in known]
        place = [span.start, span.stop, span.sample_rate, *seconds]
        rows.append([rank, f"{span.score:.6f}", *place, *("" if is_unknown(fact) else fact for fact in facts)])
    files.write_csv(path, rows)
