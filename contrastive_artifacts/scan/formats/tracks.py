"""Tracks of labels beside a recording: Audacity and WebVTT."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...core import files
from ..marks import caption, clock

if TYPE_CHECKING:
    from ..timeline import Timeline


def write_audacity(timeline: Timeline, path: str | Path) -> None:
    """A label track: File > Import > Labels in Audacity, beside the recording; notes and channels as in WebVTT."""
    lines = (
        f"{s.start / timeline.sample_rate:.6f}\t{s.stop / timeline.sample_rate:.6f}\t{caption(s)}\n"
        for s in timeline.marks
    )
    files.write_text(path, "".join(lines))


def write_webvtt(timeline: Timeline, path: str | Path) -> None:
    """Captions for a video player, one cue per mark; channels count from 1, as players do.

    With a time code, a comment (NOTE) before each cue holds it; players do not show comments.
    """
    files.write_text(path, "WEBVTT\n" + "".join(_cues(timeline)))


def _cues(timeline: Timeline) -> Iterator[str]:
    rate = timeline.sample_rate
    for number, mark in enumerate(timeline.marks, start=1):
        if timeline.timecode is not None:
            first, after = timeline.timecode.span(mark.start, mark.stop, rate)
            yield f"\nNOTE time code {first} to {after}\n"
        stop = max(mark.stop, mark.start - (-rate // 1000))  # a cue of less than a millisecond is none
        yield f"\n{number}\n{clock(mark.start, rate)} --> {clock(stop, rate)}\n{_escaped(caption(mark))}\n"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
