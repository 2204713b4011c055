"""The verbs that write something, each with a small job whose result can be compared."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from contrastive_artifacts import audio

ROOT = Path(__file__).parents[2]
RATE = 16000
VIEWS = ["artifacts.states=[hiss,dropout]", "artifacts.severity=[0.8,1.0]"]
SMALL = ["corpus.sources=16", "corpus.duration_s=1.0", "corpus.sample_rate=16000"]
TINY = [
    "trainer=demo", *SMALL, "window_s=0.6", "backbone.weights=none", *VIEWS, "trainer.steps=12",
    "trainer.sources=3", "trainer.validate_every=3", "encoder.hidden=32", "trainer.workers=1",
]  # fmt: skip
CONTEXT = [
    "corpus=builtin", "corpus.sources=8", "corpus.duration_s=2.0", *VIEWS, "window_s=2.0", "draws=1", "workers=2",
    "context.kind=recurrent", "context.width=16", "context.hidden=12", "context.embedding=8",
    "fitting.steps=30", "fitting.batch=12", "fitting.validate_every=3",
]  # fmt: skip
PROBE = ["duration_s=0.6", "draws=1", "bootstrap=20", "probes=[linear]"]


@dataclass(frozen=True)
class Verb:
    """A verb with its words on the command line, in terms of the folder of recordings and that of its results.

    Attributes:
        words: (recordings, home) -> words; what is written lies under ``home``.
        result: home -> what an undisturbed run and one with kills have in common; an error if it is no result.
        run: Whether it works on a pretrained run in ``home/run``.
    """

    name: str
    words: Callable[[Path, Path], list[str]]
    result: Callable[[Path], Any]
    run: bool = False

    def start(self, recordings: Path, home: Path, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, str(ROOT / "scripts" / f"{self.name}.py"), *self.words(recordings, home)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment,
            start_new_session=True, **options,
        )  # fmt: skip


def record(folder: Path, count: int = 6, seconds: float = 4.0) -> Path:
    """Writes recordings of noise with a hum."""
    rng = np.random.default_rng(0)
    hum = 0.1 * np.sin(2 * np.pi * 50 * np.arange(round(seconds * RATE)) / RATE)
    for n in range(count):
        audio.write(folder / f"{n}.wav", (hum + rng.normal(0, 0.05, hum.size)).astype(np.float32)[None], RATE)
    return folder


def digests(folder: Path, *patterns: str) -> dict[str, str]:
    """Path below the folder -> SHA-256, of the files that match."""
    paths = sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
    assert paths, f"there is none of {patterns} in {folder}"
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _curated(home: Path) -> list[dict[str, str]]:
    with open(home / "to" / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file))


def _embedded(home: Path) -> Any:
    assert not (home / "a.parquet.parts").exists()
    return pq.read_table(home / "a.parquet").to_pydict()


VERBS = (
    Verb("scan", lambda data, home: [f"{data}/0.wav", f"out={home}/out"],
         lambda home: digests(home, "out.artifacts.*")),
    Verb("embed", lambda data, home: [str(data), f"out={home}/a.parquet"], _embedded),
    Verb("render", lambda data, home: [str(data), f"to={home}/to", "artifacts=[hum,hiss]", "workers=2"],
         lambda home: digests(home / "to", "**/*.flac", "*.csv")),
    Verb("curate", lambda data, home: [str(data), f"to={home}/to", "serve=false", "apply=auto"], _curated),
    Verb("pretrain", lambda data, home: [f"run={home}/run", *TINY], lambda home: digests(home / "run", "encoder/*")),
    Verb("pretrain_context", lambda data, home: [f"run={home}/context", *CONTEXT],
         lambda home: digests(home / "context", "encoder/*")),
    Verb("probe", lambda data, home: [f"run={home}/run", *PROBE],
         lambda home: digests(home / "run", "metrics.json", "encoder/*", "tables/*", "index/*/*"), run=True),
    Verb("export", lambda data, home: [f"run={home}/run", f"to={home}/to", "duration_s=0.6", "draws=1"],
         lambda home: digests(home / "to", "*"), run=True),
)  # fmt: skip
