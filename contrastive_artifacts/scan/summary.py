"""What is wrong with each of many recordings, in one row a recording, ordered by how much is wrong with it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..audio import AudioInfo
from ..core import files
from .changes import Changes, changes_between, earlier_report, grouped
from .marks import UNKNOWN_SEVERITY
from .results import result_paths
from .timeline import Segment, Timeline

_FIGURES = (
    *("path", "stream", "status", "reason", "damage", "marked_s", "marked_share", "segments", "worst"),
    *("worst_severity", "duration_s", "sample_rate", "channels", "results", "origin"),
)


@dataclass(frozen=True)
class FileSummary:
    """One recording, or one audio stream of it where all of its streams were scanned.

    Attributes:
        path: The recording, as it was named.
        stream: Index of its audio stream; None if it could not be scanned.
        title: The path, with the stream where the recording has several.
        scanned: False if it could not be read, or the scan of it was given up.
        reason: Why; "" if it was scanned.
        duration_s, sample_rate, channels: Of the recording; None if it could not be scanned.
        damage: In [0, 1]: the severity of the worst segment at each moment, 0 where there is none and 0.5 where it is
            unknown, as a mean over the recording: the share of marked time, weighed by severity.
        marked_s: Seconds that lie in a segment, of whatever artifact or channel.
        counts: Artifact -> number of segments.
        severities: Artifact -> severity of its worst segment, where it is known.
        results: Path of its results without ``.artifacts.csv`` and so on, relative to the folder of results.
        origin: Of a recording of archive.org, its name there and why this file of the item was taken; else "".
    """

    path: str
    title: str
    stream: int | None = None
    reason: str = ""
    duration_s: float | None = None
    sample_rate: int | None = None
    channels: int | None = None
    damage: float = 0.0
    marked_s: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)
    severities: Mapping[str, float] = field(default_factory=dict)
    results: str = ""
    origin: str = ""

    @property
    def scanned(self) -> bool:
        return not self.reason

    @property
    def segments(self) -> int:
        return sum(self.counts.values())

    @property
    def marked_share(self) -> float:
        """Share of the recording that lies in a segment, in [0, 1]."""
        return self.marked_s / self.duration_s if self.duration_s else 0.0

    @property
    def worst(self) -> str:
        """The artifact of the largest severity; "" where no severity is known."""
        return max(self.severities, key=lambda name: self.severities[name], default="")

    def figures(self) -> dict[str, Any]:
        """The columns of ``files.csv`` that are the same for all encoders; None where the recording was not scanned."""
        values: dict[str, Any] = {"path": self.path, "stream": self.stream, "status": "failed", "reason": self.reason}
        values["origin"] = self.origin
        if self.scanned:
            values |= asdict(self) | {
                "status": "scanned",
                "segments": self.segments,
                "marked_share": self.marked_share,
                "worst": self.worst,
                "worst_severity": self.severities.get(self.worst),
            }
        return {name: values.get(name) for name in _FIGURES}

    def count(self, label: str) -> int | None:
        """Number of segments of an artifact; None if the recording was not scanned."""
        return self.counts.get(label, 0) if self.scanned else None


def summary(timeline: Timeline, info: AudioInfo, path: str, results: str = "") -> FileSummary:
    """The row of a recording that was scanned; ``path`` and ``results`` are those of :class:`FileSummary`."""
    known: dict[str, float] = {}
    for segment in timeline.segments:
        if segment.severity is not None:
            known[segment.label] = max(segment.severity, known.get(segment.label, 0.0))
    marked, damage = _marked(timeline.segments)
    return FileSummary(
        path=path,
        title=f"{path} stream {info.stream}" if info.streams > 1 else path,
        stream=info.stream,
        duration_s=timeline.duration,
        sample_rate=timeline.sample_rate,
        channels=info.channels,
        damage=damage / timeline.samples,
        marked_s=marked / timeline.sample_rate,
        counts=dict(sorted(Counter(segment.label for segment in timeline.segments).items())),
        severities=dict(sorted(known.items())),
        results=results,
    )


def ordered(rows: Iterable[FileSummary]) -> list[FileSummary]:
    """Those that could not be scanned first, then by damage, then by marked time; equal ones by path and stream."""
    return sorted(rows, key=lambda r: (r.scanned, -r.damage, -r.marked_s, r.path, -1 if r.stream is None else r.stream))


def write_summaries(rows: Sequence[FileSummary], labels: Sequence[str], folder: Path) -> Changes | None:
    """Writes ``files.csv``, ``files.json`` and ``segments.csv``, in the order of the rows.

    Where the folder has a report already, ``changes.csv`` says what differs from it; this is returned as well.

    ``segments.csv`` holds the rows of the recordings' own CSV files, with path and stream before them.
    """
    header = [*_FIGURES, *labels]
    cells = ([*row.figures().values(), *map(row.count, labels)] for row in rows)
    files.write_csv(folder / "files.csv", [header, *([_cell(value) for value in row] for row in cells)])
    files.write_csv(folder / "segments.csv", _segment_rows([row for row in rows if row.scanned], folder))
    entries = [
        {**row.figures(), "counts": row.counts, "severities": row.severities, "state": files.state(row.path)}
        for row in rows
    ]
    before = earlier_report(folder / "files.json")
    changes = None if before is None else changes_between(before, grouped(entries))
    if changes is not None:
        files.write_csv(folder / "changes.csv", changes.rows())
    files.write_json(folder / "files.json", entries)  # last: after a kill, the same changes are written again
    return changes


def total_line(rows: Sequence[FileSummary]) -> str:
    """All of it in one line."""
    failed = sum(not row.scanned for row in rows)
    seconds, marked = sum(row.duration_s or 0.0 for row in rows), sum(row.marked_s for row in rows)
    damaged = [row for row in rows if row.segments]
    share = f" ({100 * marked / seconds:.1f} %)" if seconds else ""
    worst = max(damaged, key=lambda row: row.damage, default=None)
    return (
        f"{len(rows)} scans, {failed} failed, {seconds / 3600:.2f} h, {sum(row.segments for row in rows)} segments in "
        f"{len(damaged)} recordings, {marked:.1f} s marked{share}" + (f", worst {worst.title}" if worst else "")
    )


def _marked(segments: Sequence[Segment]) -> tuple[int, float]:
    """Samples that lie in a segment, and the sum over them of the severity of the worst one."""
    edges = np.unique([edge for segment in segments for edge in (segment.start, segment.stop)])
    worst = np.full(max(edges.size - 1, 0), np.nan)
    for segment in segments:
        start, stop = np.searchsorted(edges, (segment.start, segment.stop))
        severity = UNKNOWN_SEVERITY if segment.severity is None else segment.severity
        worst[start:stop] = np.fmax(worst[start:stop], severity)
    lengths, marked = np.diff(edges), ~np.isnan(worst)
    return int(lengths[marked].sum()), float((lengths * np.nan_to_num(worst)).sum())


def _segment_rows(rows: Sequence[FileSummary], folder: Path) -> Iterator[list[Any]]:
    columns: list[str] = []
    for row in rows:
        with open(result_paths(folder / row.results)["csv"], newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            if not columns:
                columns = list(reader.fieldnames or [])
                yield ["path", "stream", *columns]
            for cells in map(files.from_inert, reader):
                yield [row.path, row.stream, *(cells[column] for column in columns)]


def _cell(value: Any) -> Any:
    return "" if value is None else f"{value:.6f}" if isinstance(value, float) else value
