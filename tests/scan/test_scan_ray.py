"""Scans by two Ray workers: the result is that of one machine, though one of them is killed in the middle."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.core.ray_pool import RaySettings, cluster
from contrastive_artifacts.scan.archive import scan_archive
from contrastive_artifacts.scan.inputs import gather
from contrastive_artifacts.scan.options import ScanOptions
from contrastive_artifacts.scan.summary import write_summaries

RATE = 2000
HOLD = "TEST_SCAN_RAY_HOLD"


class Peaks:
    """Classifies by the peak of a window; the severity depends on the windows that came with it.

    It waits while there is a file of the name in the variable HOLD.
    """

    window_s, hop_s, labels = 1.0, 0.5, ("clean", "loud")

    def classify_windows(self, waveforms: list[np.ndarray], sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
        while os.path.exists(os.environ.get(HOLD, "")):
            time.sleep(0.02)
        peak = np.array([np.abs(w).max() for w in waveforms])
        company = np.full(len(peak), len(peak) / 100 + peak[0] / 1000)
        return np.stack([1 - peak, peak], 1), np.stack([0 * peak, company], 1)


@pytest.mark.slow
def test_two_workers_give_the_result_of_one_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    rng, films = np.random.default_rng(0), tmp_path / "films"
    for name, seconds in (("film", 4000), ("short", 30)):
        levels = rng.random((1, seconds // 10)).astype(np.float32).repeat(10 * RATE, axis=1)
        audio.write(films / f"{name}.wav", levels, RATE, subtype="FLOAT")
    (films / "empty.wav").touch()
    inputs, out, whole = gather([str(films)]), tmp_path / "out", tmp_path / "whole"
    hold = tmp_path / "hold"
    monkeypatch.setenv(HOLD, str(hold))
    units: set[bytes] = set()
    names: set[str] = set()

    def watch_and_kill() -> None:
        while not finished.wait(0.02):
            for path in (out / "unfinished").glob("*/*/[0-9]*.parquet"):  # not those that are being written
                names.add(path.name)
                if not units:
                    units.add(pq.read_schema(path).metadata[b"about"])
                    hold.touch()  # the other one waits, so that there is work left for the killed one
                    os.kill(workers.processes[0], signal.SIGKILL)
            if len(workers.processes) >= 3:
                hold.unlink(missing_ok=True)
        hold.unlink(missing_ok=True)

    finished = threading.Event()
    with cluster(RaySettings("local", 2)) as workers:
        watcher = threading.Thread(target=watch_and_kill)
        watcher.start()
        try:
            rows = scan_archive(inputs, out, Peaks, ["x"], ScanOptions(), cluster=workers)
        finally:
            finished.set()
            watcher.join()
        assert len(workers.processes) >= 3, "the killed one was started again"
    assert len(names) >= 3, "stretches of the film are units"
    assert units
    assert [row.path for row in rows if not row.scanned] == [str(films / "empty.wav")]
    assert rows == scan_archive(inputs, whole, Peaks, ["x"], ScanOptions())
    for folder in (out, whole):
        write_summaries(rows, ["loud"], folder)
    results = {p.relative_to(whole) for p in whole.rglob("*") if p.is_file() and p.name != "journal.jsonl"}
    assert len(results) > 12
    assert all((out / name).read_bytes() == (whole / name).read_bytes() for name in results)
    assert not (out / "unfinished").exists()
