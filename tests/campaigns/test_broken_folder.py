"""A folder of broken files beside two good ones: every verb does the good ones and names the others."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import soundfile

from contrastive_artifacts import audio
from contrastive_artifacts.embedding.table import read_table
from contrastive_artifacts.pages.explorer.collection import Collection
from contrastive_artifacts.pages.explorer.slices import Slices
from contrastive_artifacts.search.retrieval import OutsideRootsError

pytest.importorskip("fastapi", reason="the extra is not installed: pip install -e '.[serve]'")
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
RATE = 16000
NOT_UTF8 = "b\udcff.wav"
BROKEN = {"empty.wav", "text.wav", "truncated.flac", "nan.wav", "huge.wav", "no-samples.wav", "garbage.mp3", NOT_UTF8}
SHORT = "ten-ms.wav"
TINY = [
    "trainer=demo", "window_s=0.6", "backbone.weights=none", "artifacts.states=[clean,hiss,dropout]",
    "trainer.steps=6", "trainer.sources=3", "trainer.validate_every=3", "trainer.workers=0", "encoder.hidden=32",
]  # fmt: skip


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(0)
    for name in ("good.wav", "=good [live].flac"):
        audio.write(folder / name, rng.uniform(-0.3, 0.3, (1, 4 * RATE)).astype(np.float32), RATE)
    noise = rng.uniform(-0.3, 0.3, RATE).astype(np.float32)
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("no audio\n" * 50)
    (folder / "truncated.flac").write_bytes((folder / "=good [live].flac").read_bytes()[:30])
    huge = np.where(noise > 0, 3e38, -3e38).astype(np.float32)
    for name, samples in (("nan.wav", noise * np.nan), ("huge.wav", huge), ("no-samples.wav", noise[:0])):
        soundfile.write(folder / name, samples, RATE, subtype="FLOAT")
    soundfile.write(folder / SHORT, noise[:160], RATE)
    (folder / "garbage.mp3").write_bytes(rng.bytes(20_000))
    (folder / "folder.wav").mkdir()
    (folder / "link.wav").symlink_to("nowhere.wav")
    with open(os.fsencode(folder) + b"/b\xff.wav", "wb") as file:
        file.write((folder / "good.wav").read_bytes())
    return folder


def run(verb: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / f"{verb}.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=280, errors="backslashreplace")


def shown(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()


def test_embed(recordings: Path, tmp_path: Path) -> None:
    done = run("embed", recordings, f"out={tmp_path}/out.parquet")
    assert done.returncode == 0, done.stderr
    embedded = set(read_table(tmp_path / "out.parquet")["clip"].to_pylist())
    with open(tmp_path / "out.problems.csv", newline="") as file:
        problems = {row["clip"] for row in csv.DictReader(file)}
    assert {"good.wav", "=good [live].flac"} <= embedded <= {"good.wav", "=good [live].flac", SHORT}
    assert {shown(name) for name in BROKEN} <= problems <= {shown(name) for name in {*BROKEN, SHORT, "link.wav"}}
    assert not (tmp_path / "out.parquet.parts").exists()


def test_render(recordings: Path, tmp_path: Path) -> None:
    done = run("render", recordings, f"to={tmp_path}/to", "artifacts=[hum]", "severities=[0.5]")
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "to" / "manifest.csv", newline="") as file:
        rendered = {row["clip"] for row in csv.DictReader(file)}
    with open(tmp_path / "to" / "rejected.csv", newline="") as file:
        rejected = {row["clip"] for row in csv.DictReader(file)}
    assert {"good.wav", "'=good [live].flac"} <= rendered
    assert {shown(name) for name in BROKEN} - {"huge.wav"} <= rejected


def test_curate(recordings: Path, tmp_path: Path) -> None:
    done = run("curate", recordings, f"to={tmp_path}/to", "serve=false", "apply=auto")
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "to" / "manifest.csv", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert rows["good.wav"]["reasons"] != "unreadable"
    assert "'=good [live].flac" in rows
    for name in BROKEN - {"huge.wav"}:
        assert "unreadable" in rows[shown(name)]["reasons"], name


@pytest.fixture(scope="module")
def trained(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A run over the folder with twelve more good files, pretrained and probed; what both said on stderr."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(recordings, home / "recordings", symlinks=True)
    rng = np.random.default_rng(1)
    for n in range(12):
        audio.write(home / "recordings" / f"{n}.wav", rng.uniform(-0.3, 0.3, (1, RATE)).astype(np.float32), RATE)
    pretrained = run("pretrain", f"run={home}/run", "corpus=folder", f"corpus.path={home}/recordings", *TINY)
    assert pretrained.returncode == 0, pretrained.stderr
    probed = run("probe", f"run={home}/run", "duration_s=0.6", "draws=1", "bootstrap=20", "probes=[linear]")
    assert probed.returncode == 0, probed.stderr
    return home / "run", pretrained.stderr, probed.stderr


def test_pretrain_and_probe(trained: tuple[Path, str, str]) -> None:
    folder, *said = trained
    for stderr in said:
        left_out = set(re.findall(r"(\S+) is left out:", stderr))
        assert left_out <= {shown(name) for name in BROKEN}
        assert len(left_out) >= 3, "the others may be on the side of the split that is not read"
    table = read_table(folder / "tables" / "h.parquet")
    assert len(table) >= 3 * 12
    assert not set(table["clip"].to_pylist()) & BROKEN


def test_explore(trained: tuple[Path, str, str], tmp_path: Path) -> None:
    folder, *_ = trained
    command = [sys.executable, "-u", str(ROOT / "scripts" / "explore.py"), f"run={folder}", "port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            page = next(line for line in process.stdout if line.startswith("page")).split()[1]
            with urllib.request.urlopen(f"{page}api/rows/0/audio") as answer:
                assert answer.read(4) == b"fLaC"
        finally:
            process.terminate()
    (tmp_path / "elsewhere").mkdir()
    shutil.copytree(folder, copied := tmp_path / "elsewhere" / "run")
    (copied / "roots.json").unlink()  # its code is another one on another machine
    with pytest.raises(OutsideRootsError):
        Slices(Collection.of_run(copied)).get(0)
    assert Slices(Collection.of_run(copied, roots=str(folder.parent))).get(0).waveform.any()


@pytest.mark.parametrize("name", ["=good [live].flac", NOT_UTF8, "empty.wav", "text.wav", "garbage.mp3", "folder.wav"])
def test_scan(recordings: Path, tmp_path: Path, name: str) -> None:
    done = run("scan", recordings / name, f"out={tmp_path}/out")
    assert "Traceback" not in done.stderr
    if "good" in name or name == NOT_UTF8:  # whose content is good
        assert done.returncode == 0, done.stderr
        assert shown(name) in done.stdout
        assert len(list(tmp_path.iterdir())) == 5
    else:
        assert done.returncode == 1, done.stderr
        assert name in done.stderr
        assert not list(tmp_path.iterdir())


def test_a_target_that_cannot_be_written_is_named_before_the_work(recordings: Path, tmp_path: Path) -> None:
    (tmp_path / "a.artifacts.html").mkdir()
    (tmp_path / "file").touch()
    for verb, setting, path in (
        ("scan", "out", tmp_path / "a"),
        ("embed", "out", tmp_path / "file" / "a.parquet"),
        ("render", "to", tmp_path / "file"),
        ("curate", "to", tmp_path / ("n" * 300)),
    ):
        done = run(verb, recordings / "good.wav" if verb == "scan" else recordings, f"{setting}={path}")
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
        assert f"{setting}={path}" in done.stderr


def test_a_closed_stdout_loses_nothing(recordings: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "embed.py"), str(recordings), f"out={tmp_path}/out.parquet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(280) == 141
    assert len(read_table(tmp_path / "out.parquet"))
