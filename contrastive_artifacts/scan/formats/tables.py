"""Tables of one row per mark: CSV, Parquet and selection tables of Raven."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ...core import files
from ...core.console import printable
from ..marks import Mark, Note, Segment, name_of, one_line
from ..measured import Finding
from .document import SCHEMA

if TYPE_CHECKING:
    from ..timeline import Timeline

_COLUMNS = (
    *("start", "stop", "start_s", "stop_s", "label", "severity", "confidence", "channel", "measured", "value", "unit"),
)
_TIMECODE = ("start_timecode", "stop_timecode")
_PARQUET = {
    "start": pa.int64(),
    "stop": pa.int64(),
    "start_s": pa.float64(),
    "stop_s": pa.float64(),
    "label": pa.string(),
    "severity": pa.float64(),
    "confidence": pa.float64(),
    "channel": pa.int32(),
    "measured": pa.bool_(),
    "value": pa.float64(),
    "unit": pa.string(),
    **dict.fromkeys(_TIMECODE, pa.string()),
}
_RAVEN = (
    *("Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"),
    *("Annotation", "Severity", "Confidence", "Measured"),
)


def write_csv(timeline: Timeline, path: str | Path) -> None:
    """One row per segment, measured finding or note; positions in samples and in seconds, to the microsecond.

    Channels count from 0. Notes are ranges labelled "no data" and "out of phase". These and findings have "true" in
    the column ``measured``, and no severity and no confidence; findings have a value and its unit instead. With a time
    code, two more columns hold that of the first frame and of the frame after the last one.
    """
    columns = _columns(timeline)
    rows = ([_cell(name, value) for name, value in _row(timeline, mark).items()] for mark in timeline.marks)
    files.write_csv(path, [columns, *rows])


def write_parquet(timeline: Timeline, path: str | Path) -> None:
    """The table of :func:`write_csv`, with null for an empty cell.

    The metadata of its schema have ``contrastive_artifacts``: JSON with the version of the schema, the recording
    (path, stream, sample_rate, samples) and the labels that the encoder knows.
    """
    facts = {
        "schema": SCHEMA,
        "path": printable(str(timeline.path)),
        "stream": timeline.stream,
        "sample_rate": timeline.sample_rate,
        "samples": timeline.samples,
        "labels": list(timeline.labels),
    }
    fields = [(name, _PARQUET[name]) for name in _columns(timeline)]
    schema = pa.schema(fields, metadata={"contrastive_artifacts": json.dumps(facts)})
    table = pa.Table.from_pylist([_row(timeline, mark) for mark in timeline.marks], schema)
    with files.atomic_path(path) as temporary:
        pq.write_table(table, temporary)


def write_raven(timeline: Timeline, path: str | Path) -> None:
    """A selection table of Raven (Cornell Lab of Ornithology): File > Open Selection Table, beside the recording.

    Every selection covers the whole band. Channels count from 1; a mix, or all channels, is channel 1.
    """
    rows = [_RAVEN, *(_raven_row(timeline, number, mark) for number, mark in enumerate(timeline.marks, start=1))]
    files.write_text(path, "".join("\t".join(map(str, row)) + "\n" for row in rows))


def _columns(timeline: Timeline) -> tuple[str, ...]:
    return _COLUMNS if timeline.timecode is None else (*_COLUMNS, *_TIMECODE)


def _row(timeline: Timeline, mark: Mark) -> dict[str, Any]:
    """The columns of a mark; None where it has no such thing."""
    row = dict.fromkeys(_columns(timeline)) | {
        "start": mark.start,
        "stop": mark.stop,
        "start_s": mark.start / timeline.sample_rate,
        "stop_s": mark.stop / timeline.sample_rate,
        "label": name_of(mark),
        "channel": mark.channel,
        "measured": not isinstance(mark, Segment),
    }
    if isinstance(mark, Finding):
        row |= {"value": mark.value, "unit": mark.unit}
    elif isinstance(mark, Segment):
        row |= {"severity": mark.severity, "confidence": mark.confidence}
    if timeline.timecode is not None:
        row |= zip(_TIMECODE, timeline.timecode.span(mark.start, mark.stop, timeline.sample_rate), strict=True)
    return row


def _cell(name: str, value: Any) -> Any:
    if value is None:
        return ""
    if name in ("start_s", "stop_s"):
        return f"{value:.6f}"
    if name in ("severity", "confidence"):
        return f"{value:.4f}"
    if name == "value":
        return f"{value:g}"
    return str(value).lower() if name == "measured" else value


def _raven_row(timeline: Timeline, number: int, mark: Mark) -> list[object]:
    seconds = [f"{at / timeline.sample_rate:.6f}" for at in (mark.start, mark.stop)]
    severity = f"{mark.severity:.4f}" if isinstance(mark, Segment) and mark.severity is not None else ""
    confidence = f"{mark.confidence:.4f}" if isinstance(mark, Segment) else ""
    measured = "" if isinstance(mark, Segment) else "true" if isinstance(mark, Note) else mark.text
    place = [number, "Spectrogram 1", 1 if mark.channel is None else mark.channel + 1]
    band = ["0.0", f"{timeline.sample_rate / 2:.1f}"]
    return [*place, *seconds, *band, one_line(name_of(mark)), severity, confidence, measured]
