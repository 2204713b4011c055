"""The verb ``scan`` over several recordings, called as people call it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from archive_server import serving

from contrastive_artifacts import audio
from contrastive_artifacts.data.corpora.archive_org.service import ADDRESS_VARIABLE

ROOT = Path(__file__).parents[2]
RATE = 16000
pytestmark = pytest.mark.slow


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CONTRASTIVE_ARTIFACTS_CACHE": str(cwd / "cache")}
    words = [sys.executable, ROOT / "scripts" / "scan.py", *arguments]
    return subprocess.run(words, capture_output=True, text=True, cwd=cwd, env=environment, timeout=250)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``films/``, in which one file has gaps, and a file and a list beside it."""
    home = tmp_path_factory.mktemp("home")
    time = np.arange(8 * RATE) / RATE
    voice = 0.2 * np.sin(2 * np.pi * 440 * time * (1 + 0.1 * np.sin(time)))
    voice += np.random.default_rng(0).normal(0, 0.002, time.size)
    broken = np.where((time > 4) & (time % 0.375 < 0.094), 0.0, voice)
    for name, samples in {"films/a.wav": voice, "films/b/a.wav": broken, "other.wav": voice[:RATE]}.items():
        audio.write(home / name, samples[None].astype(np.float32), RATE)
    (home / "films" / "bad.wav").write_bytes(b"RIFF")
    (home / "list").write_text("other.wav\n")
    return home


def test_a_mix_of_inputs_becomes_a_report(films: Path) -> None:
    rules = "dropout>0.1 unreadable>=1 hum>99"
    words = ["films", "@list", "films/*.wav", "out=report", "workers=2", "alarms_per_hour=60", f"fail_on={rules}"]
    done = command(*words, cwd=films)
    assert done.returncode == 3, done.stderr
    assert "summary   4 scans, 1 failed, 0.00 h" in done.stdout
    sentences = [line for line in done.stdout.splitlines() if line.startswith("failed ")]
    assert [line.partition("(rule ")[2] for line in sentences] == ["unreadable>=1)", "dropout>0.1)"]
    assert sentences[1].startswith("failed    films/b/a.wav: dropout of severity ")
    with open(films / "report" / "files.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["path"] for row in rows} == {"films/bad.wav", "films/b/a.wav", "films/a.wav", "other.wav"}
    assert (rows[0]["path"], rows[0]["status"], rows[0]["damage"]) == ("films/bad.wav", "failed", "")
    damages = [float(row["damage"]) for row in rows[1:]]
    assert damages == sorted(damages, reverse=True)
    assert next(row for row in rows if row["path"] == "films/b/a.wav")["worst"] == "dropout"
    assert (films / "report" / "films" / "b" / "a.wav.artifacts.html").is_file()
    before = {path: path.stat().st_mtime_ns for path in (films / "report").rglob("*.vtt")}
    again = command(*words[:-1], cwd=films)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in (films / "report").rglob("*.vtt")} == before
    with open(films / "report" / "files.csv", newline="") as stream:
        assert list(csv.DictReader(stream)) == rows


def test_one_file_is_scanned_as_ever_and_held_against_rules(films: Path) -> None:
    done = command("films/b/a.wav", "fail_on=dropout>=1 clipping>9", "alarms_per_hour=60", "out=single", cwd=films)
    assert done.returncode == 3, done.stderr
    assert sorted(path.name for path in films.glob("single*")) == [
        f"single.artifacts.{suffix}" for suffix in ("csv", "html", "json", "txt", "vtt")
    ]
    assert done.stdout.splitlines()[-1].startswith("failed    films/b/a.wav: 1 segments of dropout")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["films", "against=other.wav"], 2, "against= compares two files"),
        (["films/a.wav", "against=none.wav"], 1, "none.wav"),
        (["films", "fail_on=cliping>0.5"], 2, "no artifact 'cliping'; did you mean clipping"),
        (["films/a.wav", "fail_on=clipping>5.5"], 2, "nothing breaks 'clipping>5.5'"),
        (["films", "enter=2"], 2, "0 < leave <= enter <= 1"),
        (["films", "workers=0"], 2, "workers=0: give at least one process"),
        (["films/*.mkv"], 2, "films/*.mkv: no file matches"),
        (["films/bad.wav", "films/bad.wav"], 1, "None of the recordings could be scanned; the first problem:"),
    ],
)
def test_errors_are_one_message(films: Path, words: list[str], code: int, message: str, tmp_path: Path) -> None:
    done = command(*words, f"out={tmp_path}/out", cwd=films)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    if code == 2:
        assert list(tmp_path.iterdir()) == [], "refused before anything is scanned"


def test_an_item_of_archive_org_becomes_a_report(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloaded over a connection that breaks; the second time without any."""
    words = ["ia:tape", "ia:lost", "other.wav", "out=items", "alarms_per_hour=60"]
    with serving() as server:
        monkeypatch.setenv(ADDRESS_VARIABLE, server.url)
        server.add("tape", "side a.wav", (films / "films" / "b" / "a.wav").read_bytes())
        server.add("tape", "side a.mp3", b"lossy", "derivative", original="side a.wav")
        server.cuts = [10_000]
        done = command(*words, cwd=films)
    assert done.returncode == 0, done.stderr
    assert "left out  ia:lost: There is no item lost on archive.org" in done.stdout
    with open(films / "items" / "files.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["status"], row["results"]) for row in rows] == [
        ("failed", ""),
        ("scanned", "archive.org/tape/side a.wav"),
        ("scanned", "other.wav"),
    ]
    assert rows[1]["origin"] == "ia:tape/side a.wav: original; other files of this recording: 1"
    assert (films / "items" / "archive.org" / "tape" / "side a.wav.artifacts.html").is_file()
    again = command("ia:tape", "out=items", "alarms_per_hour=60", "fail_on=dropout>=1", cwd=films)
    assert again.returncode == 3, again.stderr
    assert "failed    ia:tape/side a.wav: " in again.stdout


def test_two_copies_are_compared(films: Path) -> None:
    rng = np.random.default_rng(1)
    words = [0.3 * rng.uniform(0.2, 1) * np.sin(2 * np.pi * rng.uniform(150, 900) * np.arange(n) / RATE)
             for n in rng.integers(1500, 6000, 60)]  # fmt: skip
    voice = np.concatenate(words) + rng.normal(0, 0.001, sum(map(len, words)))
    copy = 0.5 * np.concatenate([np.zeros(RATE), voice])
    audio.write(films / "first.wav", voice[None].astype(np.float32), RATE)
    audio.write(films / "second.flac", copy[None].astype(np.float32), RATE)
    done = command("first.wav", "against=second.flac", "out=both", cwd=films)
    assert done.returncode == 0, done.stderr
    assert "B begins 1.0000 s before A; they share" in done.stdout
    assert "A is +6.0 dB against B" in done.stdout
    assert {path.name for path in films.glob("both.against.*")} >= {"both.against.csv", "both.against.json"}
    done = command("first.wav", "against=films/a.wav", "out=not", cwd=films)
    assert done.returncode == 1
    assert "is no copy of first.wav" in done.stderr
    assert not list(films.glob("not.against.csv"))


def test_results_are_uploaded_to_an_address(films: Path) -> None:
    pytest.importorskip("upath")
    words = ["films", "alarms_per_hour=6"]
    for out in ("local", f"file://{films}/bucket/report"):
        done = command(*words, f"out={out}", cwd=films)
        assert done.returncode == 0, done.stderr
    tables = [films / folder / "files.csv" for folder in ("local", "bucket/report")]
    local, uploaded = (list(csv.DictReader(table.read_text(encoding="utf-8").splitlines())) for table in tables)
    assert local == uploaded
    names = [{str(path.relative_to(table.parent)) for path in table.parent.rglob("*.artifacts.*")} for table in tables]
    assert names[0] == names[1]
    assert names[0]
