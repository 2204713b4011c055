"""Simulates scans of large archives on many cores, from rates that were measured on one.

    python benchmarks/scale.py

Recordings have lengths of a log-normal distribution (median half an hour, at most ten hours; seeded). Shards are those
of core/shards.py, a file each; Ray takes stretches of ten minutes, the longest recordings first, and then the joining
of each recording. Storage and network are taken to be fast enough: `read_mb_s` is what they must deliver. Writes
results/scale.csv.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from contrastive_artifacts.core import files
from contrastive_artifacts.core.shards import Shard

RESULTS = Path(__file__).parent.parent / "results" / "scale.csv"
# Measured 2026-11-29 on ten minutes of mono at 32 kHz, one thread, release encoder, seconds of CPU time. The load of
# the machine was 10 on two cores; on a free one a scan takes half of it (results/scan.csv: 71 times real time).
SCAN_S, JOIN_S, WRITE_S = 15.79 / 600, 1.10 / 600, 0.50  # per second of sound, per second of sound, per recording
SAVED_BYTES, RESULT_BYTES = 537e3 / 600, 1.15e6  # of a saved stretch per second; of the results of a recording
VECTOR_BYTES = 239 * 256 * 4 / 600  # of embeddings per second
INPUT_BYTES = 48000 * 2 * 2  # per second: stereo, 16 bits, 48 kHz
START_S = 8.0  # of a process with its encoder
STRETCH_S = 600.0
NETWORK_MB_S = 1250.0  # of ten gigabits a second


def lengths(hours: float) -> np.ndarray:
    """Lengths of recordings in seconds, the longest first."""
    rng = np.random.default_rng(0)
    seconds = np.minimum(rng.lognormal(math.log(1800), 0.9, round(3 * hours)), 36000)
    count = int(np.searchsorted(np.cumsum(seconds), hours * 3600)) + 1
    return np.sort(seconds[:count])[::-1]


def by_shards(seconds: Sequence[float], cores: int) -> float:
    """Seconds until the last shard has ended."""
    loads = np.zeros(cores)
    for length, number in zip(seconds, Shard(1, cores).numbers(seconds, float), strict=True):
        loads[number - 1] += length * SCAN_S + WRITE_S
    return START_S + float(loads.max())


def by_units(seconds: Sequence[float], cores: int) -> tuple[float, float]:
    """Seconds until Ray has ended, and the most seconds of sound whose stretches are saved and not joined yet."""
    jobs: deque[tuple[int, float, float]] = deque()  # number of the recording, sound in seconds, work in seconds
    waiting = []
    for number, length in enumerate(seconds):
        count = math.ceil(length / STRETCH_S) if length > STRETCH_S else 0
        waiting.append(count)
        for unit in range(count):
            sound = min(STRETCH_S, length - unit * STRETCH_S)
            jobs.append((number, sound, sound * (SCAN_S - JOIN_S)))
        if not count:
            jobs.append((number, 0.0, length * SCAN_S + WRITE_S))
    running: list[tuple[float, tuple[int, float, float]]] = []
    now, saved, most = START_S, 0.0, 0.0
    while jobs or running:
        while jobs and len(running) < cores:
            job = jobs.popleft()
            heapq.heappush(running, (now + job[2], job))
        now, (number, sound, _) = heapq.heappop(running)
        saved += sound
        most = max(most, saved)
        if sound > 0:
            waiting[number] -= 1
            if not waiting[number]:
                length = seconds[number]
                jobs.appendleft((number, -length, length * JOIN_S + WRITE_S))
    return now, most


def bottleneck(wall_s: float, ideal_s: float, longest_s: float, read_mb_s: float) -> str:
    if read_mb_s > NETWORK_MB_S:
        return "reading: more than 10 Gbit/s"
    if wall_s > 1.1 * ideal_s:
        return "the longest recording" if longest_s > 0.9 * wall_s else "uneven ends"
    return "processor"


def main() -> None:
    header = ("hours", "cores", "way", "recordings", "wall_h", "core_h", "used", "input_tb", "read_mb_s", "results_gb")
    rows: list[Sequence[object]] = [(*header, "embeddings_gb", "saved_gb_at_most", "bottleneck")]
    for hours in (1e3, 1e4, 1e5):
        seconds = lengths(hours)
        total = float(seconds.sum())
        core_s = total * SCAN_S + len(seconds) * WRITE_S
        for cores in (1, 16, 256):
            for way, (wall, saved) in (
                ("shards", (by_shards(seconds.tolist(), cores), cores * float(seconds[0]))),
                ("ray", by_units(seconds.tolist(), cores)),
            ):
                read = total * INPUT_BYTES / wall / 1e6
                longest = START_S + float(seconds[0]) * SCAN_S if way == "shards" else 0.0
                rows.append(
                    (
                        *(round(hours), cores, way, len(seconds), round(wall / 3600, 2), round(core_s / 3600, 1)),
                        *(round(core_s / cores / wall, 3), round(total * INPUT_BYTES / 1e12, 2), round(read, 1)),
                        *(round(len(seconds) * RESULT_BYTES / 1e9, 1), round(total * VECTOR_BYTES / 1e9, 1)),
                        round(saved * SAVED_BYTES / 1e9, 2),
                        bottleneck(wall, core_s / cores, longest, read),
                    )
                )
    files.write_csv(RESULTS, rows)
    for row in rows:
        print(*row, sep="\t")


if __name__ == "__main__":
    main()
