"""Rows of recordings: damage against a computation sample by sample, their order, and the files they are written to."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts.audio import AudioInfo
from contrastive_artifacts.core import files
from contrastive_artifacts.scan.results import write_results
from contrastive_artifacts.scan.summary import FileSummary, ordered, summary, total_line, write_summaries
from contrastive_artifacts.scan.timeline import Segment, Timeline

RATE = 1000


def info(name: str = "a.wav", streams: int = 1) -> AudioInfo:
    return AudioInfo(Path(name), RATE, 2, 1000, "pcm_16", "wav", 0, streams)


def timeline(*segments: Segment, samples: int = 1000) -> Timeline:
    return Timeline(Path("a.wav"), RATE, samples, segments, ("hum", "hiss", "clicks"))


def test_damage_is_the_worst_severity_of_each_moment_over_the_recording() -> None:
    rng = np.random.default_rng(0)
    segments, worst = [], np.zeros(1000)
    marked = np.zeros(1000, bool)
    for number in range(40):
        start = int(rng.integers(0, 980))
        stop = start + int(rng.integers(1, 20))
        severity = None if number % 5 == 0 else float(rng.random())
        segments.append(Segment(start, stop, "hum" if number % 3 else "hiss", severity, 0.9, number % 2))
        worst[start:stop] = np.maximum(worst[start:stop], 0.5 if severity is None else severity)
        marked[start:stop] = True
    row = summary(timeline(*segments), info(), "a.wav")
    assert row.damage == pytest.approx(worst.mean(), abs=1e-12)
    assert row.marked_s == pytest.approx(marked.sum() / RATE)
    assert row.marked_share == pytest.approx(marked.mean())
    assert row.counts == {"hiss": 14, "hum": 26}
    assert row.severities["hum"] == max(s.severity or 0 for s in segments if s.label == "hum")
    assert (row.segments, row.channels, row.duration_s) == (40, 2, 1.0)


def test_a_clean_recording_has_no_damage() -> None:
    row = summary(timeline(), info(), "a.wav")
    assert (row.damage, row.marked_s, row.segments, row.worst, row.scanned) == (0, 0, 0, "", True)


def test_the_order_is_unreadable_first_then_by_damage() -> None:
    rows = [
        FileSummary("clean.wav", "", 0, duration_s=1),
        FileSummary("mild.wav", "", 0, duration_s=1, damage=0.1, marked_s=1),
        FileSummary("b.wav", "", 0, duration_s=1, damage=0.3, marked_s=0.4),
        FileSummary("a.wav", "", 0, duration_s=1, damage=0.3, marked_s=0.4),
        FileSummary("longer.wav", "", 0, duration_s=1, damage=0.3, marked_s=0.5),
        FileSummary("bad.wav", "", reason="empty"),
        FileSummary("a.wav", "", 1, duration_s=1, damage=0.3, marked_s=0.4),
    ]
    names = ["bad.wav", "longer.wav", "a.wav", "a.wav", "b.wav", "mild.wav", "clean.wav"]
    assert [row.path for row in ordered(rows)] == [row.path for row in ordered(rows[::-1])] == names
    assert [row.stream for row in ordered(rows)][2:4] == [0, 1]


def test_files_of_all_recordings(tmp_path: Path) -> None:
    hum, mine = Segment(100, 200, "hum", 0.8, 0.9), Segment(0, 1000, "=mine", None, 0.7, 1)
    rows = [FileSummary("bad.wav", "bad.wav", reason="it is empty")]
    for name, segments in {"b.wav": [mine, hum], "=a.wav": [hum], "c.wav": []}.items():
        result = timeline(*segments)
        write_results(result, tmp_path / "x" / name)
        rows.append(summary(result, info(name), name, f"x/{name}"))
    write_summaries(rows, ["hum", "hiss", "=mine"], tmp_path)
    with open(tmp_path / "files.csv", newline="") as stream:
        table = [files.from_inert(row) for row in csv.DictReader(stream)]
    assert [row["path"] for row in table] == ["bad.wav", "b.wav", "=a.wav", "c.wav"]
    assert (table[0]["status"], table[0]["reason"], table[0]["damage"], table[0]["hum"]) == (
        "failed",
        "it is empty",
        "",
        "",
    )
    assert (table[1]["hum"], table[1]["'=mine"], table[1]["hiss"], table[1]["worst"]) == ("1", "1", "0", "hum")
    assert (table[2]["damage"], table[2]["marked_share"], table[2]["results"]) == ("0.080000", "0.100000", "x/=a.wav")
    entries = json.loads((tmp_path / "files.json").read_text())
    assert [entry["path"] for entry in entries] == [row["path"] for row in table]
    assert entries[1]["counts"] == {"=mine": 1, "hum": 1}
    with open(tmp_path / "segments.csv", newline="") as stream:
        segments = [files.from_inert(row) for row in csv.DictReader(stream)]
    assert [(s["path"], s["label"], s["start"], s["severity"]) for s in segments] == [
        ("b.wav", "=mine", "0", ""), ("b.wav", "hum", "100", "0.8000"), ("=a.wav", "hum", "100", "0.8000"),
    ]  # fmt: skip
    line = total_line(rows)
    assert "\n" not in line
    assert line == "4 scans, 1 failed, 0.00 h, 3 segments in 2 recordings, 1.1 s marked (36.7 %), worst b.wav"
