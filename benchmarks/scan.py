"""Measures how fast a scan with an encoder of label sets is on one core, and which part of it takes how long.

    python benchmarks/scan.py [FILE] [--encoder release] [--rounds 7]

FILE is any recording; by default two minutes of built-in sounds at 44.1 kHz. All is measured in processor time of one
thread, which other programs affect less than the time of day: the scan as a whole, and each kind of figures of eight
of its windows. Writes results/scan.csv: times real time (best round; median), and the share of the whole. "other" is
reading, cutting and joining, and what the parts take longer (or less long) within the scan than by themselves.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy is loaded

import numpy as np
import torch

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.core import files
from contrastive_artifacts.data import corpora
from contrastive_artifacts.embedding import FigureEmbedder, PretrainedEncoder, open_embedder
from contrastive_artifacts.embedding.opening import encoder_folder
from contrastive_artifacts.models import figures
from contrastive_artifacts.models.detail import numpy_detail
from contrastive_artifacts.models.detail.bands import log_bands
from contrastive_artifacts.models.slow import slow_figures
from contrastive_artifacts.models.traces import trace_figures

RESULTS = Path(__file__).parent.parent / "results" / "scan.csv"
RATE, SECONDS, WINDOWS = 44100, 120.0, 8
Part = Callable[[], object]


def built_in(folder: Path) -> Path:
    """A file of built-in sounds one after another."""
    corpus = corpora.create("builtin", sources=12, duration_s=SECONDS / 12, seed=0)
    sounds = [audio.resample(audio.mono(x), rate, RATE) for x, rate in map(corpus.load, corpus.clips)]
    path = folder / "sounds.wav"
    audio.write(path, np.concatenate(sounds), RATE)
    return path


def parts(embedder: FigureEmbedder, recording: np.ndarray, rate: int) -> dict[str, Part]:
    """Part -> function that computes it for WINDOWS windows spread over the recording [T]."""
    length = round(embedder.window_s * rate)
    starts = np.linspace(0, len(recording) - length, WINDOWS).astype(int)
    windows = [recording[start : start + length] for start in starts.tolist()]
    backbone, prepared = embedder.backbone, embedder.prepare_all(windows, rate)
    return {
        "detail figures": lambda: [numpy_detail(window[None], rate) for window in windows],
        "bands": lambda: [log_bands(window, rate) for window in windows],
        "slow figures": lambda: [slow_figures(window, rate) for window in windows],
        "traces": lambda: [trace_figures(window, rate) for window in windows],
        "backbone": lambda: figures.backbone_figures(windows, rate, backbone),
        "network": lambda: embedder.vectors_and_cells(prepared),
    }


def measured(runs: dict[str, Part], rounds: int) -> dict[str, list[float]]:
    """Processor time in seconds of each run in every round; the first round warms up and does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            start = time.process_time()
            run()
            seconds[name].append(time.process_time() - start)
    return {name: values[1:] for name, values in seconds.items()}


def table(path: Path, encoder: PretrainedEncoder, embedder: FigureEmbedder, rounds: int) -> list[dict[str, str]]:
    """Rows: the scan as a whole, then its parts."""
    waveform, rate = audio.read(path)
    recording = audio.downmix(waveform)
    whole = measured({"scan": lambda: ca.scan(path, encoder, progress=False)}, rounds)["scan"]
    speeds = {"scan": [len(recording) / rate / seconds for seconds in whole]}
    for name, values in measured(parts(embedder, recording, rate), rounds).items():
        speeds[name] = [WINDOWS * embedder.hop_s / seconds for seconds in values]
    shares = {name: max(speeds["scan"]) / max(speed) for name, speed in speeds.items()}
    rows = [
        {
            "part": name,
            "times_real_time": f"{max(speed):.1f}",
            "median": f"{statistics.median(speed):.1f}",
            "share": f"{shares[name]:.3f}",
        }
        for name, speed in speeds.items()
    ]
    return [*rows, {"part": "other", "times_real_time": "", "median": "", "share": f"{2 - sum(shares.values()):.3f}"}]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--encoder", default="release")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    embedder = open_embedder(encoder_folder(arguments.encoder))
    if not isinstance(embedder, FigureEmbedder):
        parser.error(f"{arguments.encoder} is not an encoder of label sets")
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.file or built_in(Path(folder))
        rows = table(path, ca.load(arguments.encoder), embedder, arguments.rounds)
    about = {
        "sound": "built-in" if arguments.file is None else arguments.file.name,
        "torch": torch.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "commit": files.commit(__file__),
        "command": f"python benchmarks/scan.py --encoder {arguments.encoder} --rounds {arguments.rounds}",
    }
    for row in rows:
        print(*row.values(), sep="\t")
    files.write_csv(RESULTS, [[*rows[0], *about], *([*row.values(), *about.values()] for row in rows)])
    print(f"-> {RESULTS}")


if __name__ == "__main__":
    main()
