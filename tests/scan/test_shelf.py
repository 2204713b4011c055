"""The report of a shelf: what it says of recordings, in which order, and which sounds it holds."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import StorageError
from contrastive_artifacts.core.html import read_blocks
from contrastive_artifacts.scan.measured import Finding, Measured
from contrastive_artifacts.scan.overview import OverviewMeter
from contrastive_artifacts.scan.results import write_results
from contrastive_artifacts.scan.shelf import report, write_report
from contrastive_artifacts.scan.shelf.sentences import sentences
from contrastive_artifacts.scan.summary import FileSummary, ordered, summary
from contrastive_artifacts.scan.timeline import Segment, Timeline

RATE = 8000
SECONDS = 30


def segment(start_s: float, stop_s: float, label: str, severity: float | None, confidence: float = 0.9) -> Segment:
    return Segment(round(start_s * RATE), round(stop_s * RATE), label, severity, confidence)


def scanned(folder: Path, out: Path, name: str, *segments: Segment, findings: tuple[Finding, ...] = ()) -> FileSummary:
    """A recording in a folder, and its results as a scan writes them."""
    samples = np.random.default_rng(0).normal(0, 0.1, (1, SECONDS * RATE)).astype(np.float32)
    audio.write(folder / name, samples, RATE)
    meter = OverviewMeter(RATE)
    meter.add(samples)
    measured = Measured(findings, None, None, None, None, (0.0,), (), None, None) if findings else None
    labels = ("hum", "clicks", "hiss")
    timeline = Timeline(
        folder / name, RATE, samples.shape[1], segments, labels, measured=measured, overview=meter.overview()
    )
    write_results(timeline, out / name)
    return summary(timeline, audio.probe(folder / name), str(folder / name), name)


@pytest.fixture
def rows(tmp_path: Path) -> list[FileSummary]:
    """Three recordings below "films", one of them clean, and one that cannot be read; results in "out"."""
    films, out = tmp_path / "films", tmp_path / "out"
    clipping = Finding(RATE, RATE + 3, "digital clipping", 3.0, "samples", 0)
    measured = (clipping, Finding(0, RATE // 2, "leader silence", 0.5, "s"))
    return ordered(
        [
            scanned(films, out, "b/a?b.wav", segment(2, 12, "hum", 0.9), segment(3, 3.1, "clicks", 0.4)),
            scanned(films, out, "a.wav", segment(1, 2, "hum", 0.5), segment(4, 5, "squeal", None), findings=measured),
            scanned(films, out, "clean.wav"),
            FileSummary(str(films / "bad.wav"), str(films / "bad.wav"), None, "bad.wav is empty (0 bytes)"),
        ]
    )  # fmt: skip


def data_of(path: Path) -> dict[str, Any]:
    return read_blocks(path, ["data"])["data"]


def test_recordings_are_ordered_by_damage_and_lead_to_their_pages(rows: list[FileSummary], tmp_path: Path) -> None:
    path = write_report(rows, tmp_path / "out")
    data = data_of(path)
    assert path.name == "report.html"
    assert data["root"] == str(tmp_path / "films")
    assert [file["name"] for file in data["files"]] == ["b/a?b.wav", "a.wav", "clean.wav"]
    assert data["files"][0]["page"] == "b/a%3Fb.wav.artifacts.html"
    assert (tmp_path / "out" / "b" / "a?b.wav.artifacts.html").is_file()
    assert data["failed"] == [["bad.wav", "bad.wav is empty (0 bytes)"]]
    high = np.frombuffer(base64.b64decode(data["files"][0]["high"]), np.int8)
    assert (high.size, high.max()) == (480, 127)


def test_faults_have_counts_and_advice(rows: list[FileSummary], tmp_path: Path) -> None:
    faults = {fault["name"]: fault for fault in data_of(write_report(rows, tmp_path / "out"))["faults"]}
    assert {name: (fault["files"], fault["count"]) for name, fault in faults.items()} == {
        "hum": (2, 2),
        "clicks": (1, 1),
        "squeal": (1, 1),
        "digital clipping": (1, 1),
    }
    assert faults["hum"]["atlas"].endswith("/hum_and_buzz.html")
    assert faults["clicks"]["order"] < faults["hum"]["order"]
    assert (faults["squeal"]["order"], faults["squeal"]["place"]) == (None, None)
    assert faults["digital clipping"]["measured"]


def test_lanes_hold_the_worst_severity_of_what_touches(tmp_path: Path) -> None:
    clicks = [segment(10 + 0.02 * n, 10.01 + 0.02 * n, "clicks", n / 10) for n in range(10)]
    row = scanned(tmp_path / "films", tmp_path / "out", "a.wav", *clicks, segment(20, 30, "hum", None))
    data = data_of(write_report([row], tmp_path / "out"))
    names = [fault["name"] for fault in data["faults"]]
    lanes = {names[fault]: rest for fault, *rest in data["files"][0]["lanes"]}
    assert lanes == {"clicks": [10, 0.9, [[160, 163, 0.9]]], "hum": [1, None, [[320, 479, None]]]}


def test_moments_are_the_worst_of_all_recordings(rows: list[FileSummary], tmp_path: Path) -> None:
    data = data_of(write_report(rows, tmp_path / "out"))
    names = [fault["name"] for fault in data["faults"]]
    places = {(n, place[-1]): place for n, file in enumerate(data["files"]) for place in file["places"]}
    moments = [places[tuple(moment)] for moment in data["moments"]]
    assert [(names[place[2]], place[3]) for place in moments] == [
        ("hum", 0.9), ("hum", 0.5), ("squeal", None), ("clicks", 0.4),
    ]  # fmt: skip


def test_sounds_are_those_of_the_pages_and_the_worst_come_first(
    rows: list[FileSummary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_report(rows, tmp_path / "out")
    data = data_of(path)
    places = [place for file in data["files"] for place in file["places"]]
    numbers = sorted({place[5] for place in places})
    assert numbers == list(range(len(numbers))), "each sound is there, and each is used"
    sounds = read_blocks(path, [f"sound{number}" for number in numbers])
    of_recording = read_blocks(tmp_path / "out" / "b" / "a?b.wav.artifacts.html", ["sound0"])
    assert sounds["sound0"] == of_recording["sound0"]
    assert data["sound_bytes"] == sum(map(len, sounds.values()))
    monkeypatch.setattr(report, "PAGE_BYTES", len(sounds["sound0"]) + 10)
    data = data_of(write_report(rows, tmp_path / "out"))
    with_sound = [place for file in data["files"] for place in file["places"] if place[5] >= 0]
    assert {place[3] for place in with_sound} >= {0.9}
    assert data["sound_bytes"] == len(sounds["sound0"])


def test_a_page_of_another_version_is_named(rows: list[FileSummary], tmp_path: Path) -> None:
    (tmp_path / "out" / "a.wav.artifacts.html").write_text("<html>")
    with pytest.raises(StorageError, match=r"a\.wav\.artifacts\.html cannot be read .*scan again"):
        write_report(rows, tmp_path / "out")


def test_a_shelf_of_unreadable_files_has_a_report(tmp_path: Path) -> None:
    data = data_of(write_report([FileSummary("bad.wav", "bad.wav", None, "is empty")], tmp_path))
    assert (data["files"], data["moments"], data["failed"]) == ([], [], [["bad.wav", "is empty"]])


def row(name: str, damage: float, **counts: int) -> FileSummary:
    severities = dict.fromkeys(counts, 0.5)
    return FileSummary(name, name, 0, "", 3600.0, RATE, 1, damage, 3600 * damage, counts, severities, name)


def test_sentences() -> None:
    rows = [
        FileSummary("x", "x", None, "is empty"),
        row("c", 0.5, hum=2, clicks=40),
        row("a", 0.01, hum=1),
        *(row(name, 0.0) for name in "de"),
    ]
    assert sentences(rows, {"c": "tape c"}) == [
        "4 recordings of 4.0 hours in all were scanned; 1 could not be read (see the end of this page).",
        "Artifacts were heard in 2 of them: 43 places, 30.6 minutes or 12.8 % of the time. Nothing was heard in 2.",
        "Most frequent: hum (2 recordings, 3 places), clicks (1 recording, 40 places).",
        "The most damaged recording is tape c, above all by hum.",
        "One recording has 80 % of all damage.",
    ]
    assert sentences(rows[3:], {}) == [
        "2 recordings of 2.0 hours in all were scanned.",
        "No artifact was heard in any of them.",
    ]
