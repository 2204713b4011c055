"""TextGrid of Praat: one interval tier for each artifact, and for each kind of finding, of a channel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...core import files
from ..marks import detail, name_of, one_line

if TYPE_CHECKING:
    from ..timeline import Timeline

Interval = tuple[int, int, str]  # [start, stop) in samples, text


def write_textgrid(timeline: Timeline, path: str | Path) -> None:
    """A text file in Praat's long format; each tier covers the recording with intervals, those without a mark empty.

    Intervals of a tier must not overlap: marks that do are one interval, with both texts.
    """
    marked: dict[str, list[Interval]] = defaultdict(list)
    for mark in timeline.marks:
        channel = "" if mark.channel is None else f" (channel {mark.channel + 1})"
        text = f"{name_of(mark)}: {detail(mark)}" if detail(mark) else name_of(mark)
        marked[name_of(mark) + channel].append((mark.start, min(mark.stop, timeline.samples), text))
    tiers = marked or {"artifacts": []}  # a grid has one tier at least
    head = [
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\n',
        f"xmin = 0\nxmax = {_seconds(timeline.samples, timeline)}\ntiers? <exists>\nsize = {len(tiers)}\nitem []:\n",
    ]
    parts = (_tier(number, name, tiers[name], timeline) for number, name in enumerate(tiers, start=1))
    files.write_text(path, "".join([*head, *parts]))


def _tier(number: int, name: str, marked: Sequence[Interval], timeline: Timeline) -> str:
    intervals = list(_covering(_apart(marked), timeline.samples))
    lines = [
        f"    item [{number}]:",
        '        class = "IntervalTier"',
        f"        name = {_quoted(name)}",
        "        xmin = 0",
        f"        xmax = {_seconds(timeline.samples, timeline)}",
        f"        intervals: size = {len(intervals)}",
    ]
    for count, (start, stop, text) in enumerate(intervals, start=1):
        lines += [
            f"        intervals [{count}]:",
            f"            xmin = {_seconds(start, timeline)}",
            f"            xmax = {_seconds(stop, timeline)}",
            f"            text = {_quoted(text)}",
        ]
    return "".join(line + "\n" for line in lines)


def _apart(marked: Sequence[Interval]) -> list[Interval]:
    """Intervals, which are sorted, with those that overlap joined to one."""
    apart: list[Interval] = []
    for start, stop, text in marked:
        if apart and start < apart[-1][1]:
            before = apart.pop()
            start, stop, text = before[0], max(before[1], stop), f"{before[2]} | {text}"
        if stop > start:
            apart.append((start, stop, text))
    return apart


def _covering(intervals: Sequence[Interval], samples: int) -> Iterator[Interval]:
    """The intervals with empty ones between them, from the first sample to the last."""
    end = 0
    for start, stop, text in intervals:
        if start > end:
            yield end, start, ""
        yield start, stop, text
        end = stop
    if end < samples:
        yield end, samples, ""


def _seconds(sample: int, timeline: Timeline) -> str:
    """Shorter than a sample apart of each other, so that equal samples, and only these, have equal texts."""
    return f"{sample / timeline.sample_rate:.9f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    return '"' + one_line(text).replace('"', '""') + '"'
