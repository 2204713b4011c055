"""Decisions on the findings of a timeline, in a journal of labels."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa

from ...core.errors import ParameterError
from ...probes.labels import KEEP, REJECT, Labels
from ...scan.formats.page import marks_of
from ...scan.timeline import Segment, Timeline

CORPUS = "scan"  # of the addresses of findings


class Decisions:
    """Keeps and rejects the findings of one timeline; each act is stored before the call returns.

    A finding is the row of a label: the place of its sound, and in ``params`` the name of the finding, since several
    findings may lie in one place.

    Args:
        timeline: Its findings are numbered from 0, in the order of the page.
        labels: Store of the labels.
    """

    def __init__(self, timeline: Timeline, labels: Labels) -> None:
        self._labels, self._lock, self._acts = labels, threading.Lock(), 0
        self._rows = [_row(timeline, number, mark) for number, mark in enumerate(marks_of(timeline))]
        names = ("corpus", "clip", "artifact", "params", "start", "stop", "sample_rate")
        columns: dict[str, Any] = {name: [row[name] for row in self._rows] for name in names}
        channels = pa.array([row["channel"] for row in self._rows], pa.int32())
        self._table = pa.table({**columns, "channel": channels}) if self._rows else None

    def in_force(self) -> list[tuple[int, str]]:
        """Number of a finding and "keep" or "reject", of those with a decision."""
        if self._table is None:
            return []
        labels = self._labels.matching(self._table)
        return [(n, label.action) for n, label in sorted(labels.items()) if label.action in (KEEP, REJECT)]

    def add(self, finding: int, decision: str) -> list[tuple[int, str]]:
        """Stores a decision and returns those in force.

        Raises:
            ParameterError: there is no such finding, or another decision than "keep" or "reject".
            StorageError: it could not be stored; nothing has changed.
        """
        if not 0 <= finding < len(self._rows):
            raise ParameterError(f"There is no finding {finding}: they are numbered 0 to {len(self._rows) - 1}.")
        if decision not in (KEEP, REJECT):
            raise ParameterError(f"decision={decision!r} is neither {KEEP!r} nor {REJECT!r}.")
        with self._lock:
            self._labels.add([self._rows[finding]], decision)
            self._acts += 1
            return self.in_force()

    def undo(self) -> tuple[list[tuple[int, str]], int]:
        """Undoes the last act since the page is served; those in force, and the finding of the act, or -1 for none."""
        with self._lock:
            if not self._acts:
                return self.in_force(), -1
            (finding,) = self._labels.undo()
            self._acts -= 1
            return self.in_force(), finding


def _row(timeline: Timeline, number: int, mark: Any) -> dict[str, Any]:
    path = Path(timeline.path)
    name = (mark.label if isinstance(mark, Segment) else mark.kind).replace(" ", "_")
    return {
        "id": number,
        "corpus": CORPUS,
        "clip": path.name if timeline.streams == 1 else f"{path.name}#{timeline.stream}",
        "source": path.name,
        "file": str(path.resolve()),
        "channel": mark.channel,
        "start": mark.start,
        "stop": mark.stop,
        "sample_rate": timeline.sample_rate,
        "artifact": "",
        "heard": name,
        "params": json.dumps({"finding": name}),
    }
