"""Rendering speed of every artifact on one core, beside the same class of audiomentations where that is installed.

    python benchmarks/render.py [--seconds 5] [--rate 44100] [--rounds 60]

A round renders one view of a mono clip at one of eleven severities, segments included; the transforms take turns, so
that a busy machine slows all of them. Prints a table and writes results/render.csv: views per second, times real time
in the median round, and times real time in the slowest. A class of audiomentations whose own dependencies are missing
is left out, and named.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy starts its threads: the figures are per core

import numpy as np
from scipy import signal

from contrastive_artifacts import artifacts

RESULTS = Path(__file__).parent.parent / "results" / "render.csv"
SLOW = ("codec",)  # a real encoder: a tenth of the rounds are enough
Render = Callable[[int], object]


def clip(seconds: float, rate: int) -> np.ndarray:
    """Coloured noise in syllables with pauses, mono float32."""
    rng = np.random.default_rng(1)
    noise = signal.lfilter([1], [1, -0.9], rng.standard_normal(int(seconds * rate)))
    envelope = np.clip(np.sin(2 * np.pi * 2 * np.arange(len(noise)) / rate) + 0.5, 0, None)
    return (0.05 * noise * envelope).astype(np.float32)


def ours(name: str, wave: np.ndarray, rate: int) -> Render:
    return lambda turn: artifacts.render(name, wave, rate, severity=(turn % 11) / 10, seed=turn)


def theirs(wave: np.ndarray, rate: int) -> dict[str, Render]:
    """audiomentations' transforms of the same classes, over the same ranges where it has them."""
    try:
        import audiomentations as am
    except ImportError:
        return {}
    makers: dict[str, Callable[[], Callable[..., object]]] = {
        "hiss": lambda: am.AddGaussianSNR(min_snr_db=5, max_snr_db=40, p=1.0),
        "clipping": lambda: am.ClippingDistortion(min_percentile_threshold=0, max_percentile_threshold=20, p=1.0),
        "dropout": lambda: am.TimeMask(min_band_part=0.005, max_band_part=0.15, p=1.0),
        "codec": lambda: am.Mp3Compression(min_bitrate=8, max_bitrate=64, p=1.0),
        "bandlimit": lambda: am.LowPassFilter(min_cutoff_freq=3400, max_cutoff_freq=8000, p=1.0),
    }
    runs: dict[str, Render] = {}
    for name, make in makers.items():
        try:
            transform = make()
            transform(samples=wave, sample_rate=rate)
        except ImportError as error:
            print(f"audiomentations {name} left out: {error}")
            continue
        runs[name] = lambda turn, transform=transform: transform(samples=wave, sample_rate=rate)
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=int, default=44100)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    wave = clip(options.seconds, options.rate)
    engines = {("here", name): ours(name, wave, options.rate) for name in artifacts.names()}
    engines |= {("audiomentations", name): run for name, run in theirs(wave, options.rate).items()}
    times: dict[tuple[str, str], list[float]] = {key: [] for key in engines}
    for turn in range(options.rounds + 1):
        for key, run in engines.items():
            if key[1] in SLOW and turn % 10 > 1:
                continue
            begin = time.perf_counter()
            run(turn)
            if turn:  # the first round fills caches
                times[key].append(time.perf_counter() - begin)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    common = {
        "seconds": options.seconds,
        "rate": options.rate,
        "machine": platform.processor() or platform.machine(),
        "commit": commit,
        "command": f"python benchmarks/render.py {' '.join(sys.argv[1:])}".strip(),
    }
    rows = []
    for (engine, name), spent in sorted(times.items(), key=lambda item: artifacts.names().index(item[0][1])):
        median, worst = float(np.median(spent)), max(spent)
        rows.append(
            {
                "artifact": name,
                "engine": engine if engine == "here" else f"{engine} {version(engine)}",
                "views_per_s": f"{1 / median:.0f}",
                "x_real_time": f"{options.seconds / median:.0f}",
                "x_real_time_slowest": f"{options.seconds / worst:.0f}",
                **common,
            }
        )
    print(f"{'artifact':12} {'engine':22} {'views/s':>8} {'x real time':>12} {'slowest':>8}")
    for row in rows:
        figures = f"{row['views_per_s']:>8} {row['x_real_time']:>12} {row['x_real_time_slowest']:>8}"
        print(f"{row['artifact']:12} {row['engine']:22} {figures}")
    RESULTS.parent.mkdir(exist_ok=True)
    with open(RESULTS, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
