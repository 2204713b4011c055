"""TextGrids as another parser reads them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from praatio import textgrid

from contrastive_artifacts.scan.timeline import Segment, Timeline


def read(timeline: Timeline, path: Path) -> textgrid.Textgrid:
    timeline.write(path, "textgrid")
    return textgrid.openTextgrid(str(path), includeEmptyIntervals=True, reportingMode="error")


def test_a_tier_for_each_artifact_and_channel(timeline: Timeline, tmp_path: Path) -> None:
    grid = read(timeline, tmp_path / "t.TextGrid")
    assert (grid.minTimestamp, grid.maxTimestamp) == (0, 5)
    assert set(grid.tierNames) == {
        *("hum", "tape_squeal", "clicks (channel 2)", "digital clipping (channel 2)", "digital silence"),
        *("no data", "out of phase"),
    }
    empty, clicks, rest = grid.getTier("clicks (channel 2)").entries
    assert (empty.start, empty.end, empty.label) == (0, 3.01, "")
    assert (clicks.start, clicks.end) == (3.01, 4)
    assert clicks.label == "clicks: severity 1.00, confidence 0.75, channel 2"
    assert (rest.start, rest.end) == (4, 5)


def test_a_recording_without_marks_has_an_empty_tier(tmp_path: Path) -> None:
    grid = read(Timeline(Path("a.wav"), 8000, 4000), tmp_path / "t.TextGrid")
    assert [(e.start, e.end, e.label) for e in grid.getTier("artifacts").entries] == [(0, 0.5, "")]


def test_quotes_are_doubled_and_lines_joined(tmp_path: Path) -> None:
    timeline = Timeline(Path("a.wav"), 8000, 8000, (Segment(0, 8000, 'a "b"\nc', 0.5, 0.5),))
    assert read(timeline, tmp_path / "t.TextGrid").tierNames == ('a "b" c',)


@given(st.lists(st.tuples(st.integers(0, 44100), st.integers(1, 9000)), max_size=12), st.integers(44100, 44200))
def test_tiers_are_covered_without_overlap_whatever_is_marked(
    tmp_path_factory, places: list[tuple[int, int]], samples: int
) -> None:  # type: ignore[no-untyped-def]
    marks = sorted((start, min(start + length, samples)) for start, length in places)
    segments = tuple(Segment(start, stop, "hum", 0.5, 0.5) for start, stop in marks)
    timeline = Timeline(Path("a.wav"), 44100, samples, segments)
    entries = read(timeline, tmp_path_factory.mktemp("grid") / "t.TextGrid").tiers[0].entries
    assert (entries[0].start, entries[-1].end) == (0, round(samples / 44100, 9))
    assert all(before.end == after.start for before, after in pairwise(entries))
    inside = {n for start, stop in marks for n in range(start, stop)}
    marked = sum(e.end - e.start for e in entries if e.label)
    assert abs(marked - len(inside) / 44100) < 1e-6
