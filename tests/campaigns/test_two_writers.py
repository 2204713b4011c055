"""Writers and readers of one index at once, some killed: every acknowledged add is there, and the index always opens.

The short version runs with the suite; the long one, with more kills, by ``make campaign``.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contrastive_artifacts.core.errors import StorageError
from contrastive_artifacts.search.index import Index

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["contrastive_artifacts.search.index"])  # so that a process starts at once
DIM = 8


def vector(number: int) -> np.ndarray:
    return np.random.default_rng(number).normal(size=(1, DIM)).astype(np.float32)


def note(path: Path, line: object) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())


def noted(folder: Path, pattern: str) -> set[int]:
    return {int(line) for path in folder.glob(pattern) for line in path.read_text().split()}


def check(index: Index, acknowledged: set[int]) -> None:
    """Raises AssertionError unless all acknowledged rows are there and every vector is that of its row."""
    numbers = index.metadata.column("number").to_pylist()
    assert index.ids.tolist() == numbers
    assert acknowledged <= set(numbers), f"lost: {sorted(acknowledged - set(numbers))}"
    expected = np.concatenate([vector(number) for number in numbers])
    assert np.allclose(index.vectors(), expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)


def write(folder: Path, writer: int, start: int) -> None:
    """Adds the rows start, start + 1, ..., each noted as begun before and as acknowledged after it was added."""
    number = start
    index = Index.open(folder / "index")  # opened once: it knows nothing of what others add
    while True:
        note(folder / f"{writer}.begun", number)
        try:
            index.add(vector(number), [{"number": number}], ids=[number])
        except StorageError as error:
            if "is in use by process" not in str(error):
                note(folder / "problems", repr(error))
                raise
            time.sleep(random.uniform(0, 0.01))
            continue
        note(folder / f"{writer}.acknowledged", number)
        number += 1


def read(folder: Path, writer: int, start: int) -> None:
    opened = 0
    while True:
        acknowledged = noted(folder, "*.acknowledged")
        try:
            check(Index.open(folder / "index"), acknowledged)
        except BaseException as error:
            note(folder / "problems", repr(error))
            raise
        opened += 1
        (folder / f"reader{writer}.{start}.opened").write_text(str(opened))


def together(folder: Path, writers: int, readers: int, kills: int, seed: int) -> dict[str, Any]:
    """Runs writers and readers, kills one after the other at random moments and replaces it; returns what was done."""
    rng = random.Random(seed)
    Index.build(vector(0), [{"number": 0}], folder / "index", "encoder", ids=[0])
    jobs: list[Callable[[Path, int, int], None]] = [write] * writers + [read] * readers
    running: dict[int, ForkServerProcess] = {}

    def start(job: int, turn: int) -> None:
        first = 1 + job * 1_000_000 + turn * 1000
        running[job] = CONTEXT.Process(target=jobs[job], args=(folder, job, first), daemon=True)
        running[job].start()

    try:
        for job in range(len(jobs)):
            start(job, 0)
        deadline = time.monotonic() + 60
        while len(noted(folder, "*.acknowledged")) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)  # until the first writers have started
        for turn in range(1, kills + 1):
            time.sleep(rng.uniform(0.0, 0.3))
            job = rng.randrange(len(jobs))
            running[job].kill()
            running[job].join()
            acknowledged = noted(folder, "*.acknowledged")
            check(Index.open(folder / "index"), acknowledged)
            start(job, turn)
        time.sleep(1)
    finally:
        for process in running.values():
            process.kill()
            process.join()
    problems = folder / "problems"
    assert not problems.exists(), problems.read_text()
    acknowledged, begun = noted(folder, "*.acknowledged"), noted(folder, "*.begun")
    index = Index.open(folder / "index")
    check(index, acknowledged)
    assert set(index.ids.tolist()) <= begun | {0}
    last = index.add(vector(7), [{"number": 10**9}], ids=[10**9])  # the lock of the last killed writer is free
    record = json.loads((last.directory / "index.json").read_text())
    entries = [entry["name"] for segment in record["segments"] for entry in segment["files"].values()]
    assert {path.name for path in last.directory.iterdir()} == {"index.json", *entries}, "a file of no segment"
    assert {name.partition("-")[0] for name in entries} == {"metadata", "vectors"}
    opened = sum(int(path.read_text() or 0) for path in folder.glob("reader*.opened"))
    return {"acknowledged": len(acknowledged), "rows": len(index), "opened": opened, "kills": kills}


def test_writers_and_readers_some_killed(tmp_path: Path) -> None:
    done = together(tmp_path, writers=2, readers=1, kills=6, seed=1)
    assert done["acknowledged"] >= 3


@pytest.mark.campaign
@pytest.mark.slow
def test_writers_and_readers_many_killed(tmp_path: Path) -> None:
    done = together(tmp_path, writers=4, readers=2, kills=150, seed=int(time.time()))
    print(json.dumps(done))
