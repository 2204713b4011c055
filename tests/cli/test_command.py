"""Verbs as processes: files under any name, exit statuses, Ctrl-C, closed pipes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts import audio

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from contrastive_artifacts.cli import main; main()"]
TINY = ["corpus.sources=24", "corpus.duration_s=1.0", "corpus.sample_rate=16000", "window_s=0.5",
        "backbone.weights=none", "artifacts=[hiss]", "trainer.sources=3", "encoder.hidden=16"]  # fmt: skip


def start(words: Sequence[str | Path], cwd: Path) -> subprocess.Popen[str]:
    """A process in a group of its own that Ctrl-C ends, as a shell starts one."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # background jobs of a shell inherit to ignore it
    return subprocess.Popen(
        words, cwd=cwd, env=environment, text=True, start_new_session=True, preexec_fn=heeds, **streams
    )


def run(*words: str | Path, cwd: Path) -> tuple[int, str, str]:
    process = start(words, cwd)
    out, err = process.communicate(timeout=250)
    return process.returncode, out, err


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """The end of a process whose whole group got SIGINT, as Ctrl-C in a terminal sends it."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, out, err


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, (1, 48000)).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "name"),
    [
        ([sys.executable, ROOT / "scripts" / "scan.py"], "film (1), reel=2.wav"),
        ([*COMMAND, "scan"], "-[ä] 'x' ${y}.wav"),
    ],
)
def test_a_file_of_any_name_is_scanned(words: list[str | Path], name: str, tmp_path: Path, noise: np.ndarray) -> None:
    audio.write(tmp_path / name, noise, 16000)
    code, out, err = run(*words, name, cwd=tmp_path)
    assert (code, err) == (0, "")
    assert (tmp_path / name.replace(".wav", ".artifacts.csv")).is_file()
    assert name in out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["scan"], 2, "path (recording of any length"),
        (["scan", "nowhere.wav"], 1, "nowhere.wav does not exist"),
        (["scan", "nowhere.wav", "channels=both"], 2, "channels"),
        (["pretrain", "corpus=folder"], 2, "corpus.path"),
        (["pretrain", "optim.lr=3"], 2, "did you mean lr_heads"),
        (["pretrain", "trainer.steps=abc"], 2, "trainer.steps is 'abc'; it must be a whole number."),
        (["pretrain", "+optim.lr=3"], 2, "did you mean lr_heads"),
    ],
)
def test_errors_are_one_message_and_a_status(words: list[str], code: int, message: str, tmp_path: Path) -> None:
    status, out, err = run(*COMMAND, *words, cwd=tmp_path)
    assert (status, out) == (code, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_pretraining_ends_at_ctrl_c_with_a_line(tmp_path: Path) -> None:
    words = [*COMMAND, "pretrain", *TINY, "run=r", "trainer.validate_every=5", "trainer.workers=1"]
    process = start([*words, "trainer.steps=100000", "trainer.patience=0"], tmp_path)
    deadline = time.monotonic() + 200
    while not (tmp_path / "r" / "state.safetensors").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    code, _, err = interrupted(process)
    assert code == 130
    assert err == "Stopped. The run is kept up to its latest checkpoint; run the same command again to resume it.\n"


@pytest.mark.slow
def test_rendering_ends_at_ctrl_c_with_a_line(tmp_path: Path, noise: np.ndarray) -> None:
    for number in range(300):
        audio.write(tmp_path / "sounds" / f"{number}.wav", noise, 16000)
    words = [*COMMAND, "render", "sounds", "to=out", "artifacts=[hiss]", "workers=2"]
    process = start(words, tmp_path)
    deadline = time.monotonic() + 200
    while not list(tmp_path.glob("out/hiss/*.flac")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    code, _, err = interrupted(process)
    assert (code, err) == (130, "Stopped. Finished clips are kept; run the same command again to render the others.\n")
    assert len(list(tmp_path.glob("out/hiss/*.flac"))) < 300


@pytest.mark.slow
@pytest.mark.parametrize("wait_s", [0.4, 1.2, 2.5])
def test_scanning_ends_at_ctrl_c_while_it_imports_too(wait_s: float, tmp_path: Path) -> None:
    audio.write(tmp_path / "long.wav", np.tile(np.random.default_rng(0).normal(0, 0.1, 16000), 900)[None], 16000)
    process = start([*COMMAND, "scan", "long.wav"], tmp_path)
    time.sleep(wait_s)
    code, out, err = interrupted(process)
    assert (code, out) == (130, "")
    assert err.startswith("Stopped. No results were written")
    assert len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["long.wav"]


@pytest.mark.parametrize("words", [["--help"], ["pretrain", "--help"], ["backbones"]])
def test_a_closed_pipe_is_no_traceback(words: list[str], tmp_path: Path) -> None:
    with start([*COMMAND, *words], tmp_path) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 141
