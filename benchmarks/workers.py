"""Times a scan of a folder by one and two processes, and by one and two workers of Ray, each command in turn.

    python benchmarks/workers.py [--files 4] [--minutes 13] [--rounds 1]

The folder holds FLAC files of built-in sounds at 44.1 kHz. Times are those of a whole command, from its start to its
report, so they include importing, opening the encoder, and starting and stopping Ray. Needs the extra `ray`, and as
many idle cores as workers. Writes results/workers.csv: seconds, times real time, and the load before the command.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from contrastive_artifacts import audio
from contrastive_artifacts.core import files
from contrastive_artifacts.data import corpora

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results" / "workers.csv"
COMMANDS = ("workers=1", "workers=2", "engine=ray ray.num_cpus=1", "engine=ray ray.num_cpus=2")
HEADER = ["settings", "round", "files", "minutes_each", "seconds", "times_real_time", "load", "machine", "commit"]
RATE, SOUND_S = 44100, 10.0


def write_recordings(folder: Path, count: int, minutes: float) -> None:
    sounds = round(60 * minutes / SOUND_S)
    corpus = corpora.create("builtin", sources=count * sounds, duration_s=SOUND_S, sample_rate=RATE, seed=0)
    for number in range(count):
        clips = corpus.clips[number * sounds : (number + 1) * sounds]
        joined = np.concatenate([audio.mono(corpus.load(clip)[0]) for clip in clips])
        audio.write(folder / f"{number}.flac", joined, RATE)


def seconds_of(settings: str, recordings: Path) -> float:
    with tempfile.TemporaryDirectory() as out:
        words = [str(ROOT / "scripts" / "scan.py"), str(recordings), f"out={out}", *settings.split()]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        start = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, env=environment, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=13)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder:
        write_recordings(Path(folder), arguments.files, arguments.minutes)
        for number in range(arguments.rounds):
            for settings in COMMANDS:
                load = os.getloadavg()[0]
                seconds = seconds_of(settings, Path(folder))
                speed = 60 * arguments.files * arguments.minutes / seconds
                about = [f"{load:.1f}", machine, files.commit(__file__)]
                measured = [f"{seconds:.1f}", f"{speed:.1f}", *about]
                rows.append([settings, number, arguments.files, arguments.minutes, *measured])
                print(f"{settings}: {seconds:.1f} s, {speed:.1f} times real time", flush=True)
                files.write_csv(RESULTS, [HEADER, *rows])
    print(f"-> {RESULTS}")


if __name__ == "__main__":
    main()
