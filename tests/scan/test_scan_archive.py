"""Scans of many recordings: bad ones are rows, a kill costs what was in work, only what changed is scanned again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import ParameterError, StorageError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.data.corpora.archive_org import Recording
from contrastive_artifacts.data.corpora.archive_org import folder as folder_of_items
from contrastive_artifacts.scan import archive, stretches
from contrastive_artifacts.scan.archive import scan_archive
from contrastive_artifacts.scan.formats import DEFAULT, FORMATS
from contrastive_artifacts.scan.inputs import gather
from contrastive_artifacts.scan.options import ScanOptions
from contrastive_artifacts.scan.recordings import Recording as FileToScan
from contrastive_artifacts.scan.recordings import limit_s
from contrastive_artifacts.scan.summary import FileSummary, write_summaries

RATE = 8000
CRASH, HANG, SLOW = 0.95, 0.85, 0.75  # peaks at which the encoder misbehaves


class Loudness:
    """Classifies as "loud" by the share of a window above a level; crashes, hangs or is slow at some peaks."""

    window_s, hop_s, labels = 1.0, 0.5, ("clean", "loud")

    def classify_windows(self, waveforms: list[np.ndarray], sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
        peak = np.array([np.abs(w).max() for w in waveforms])
        if peak.max() > CRASH:
            os.kill(os.getpid(), signal.SIGKILL)
        if peak.max() > HANG:
            time.sleep(1000)
        if peak.max() > SLOW:
            time.sleep(0.5)
        share = np.array([np.mean(np.abs(w) > 0.1) for w in waveforms])
        return np.stack([1 - share, share], 1), np.stack([0 * peak, peak], 1)


def write(path: Path, level: float, start_s: float = 2.0, seconds: float = 4.0) -> Path:
    samples = np.full((1, round(seconds * RATE)), 0.01, np.float32)
    samples[:, round(start_s * RATE) :] = level
    audio.write(path, samples, RATE, subtype="FLOAT")
    return path


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    write(folder / "a.wav", 0.5)
    write(folder / "b" / "a.wav", 0.7)
    write(folder / "clean.wav", 0.01)
    (folder / "empty.wav").touch()
    return folder


def scanned(folder: Path, out: Path, options: ScanOptions | None = None, **more: Any) -> list[FileSummary]:
    settings = {"identity": ["x"], **more}
    return scan_archive(gather([str(folder)]), out, Loudness, options=options or ScanOptions(), **settings)


def written_names(out: Path) -> set[str]:
    return {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file() and p.name != "journal.jsonl"}


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Jobs run here; gives the names of the recordings that are scanned."""
    names: list[str] = []
    scan_recording = archive._scan_recording

    def serial(function: Callable[[Any], Any], jobs: Sequence[Any], *_: object) -> Iterator[tuple[Any, Any]]:
        yield from ((job, function(job)) for job in jobs)

    def logged(*arguments: Any) -> list[FileSummary]:
        names.append(arguments[-1].results)
        return scan_recording(*arguments)

    monkeypatch.setattr(archive.pool, "results", serial)
    monkeypatch.setattr(archive, "_scan_recording", logged)
    return names


def test_rows_are_ordered_and_results_lie_as_the_recordings(films: Path, tmp_path: Path, in_this_process: list) -> None:
    rows = scanned(films, tmp_path / "out")
    assert [Path(row.path).relative_to(films).as_posix() for row in rows] == [
        "empty.wav",
        "b/a.wav",
        "a.wav",
        "clean.wav",
    ]
    assert "is empty (0 bytes)" in rows[0].reason
    assert [row.results for row in rows[1:]] == ["b/a.wav", "a.wav", "clean.wav"]
    assert rows[1].damage == pytest.approx(0.7 * 2 / 4, abs=0.1)
    names = {
        f"{row.results}.artifacts.{suffix}" for row in rows[1:] for suffix in (FORMATS[name].suffix for name in DEFAULT)
    }
    assert written_names(tmp_path / "out") == names


def test_only_what_changed_is_scanned_again(films: Path, tmp_path: Path, in_this_process: list[str]) -> None:
    out = tmp_path / "out"
    before = scanned(films, out)
    assert sorted(in_this_process) == ["a.wav", "b/a.wav", "clean.wav"]
    in_this_process.clear()
    assert scanned(films, out) == before
    assert in_this_process == []
    write(films / "a.wav", 0.3, start_s=0.0)
    write(films / "new.wav", 0.2)
    (out / "clean.wav.artifacts.vtt").unlink()
    rows = scanned(films, out)
    assert sorted(in_this_process) == ["a.wav", "clean.wav", "new.wav"]
    assert next(row for row in rows if row.results == "a.wav").damage == pytest.approx(0.3, abs=0.01)
    write(films / "empty.wav", 0.4)
    in_this_process.clear()
    assert all(row.scanned for row in scanned(films, out))
    assert in_this_process == ["empty.wav"]


def test_another_encoder_or_setting_scans_all_anew(films: Path, tmp_path: Path, in_this_process: list[str]) -> None:
    scanned(films, tmp_path / "out")
    for options, identity in ((None, ["y"]), (ScanOptions(enter=0.9), ["y"]), (ScanOptions("each", enter=0.9), ["y"])):
        in_this_process.clear()
        scanned(films, tmp_path / "out", options, identity=identity)
        assert len(in_this_process) == 3
    in_this_process.clear()
    scanned(films, tmp_path / "out", ScanOptions("each", enter=0.9), identity=["y"])
    assert in_this_process == []


def test_a_part_of_the_inputs_keeps_the_places(films: Path, tmp_path: Path, in_this_process: list[str]) -> None:
    scanned(films, tmp_path / "out")
    in_this_process.clear()
    assert [row.results for row in scanned(films / "b", tmp_path / "out")] == ["b/a.wav"]
    assert in_this_process == []


def test_a_folder_that_is_added_moves_what_was_scanned(films: Path, tmp_path: Path, in_this_process: list[str]) -> None:
    write(films / "films" / "a.wav", 0.6)  # its results lie where those of films/a.wav go
    write(tmp_path / "other" / "c.wav", 0.2)
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    scanned(films, out)
    in_this_process.clear()
    both = gather([str(films), str(tmp_path / "other")])
    rows = scan_archive(both, out, Loudness, ["x"], ScanOptions())
    assert in_this_process == ["other/c.wav"]
    assert rows == scan_archive(both, fresh, Loudness, ["x"], ScanOptions())
    assert {n: (out / n).read_bytes() for n in written_names(out)} == {
        n: (fresh / n).read_bytes() for n in written_names(fresh)
    }
    in_this_process.clear()
    assert scanned(tmp_path / "other", out) == [row for row in rows if row.results == "other/c.wav"]
    assert in_this_process == [], "the root stays"


def test_a_second_report_says_what_changed(films: Path, tmp_path: Path, in_this_process: list[str]) -> None:
    out = tmp_path / "out"
    assert write_summaries(scanned(films, out), ["loud"], out) is None
    assert not (out / "changes.csv").exists()
    same = write_summaries(scanned(films, out), ["loud"], out)
    assert same is not None
    assert (same.changes, same.unchanged) == ((), 4)
    write(films / "a.wav", 0.01)
    write(films / "clean.wav", 0.5)
    write(films / "new.wav", 0.5)
    write(films / "empty.wav", 0.01)
    (films / "b" / "a.wav").unlink()
    changes = write_summaries(scanned(films, out), ["loud"], out)
    assert changes is not None
    assert changes.line == "1 new, 3 changed, 1 gone, 0 unchanged since the report before"
    texts = {Path(change.path).name: change.text for change in changes.of("changed")}
    assert texts == {"a.wav": "went: loud", "clean.wav": "appeared: loud", "empty.wav": "went: unreadable"}
    lines = (out / "changes.csv").read_text().splitlines()
    assert lines[0] == "path,change,appeared,went"
    assert f"{films}/b/a.wav,gone,,loud" in lines
    part = write_summaries(scanned(films / "new.wav", out), ["loud"], out)
    assert part is not None
    assert (part.changes, part.unchanged) == ((), 1), "the others were not named, but are there"


def test_each_stream_and_channel_is_counted(films: Path, tmp_path: Path, in_this_process: list[str]) -> None:
    samples = np.stack([np.full(4 * RATE, 0.5), np.full(4 * RATE, 0.2)]).astype(np.float32)
    audio.write(tmp_path / "two" / "s.wav", samples, RATE, subtype="FLOAT")
    (row,) = scanned(tmp_path / "two", tmp_path / "out", ScanOptions(channels="each"))
    assert (row.channels, row.counts, row.marked_share) == (2, {"loud": 2}, 1.0)
    assert row.damage == pytest.approx(0.5)


def test_long_names_do_not_end_the_run(tmp_path: Path, in_this_process: list[str]) -> None:
    for end in "ab":
        write(tmp_path / "films" / f"{'ä' * 120}{end}.wav", 0.5)
    rows = scanned(tmp_path / "films", tmp_path / "out")
    assert all(row.scanned for row in rows)
    assert len({row.results for row in rows}) == 2


def test_names_that_are_not_utf8_are_rows(tmp_path: Path, in_this_process: list[str]) -> None:
    good = write(tmp_path / "films" / "good.wav", 0.5)
    os.link(good, os.fsencode(good.parent) + b"/\xff.wav")
    os.unlink(good)
    write(good, 0.5)
    rows = scanned(tmp_path / "films", tmp_path / "out")
    assert [row.scanned for row in rows] == [False, True]
    assert "rename it" in rows[0].reason
    write_summaries(rows, ["loud"], tmp_path / "out")


def test_a_folder_in_use_is_refused(films: Path, tmp_path: Path) -> None:
    with Journal(tmp_path / "out" / "journal.jsonl"), pytest.raises(StorageError, match="in use by another process"):
        scanned(films, tmp_path / "out")


@pytest.mark.slow
def test_a_crash_and_a_hang_cost_their_recording_alone(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert limit_s(FileToScan(films, "", "", 60.0, 120.0)) == 300 + 2 * 120
    monkeypatch.setattr(archive, "limit_s", lambda recording: 25.0 if recording.path.name == "hang.wav" else 600.0)
    write(films / "crash.wav", 0.99)
    write(films / "hang.wav", 0.9)
    rows = scanned(films, tmp_path / "out", workers=2)
    reasons = {Path(row.path).name: row.reason for row in rows if not row.scanned}
    assert set(reasons) == {"crash.wav", "hang.wav", "empty.wav"}
    assert reasons["crash.wav"] == "its process ended with signal SIGKILL"
    assert reasons["hang.wav"] == "it took longer than 25 s and was given up"
    assert sum(row.scanned for row in rows) == 3


KILLED = """
import sys
from test_scan_archive import Loudness, ScanOptions, gather, scan_archive

if __name__ == "__main__":
    scan_archive(gather([sys.argv[1]]), __import__("pathlib").Path(sys.argv[2]), Loudness, ["x"], ScanOptions(), 2)
"""


@pytest.mark.slow
def test_killed_it_goes_on_where_it_was(films: Path, tmp_path: Path) -> None:
    for number in range(8):
        write(films / f"{number}.wav", 0.8, start_s=0.5 * number)
    out, straight = tmp_path / "out", tmp_path / "straight"
    (tmp_path / "killed.py").write_text(KILLED)
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    command = [sys.executable, str(tmp_path / "killed.py"), str(films), str(out)]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}) as process:
        deadline = time.monotonic() + 120
        while not (out / "journal.jsonl").exists() or len((out / "journal.jsonl").read_bytes().splitlines()) < 4:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.kill()
    finished = len((out / "journal.jsonl").read_bytes().splitlines()) - 2  # but the first line and empty.wav
    assert finished < 11
    times: dict[str, int] = {}
    while not times:  # its workers end with it, a moment later: until then files come and go
        with suppress(FileNotFoundError):
            before = {name: (out / name).stat().st_mtime_ns for name in written_names(out)}
            time.sleep(3)
            times = before if before == {n: (out / n).stat().st_mtime_ns for n in written_names(out)} else {}
    rows = scanned(films, out, workers=2)
    assert rows == scanned(films, straight, workers=1)
    for folder in (out, straight):
        write_summaries(rows, ["loud"], folder)
    assert {n: (out / n).read_bytes() for n in written_names(out)} == {
        n: (straight / n).read_bytes() for n in written_names(straight)
    }
    results = {name: before for name, before in times.items() if not name.startswith("unfinished")}
    unchanged = [name for name, before in results.items() if (out / name).stat().st_mtime_ns == before]
    assert len(unchanged) >= 5 * finished


@pytest.mark.usefixtures("in_this_process")
def test_killed_before_the_stretches_of_what_is_done_were_removed(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(folder: Path) -> None:
        if list(folder.rglob("*.parquet")):
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(archive.saved, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            scanned(films, out)
    assert list((out / "unfinished").rglob("*.parquet"))
    assert scanned(films, out) == scanned(films, tmp_path / "straight")
    assert not (out / "unfinished").exists()


def test_recordings_of_archive_org_have_their_name_and_problems_are_rows(
    films: Path, tmp_path: Path, in_this_process: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTRASTIVE_ARTIFACTS_CACHE", str(tmp_path / "cache"))
    path = write(folder_of_items() / "tape" / "1.wav", 0.7)
    inputs = gather([str(films / "a.wav")])
    items = {path: Recording(path, "tape", "1.wav", "original")}
    inputs = replace(inputs, files=(*inputs.files, path), items=items, problems={"ia:gone": "no such item"})
    rows = scan_archive(inputs, tmp_path / "out", Loudness, ["x"], ScanOptions())
    assert [(row.title, row.origin, row.reason, row.results) for row in rows] == [
        ("ia:gone", "", "no such item", ""),
        ("ia:tape/1.wav", "ia:tape/1.wav: original", "", "archive.org/tape/1.wav"),
        (str(films / "a.wav"), "", "", "a.wav"),
    ]
    assert scan_archive(inputs, tmp_path / "out", Loudness, ["x"], ScanOptions()) == rows
    assert sorted(in_this_process) == ["a.wav", "archive.org/tape/1.wav"], "scanned once"
    local = write(films / "archive.org" / "tape" / "1.wav", 0.5)
    with pytest.raises(ParameterError, match="would have the same results; scan them separately"):
        scan_archive(replace(inputs, files=(local, path), root=films), tmp_path / "b", Loudness, ["x"], ScanOptions())


@pytest.mark.usefixtures("in_this_process")
def test_a_recording_that_was_not_finished_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "STRETCH_S", 1.0)  # 32 windows
    film, windows = write(tmp_path / "films" / "a.wav", 0.5, seconds=40.0), []

    class Failing(Loudness):
        def classify_windows(self, waveforms: list[np.ndarray], sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
            windows.append(len(waveforms))
            if len(windows) == 2:
                raise OSError("the disk was removed")
            return super().classify_windows(waveforms, sample_rate)

    (row,) = scan_archive(gather([str(film.parent)]), tmp_path / "out", Failing, ["x"], ScanOptions())
    assert "the disk was removed" in row.reason
    (row,) = scan_archive(gather([str(film.parent)]), tmp_path / "out", Failing, ["x"], ScanOptions())
    assert row.scanned
    assert windows == [32, 32, 32, 15]
    assert not (tmp_path / "out" / "unfinished").exists()
    assert [row] == scanned(film.parent, tmp_path / "straight")
