"""A scan in a child process: what ends the process is an error that names the file, and the next call goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.core import pool
from contrastive_artifacts.core.errors import AudioError, ParameterError
from contrastive_artifacts.scan import stretches
from contrastive_artifacts.scan.child import OneFile, scan_in_child
from contrastive_artifacts.scan.options import ScanOptions
from contrastive_artifacts.scan.scan import scan

RATE = 2000
SECONDS = 60
pytestmark = pytest.mark.slow


class Fragile:
    """Classifies by the peak of a window; after a number of windows it does what a broken decoder does."""

    window_s, hop_s, labels = 1.0, 0.5, ("clean", "loud")

    def __init__(self, fault: str, limit: int, log: Path) -> None:
        stretches.STRETCH_S = 8.0  # in the child: 32 windows
        self.fault, self.limit, self.log, self.windows = fault, limit, log, 0

    def classify_windows(self, waveforms: list[np.ndarray], sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
        self.windows += len(waveforms)
        self.log.write_text(str(self.windows))
        if self.windows > self.limit:
            FAULTS[self.fault]()
        peak = np.array([np.abs(w).max() for w in waveforms])
        return np.stack([1 - peak, peak], 1), np.stack([0 * peak, peak], 1)


def fill_memory() -> None:
    blocks = []
    while True:
        blocks.append(np.ones(2**24))
        time.sleep(0.05)


FAULTS = {
    "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hang": lambda: time.sleep(1000),
    "memory": fill_memory,
    "slow": lambda: time.sleep(0.5),
    "none": lambda: None,
}


def identity(_: Any) -> list[str]:
    return ["x"]


@pytest.fixture
def film(tmp_path: Path) -> OneFile:
    levels = np.random.default_rng(0).random((1, SECONDS)).repeat(RATE, axis=1)
    audio.write(tmp_path / "film.wav", levels.astype(np.float32), RATE, subtype="FLOAT")
    return OneFile(tmp_path / "film.wav", tmp_path / "film", ScanOptions(), most_bytes=2 << 30)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("crash", "its process ended with signal SIGSEGV"),
        ("hang", "it made no progress for 20 s and was given up"),
        ("memory", "it used more than 2.0 GB of memory and was given up"),
    ],
)
def test_what_ends_the_process_is_a_named_error(film: OneFile, tmp_path: Path, fault: str, message: str) -> None:
    if fault == "hang":
        film = replace(film, still_s=20.0)
    with pytest.raises(AudioError, match=rf"film\.wav could not be scanned: {message}.*convert the file"):
        scan_in_child(film, partial(Fragile, fault, 40, tmp_path / "log"), identity)
    labels, (result,) = scan_in_child(film, partial(Fragile, "none", 0, tmp_path / "log"), identity)
    assert labels == Fragile.labels
    assert int((tmp_path / "log").read_text()) == 2 * SECONDS - 1 - 32, "one stretch was finished"
    assert result.timeline == scan(film.path, Fragile("none", 0, tmp_path / "log"))


def test_an_edited_file_begins_anew(film: OneFile, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="SIGKILL"):
        scan_in_child(film, partial(Fragile, "kill", 100, tmp_path / "log"), identity)
    audio.write(film.path, np.full((1, SECONDS * RATE), 0.7, np.float32), RATE, subtype="FLOAT")
    scan_in_child(film, partial(Fragile, "none", 0, tmp_path / "log"), identity)
    assert int((tmp_path / "log").read_text()) == 2 * SECONDS - 1


def test_errors_of_the_scan_are_those_of_this_process(film: OneFile, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="there is no artifact 'noisy'"):
        scan_in_child(
            OneFile(film.path, film.stem, film.options, "noisy>0.5"), partial(Fragile, "none", 0, film.path), identity
        )
    with pytest.raises(AudioError, match=r"none\.wav"):
        scan_in_child(OneFile(tmp_path / "none.wav", film.stem, film.options), partial(Fragile, "none", 0), identity)


KILLED = """
import sys
from functools import partial
from pathlib import Path

from test_child import Fragile, OneFile, ScanOptions, identity, scan_in_child

if __name__ == "__main__":
    film = Path(sys.argv[1])
    file = OneFile(film, film.with_suffix(""), ScanOptions())
    scan_in_child(file, partial(Fragile, "slow", 0, film.parent / "log"), identity)
"""


def test_killed_again_and_again_it_goes_on(film: OneFile, tmp_path: Path) -> None:
    (tmp_path / "killed.py").write_text(KILLED)
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    for finished in (1, 2, 3):
        command = [sys.executable, str(tmp_path / "killed.py"), str(film.path)]
        with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}) as process:
            deadline = time.monotonic() + 200
            while len(list(film.unfinished.glob("*/*.parquet"))) < finished:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.kill()
        before = list(film.unfinished.glob("*/*.parquet"))
        time.sleep(2)
        assert list(film.unfinished.glob("*/*.parquet")) == before, "the child process ended as well"
    _, (result,) = scan_in_child(film, partial(Fragile, "none", 0, tmp_path / "log"), identity)
    assert int((tmp_path / "log").read_text()) < 32
    assert result.timeline == scan(film.path, Fragile("none", 0, tmp_path / "log"))


def ones(gigabytes: float) -> float:
    block = np.ones(int(gigabytes * 2**27))
    time.sleep(3 if gigabytes > 0.5 else 0)
    return float(block[0])


def test_memory_is_limited_job_by_job() -> None:
    outcomes = dict(pool.results(ones, [0.1, 1.5, 0.2], 1, lambda _: 600.0, 1 << 30))
    assert outcomes == {0.1: 1.0, 1.5: pool.Crashed("it used more than 1.0 GB of memory and was given up"), 0.2: 1.0}
