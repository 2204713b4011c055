"""The page of a timeline; its HTML, styles and script are in ``scan/timeline/``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...core import files
from ...core.html import build_page
from ..marks import Mark, Segment
from ..measured import Finding, facts

if TYPE_CHECKING:
    from ..timeline import Timeline

_FOLDER = __name__.replace("formats.page", "timeline")


def write_html(timeline: Timeline, path: str | Path) -> None:
    """A page that opens from disk without a network: one lane per artifact or kind of finding, and the facts."""
    name = Path(timeline.path).name + (f", audio stream {timeline.stream}" if timeline.streams > 1 else "")
    data = {
        "name": name,
        "sample_rate": timeline.sample_rate,
        "samples": timeline.samples,
        "lanes": [list(lane) for lane in _lanes(timeline.segments, timeline.findings, timeline.labels)],
        "segments": [[s.start, s.stop, s.label, s.severity, s.confidence, s.channel] for s in timeline.segments],
        "findings": [[f.start, f.stop, f.kind, f.text, f.channel] for f in timeline.findings],
        "facts": [] if timeline.measured is None else [list(fact) for fact in facts(timeline.measured)],
        "no_data": [list(span) for span in timeline.no_data],
        "out_of_phase": [list(span) for span in timeline.out_of_phase],
        "timecodes": _timecodes(timeline),
    }
    files.write_text(path, build_page(_FOLDER, "timeline", f"{name} – artifacts", {"data": data}))


def _timecodes(timeline: Timeline) -> list[list[str]] | None:
    """Of the first frame and after the last frame of each segment, then of each finding; None without a time code."""
    if timeline.timecode is None:
        return None
    marks: list[Mark] = [*timeline.segments, *timeline.findings]
    return [list(timeline.timecode.span(mark.start, mark.stop, timeline.sample_rate)) for mark in marks]


def _lanes(
    segments: Sequence[Segment], findings: Sequence[Finding], labels: Sequence[str]
) -> list[tuple[str, int | None]]:
    """(label, channel) of each lane: labels in their order, channels of a label together; findings; empty labels."""
    known = [*labels, *sorted({s.label for s in segments} - set(labels))]
    heard = {(s.label, s.channel) for s in segments}
    measured = {(f.kind, f.channel) for f in findings}
    kinds = sorted({kind for kind, _ in measured})
    full = [
        (label, channel)
        for names, occurring in ((known, heard), (kinds, measured))
        for label in names
        for _, channel in sorted(
            (pair for pair in occurring if pair[0] == label), key=lambda pair: -1 if pair[1] is None else pair[1]
        )
    ]
    return full + [(label, None) for label in known if label not in {name for name, _ in heard}]
