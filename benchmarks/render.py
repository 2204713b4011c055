"""Measures the rendering speed of every artifact on one core, and of similar transforms of two other packages.

    python benchmarks/render.py [--seconds 5] [--rate 44100] [--rounds 88] [--peers DIRECTORY]

audiomentations requires an older soxr than this package. Install the other packages into a separate directory, so that
they replace nothing; it is searched last:

    pip install --target peers audiomentations fast-mp3-augment
    pip install --target peers --no-deps torch-audiomentations julius torch-pitch-shift primePy pyroomacoustics

In a round every engine renders one view of a mono clip at one of eleven severities, segments included. The two engines
of a class that both packages have (render_peers.py) run one right after the other, with random draws and checks
included, so that other load on the machine slows both; `ratio` is the median over the rounds of their time divided by
ours: above 1 ours is faster. The process is bound to one core if the system supports it (their mp3 would use two).
Rounds stop after 200 s. Prints a table and writes results/render.csv.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy starts its threads: the figures are per core
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from render_peers import SEVERITIES, ours, peers, write_responses
from scipy import signal

from contrastive_artifacts import artifacts
from contrastive_artifacts.core import files

RESULTS = Path(__file__).parent.parent / "results" / "render.csv"
LONGEST_S = 200.0
SLOW_S = 0.1  # groups that take longer in the first round run in every fourth round only
Render = Callable[[int], object]


def clip(seconds: float, rate: int) -> np.ndarray:
    """Coloured noise modulated like syllables with pauses, mono float32."""
    rng = np.random.default_rng(1)
    noise = signal.lfilter([1], [1, -0.9], rng.standard_normal(int(seconds * rate)))
    envelope = np.clip(np.sin(2 * np.pi * 2 * np.arange(len(noise)) / rate) + 0.5, 0, None)
    return (0.05 * noise * envelope).astype(np.float32)


def whole_range(name: str, wave: np.ndarray, rate: int) -> Render:
    """Renders at all severities in turn, with all random draws."""
    return lambda turn: artifacts.render(name, wave, rate, SEVERITIES[turn % len(SEVERITIES)], seed=turn)


def measure(groups: list[list[Render]], rounds: int) -> list[np.ndarray]:
    """Seconds ``[rounds, engines]`` of every group; the engines of a group run one right after the other."""
    spent: list[list[list[float]]] = [[] for _ in groups]
    begin = time.perf_counter()
    for turn in range(-1, rounds):  # the first round fills caches
        if time.perf_counter() - begin > LONGEST_S:
            print(f"stopped after {turn} rounds")
            break
        for group, rows in zip(groups, spent, strict=True):
            if rows and sum(rows[0]) > SLOW_S and turn % 4:
                continue
            count, row = len(rows), []
            for engine in group if count % 2 else group[::-1]:  # so that neither always starts with cold caches
                start = time.perf_counter()
                engine(count)
                row.append(time.perf_counter() - start)
            if turn >= 0:
                rows.append(row if count % 2 else row[::-1])
    return [np.array(rows) for rows in spent]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=int, default=44100)
    parser.add_argument("--rounds", type=int, default=88)
    parser.add_argument("--peers", type=Path, help="a directory with the other packages; it is searched last")
    options = parser.parse_args()
    if options.peers:
        sys.path.append(str(options.peers))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    wave = clip(options.seconds, options.rate)
    wide = np.stack([wave, np.roll(wave, 7)])
    here = {n: wave if artifacts.artifact(n).least_channels == 1 else wide for n in artifacts.names()}
    common = {"seconds": options.seconds, "rate": options.rate, "machine": platform.processor() or platform.machine()}
    command = f"python benchmarks/render.py {' '.join(sys.argv[1:])}".strip()
    common |= {"commit": files.commit(__file__), "command": command}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CONTRASTIVE_ARTIFACTS_RESPONSES"] = folder  # room_recorded and the other packages use the same ones
        write_responses(Path(folder), options.rate)
        shared = list(peers(wave, wide, options.rate, Path(folder)))
        groups = [[whole_range(name, samples, options.rate)] for name, samples in here.items()]
        groups += [[ours(row, here[row.artifact], options.rate), theirs] for _, row, theirs in shared]
        times = measure(groups, options.rounds)
    rows = [
        {"artifact": name, "engine": "here"} | _figures(spent[:, 0], options.seconds)
        for name, spent in zip(here, times, strict=False)
    ]
    ratios: dict[str, list[float]] = {}
    for (engine, row, _), spent in zip(shared, times[len(here) :], strict=True):
        ratio = float(np.median(spent[:, 1] / spent[:, 0]))
        ratios.setdefault(engine, []).append(ratio)
        rows.append(
            {"artifact": row.artifact, "engine": f"{engine} {_version(engine)}", "transform": row.transform}
            | _figures(spent[:, 1], options.seconds)
            | {"ms_here": f"{1000 * np.median(spent[:, 0]):.2f}", "ratio": f"{ratio:.2f}", "differs": row.differs}
        )
    for engine, values in ratios.items():
        rows.append({"artifact": f"median of {len(values)}", "engine": engine, "ratio": f"{np.median(values):.2f}"})
    _report(rows)
    RESULTS.parent.mkdir(exist_ok=True)
    columns = ("artifact", "engine", "transform", "ms", "views_per_s", "x_real_time", "x_real_time_slowest")
    columns += ("ms_here", "ratio", "differs", *common)
    with open(RESULTS, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=columns, restval="")
        writer.writeheader()
        writer.writerows(row | common for row in rows)
    print(f"written to {RESULTS}")


def _figures(spent: np.ndarray, seconds: float) -> dict[str, str]:
    median = float(np.median(spent))
    return {
        "ms": f"{1000 * median:.2f}",
        "views_per_s": f"{1 / median:.0f}",
        "x_real_time": f"{seconds / median:.0f}",
        "x_real_time_slowest": f"{seconds / spent.max():.0f}",
    }


def _report(rows: list[dict[str, str]]) -> None:
    print(f"{'artifact':16} {'engine':29} {'class':22} {'ms':>8} {'views/s':>8} {'ms here':>8} {'ratio':>6}")
    for row in rows:
        name, *figures = (row.get(key, "") for key in ("transform", "ms", "views_per_s", "ms_here", "ratio", "differs"))
        print(f"{row['artifact']:16} {row['engine']:29} {name:22}", end=" ")
        print("{:>8} {:>8} {:>8} {:>6}  {}".format(*figures).rstrip())


def _version(engine: str) -> str:
    try:
        return version(engine.replace("_", "-"))
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    main()
