"""JSON: everything that a timeline holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core import files

if TYPE_CHECKING:
    from ..timeline import Timeline

SCHEMA = 1  # increases when a reader of the present files could misread new ones


def write_json(timeline: Timeline, path: str | Path) -> None:
    """All attributes; positions in samples, channels counted from 0. ``docs/timeline.schema.json`` is the schema."""
    value: dict[str, Any] = {
        "schema": SCHEMA,
        "path": str(timeline.path),
        "stream": timeline.stream,
        "streams": timeline.streams,
        "sample_rate": timeline.sample_rate,
        "samples": timeline.samples,
        "duration_s": timeline.duration,
        "labels": list(timeline.labels),
        "segments": [asdict(s) for s in timeline.segments],
        "no_data": [list(span) for span in timeline.no_data],
        "out_of_phase": [list(span) for span in timeline.out_of_phase],
        "measured": None if timeline.measured is None else asdict(timeline.measured),
        "timecode": None,
    }
    if timeline.measured is not None:
        value["measured"]["findings"] = [{**asdict(finding), "measured": True} for finding in timeline.findings]
    if timeline.timecode is not None:
        value["timecode"] = {"rate": str(timeline.timecode.rate), "start": timeline.timecode.text(0)}
    files.write_json(path, value)
