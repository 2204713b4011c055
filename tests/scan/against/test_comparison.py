"""Faults of two copies are joined where they touch."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from contrastive_artifacts.scan.against import Alignment, compare
from contrastive_artifacts.scan.timeline import Segment, Timeline

LINE = Alignment(
    offset_s=2.0, speed=1.0, jitter_ms=0.0, agreeing=1.0, gain_db=-3.0, inverted=True, difference_db=-31.0,
    octaves_db={500: 0.1, 8000: -12.0}, start_s=0.0, stop_s=60.0,
)  # fmt: skip


def timeline(rate: int, *segments: tuple[float, float, str, float | None]) -> Timeline:
    marks = tuple(
        Segment(round(start * rate), round(stop * rate), label, severity, 0.9)
        for start, stop, label, severity in segments
    )
    return Timeline(Path(f"{rate}.wav"), rate, 70 * rate, marks, ("hum", "clicks"))


def test_what_both_have_is_in_the_carrier() -> None:
    a = timeline(100, (5, 10, "hum", 0.5), (20, 21, "clicks", 0.4), (65, 66, "hum", 0.3))
    b = timeline(250, (8, 13, "hum", 0.7), (42, 43, "clicks", None))
    faults = compare(a, b, LINE).faults
    assert [(f.start_s, f.stop_s, f.label, f.copies) for f in faults] == [
        (5, 11, "hum", "both"),  # 6 to 11 s of B
        (20, 21, "clicks", "only A"),
        (40, 41, "clicks", "only B"),
    ]  # the hum at 65 s lies beyond the end of B
    assert [(f.severity_a, f.severity_b) for f in faults] == [(0.5, 0.7), (0.4, None), (None, None)]


def test_neighbours_of_another_label_are_other_faults() -> None:
    a = timeline(100, (5, 10, "hum", 0.5))
    b = timeline(100, (7, 12, "clicks", 0.7))
    assert [f.copies for f in compare(a, b, LINE).faults] == ["only A", "only B"]


def test_the_sides_can_be_exchanged() -> None:
    a, b = timeline(100, (5, 10, "hum", 0.5), (20, 21, "clicks", 0.4)), timeline(100, (8, 13, "hum", 0.7))
    mirrored = replace(LINE, offset_s=-2.0, start_s=2.0, stop_s=62.0)
    there, back = compare(a, b, LINE).faults, compare(b, a, mirrored).faults
    sides = {"both": "both", "only A": "only B", "only B": "only A"}
    assert [(f.start_s + 2, f.label, sides[f.copies], f.severity_b, f.severity_a) for f in there] == [
        (f.start_s, f.label, f.copies, f.severity_a, f.severity_b) for f in back
    ]


def test_files_and_sentences(tmp_path: Path) -> None:
    comparison = compare(timeline(100, (5, 10, "hum", 0.5)), timeline(100, (8, 13, "hum", 0.7)), LINE)
    comparison.to_csv(tmp_path / "x.csv")
    comparison.to_json(tmp_path / "x.json")
    with open(tmp_path / "x.csv", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row == {
        "start_s": "5.000", "stop_s": "11.000", "label": "hum", "copies": "both",
        "severity_a": "0.5000", "severity_b": "0.7000", "measured": "false",
    }  # fmt: skip
    value = json.loads((tmp_path / "x.json").read_text())
    assert value["schema"] == 1
    assert value["alignment"]["octaves_db"] == {"500": 0.1, "8000": -12.0}
    assert value["faults"][0]["copies"] == "both"
    text = " ".join(comparison.sentences())
    assert "B begins 2.0000 s before A; they share 60.0 s." in text
    assert "A is -3.0 dB against B, with inverted polarity; what differs is -31 dB of A." in text
    assert "-12 dB at 8 kHz." in text
    assert "In both (the carrier): hum (1)." in text
    assert "Only in B: nothing." in text


@pytest.mark.parametrize(("offset", "words"), [(-1.5, "begins 1.5000 s after the start of A"), (0.0, "begins with A")])
def test_where_the_other_begins(offset: float, words: str) -> None:
    comparison = compare(timeline(100), timeline(100), replace(LINE, offset_s=offset, octaves_db={}))
    assert words in comparison.sentences()[0]
