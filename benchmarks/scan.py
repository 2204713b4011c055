"""Measures how fast a scan with an encoder of label sets is on one core, which part takes how long, and the memory.

    python benchmarks/scan.py [FILE] [--encoder release] [--rounds 7] [--minutes 10 60 180]

FILE is any recording; by default two minutes of built-in sounds at 44.1 kHz. Times are processor time of one thread,
which other programs affect less than the time of day: of the scan as a whole, of each of its parts over eight of its
windows (decoding and what is measured without a network over the whole file), of the same scan one window at a time,
and of a plain loop of librosa, the backbone and a linear classifier of scikit-learn (if librosa is installed; it hears
one label and none of the figures). Peak memory is that of a process that scans a FLAC file of each number of minutes,
the sounds over and over. Writes results/scan.csv: times real time (best round; median), and the share of the scan;
megabytes. "other" is cutting and joining, and what the parts take longer (or less long) within the scan than alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy is loaded

import numpy as np
import soundfile
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
from contrastive_artifacts.models.slow import ghosts, levels, speed
from contrastive_artifacts.models.slow.figures import RATE as SLOW_RATE
from contrastive_artifacts.models.traces import copies, lows, notches, repeats
from contrastive_artifacts.scan.measured import Meter

RESULTS = Path(__file__).parent.parent / "results" / "scan.csv"
RATE, SECONDS, WINDOWS = 44100, 120.0, 8
Part = Callable[[], object]
PEAK = """
import resource, sys
import contrastive_artifacts as ca
ca.scan(sys.argv[1], ca.load(sys.argv[2]), progress=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def built_in(folder: Path) -> Path:
    """A file of built-in sounds one after another."""
    corpus = corpora.create("builtin", sources=12, duration_s=SECONDS / 12, seed=0)
    sounds = [audio.resample(audio.mono(x), rate, RATE) for x, rate in map(corpus.load, corpus.clips)]
    path = folder / "sounds.wav"
    audio.write(path, np.concatenate(sounds), RATE)
    return path


def parts(embedder: FigureEmbedder, recording: np.ndarray, rate: int) -> dict[str, Part]:
    """Part -> function that computes it for WINDOWS windows, pairs of neighbours spread over the recording [T]."""
    lengths = (round(s * rate) for s in (embedder.window_s, embedder.hop_s, embedder.context_s))
    cuts = audio.windows.cut(recording[None], *lengths)
    firsts = np.linspace(0, len(cuts) // 2 - 1, WINDOWS // 2).astype(int) * 2
    windows, contexts = audio.windows.mixed([cuts[n + side] for n in firsts.tolist() for side in (0, 1)])
    backbone, prepared = embedder.backbone, embedder.prepare_all(windows, rate, contexts)
    shared = contexts[::2] if contexts[0] is contexts[1] else contexts
    slow = [audio.resample(context, rate, SLOW_RATE) for context in shared]
    at_backbone = [audio.resample(window, rate, backbone.sample_rate) for window in windows] if backbone else windows
    resampled = [(shared, SLOW_RATE), *([(windows, backbone.sample_rate)] if backbone else [])]
    runs: dict[str, Part] = {
        "resampling": lambda: [audio.resample(sound, rate, to) for sounds, to in resampled for sound in sounds],
        "detail figures": lambda: [numpy_detail(window[None], rate) for window in windows],
        "bands": lambda: [log_bands(window, rate) for window in windows],
    }
    for family in (levels, speed, ghosts):
        runs[family.__name__.split(".", 2)[-1]] = partial(_figures, family, slow, SLOW_RATE)
    for other in (copies, repeats, lows, notches):
        runs[other.__name__.split(".", 2)[-1]] = partial(_figures, other, windows, rate)
    return runs | {
        "backbone": lambda: figures.backbone_figures(at_backbone, backbone.sample_rate if backbone else rate, backbone),
        "probe": lambda: embedder.vectors_and_cells(prepared),
    }


def _figures(family: Any, windows: list[np.ndarray], rate: int) -> list[np.ndarray]:
    return [family.figures(window / np.float32(max(np.abs(window).max(), 1e-30)), rate) for window in windows]


def whole_file(path: Path) -> dict[str, Part]:
    """Parts that take the file as a whole: decoding, and what is measured without a network."""
    blocks = list(audio.MediaFile(path).blocks(RATE * 10))
    info = audio.probe(path)

    def measure() -> object:
        meter = Meter(info.channels, info.sample_rate)
        return [meter.add(position, block) for position, block in blocks] and meter.measured()

    return {"decoding": lambda: sum(block.size for _, block in audio.MediaFile(path).blocks(RATE * 10)),
            "measured": measure}  # fmt: skip


def plain_loop(path: Path, embedder: FigureEmbedder) -> dict[str, Part]:
    """librosa, the backbone and a classifier of scikit-learn, window by window; nothing without librosa."""
    if embedder.backbone is None or importlib.util.find_spec("librosa") is None:
        return {}
    import librosa
    from sklearn.linear_model import LogisticRegression

    backbone = embedder.backbone
    rate, length, hop = backbone.sample_rate, round(embedder.window_s * RATE), round(embedder.hop_s * RATE)
    rows = np.random.default_rng(0).standard_normal((64, backbone.dim))
    classifier = LogisticRegression().fit(rows, np.arange(64) % 31)

    def scan() -> object:
        sound, native = librosa.load(path, sr=None, mono=True)
        probabilities = []
        for start in range(0, len(sound) - length + 1, hop):
            window = librosa.resample(sound[start : start + length], orig_sr=native, target_sr=rate)
            with torch.inference_mode():
                frames = backbone(torch.from_numpy(window)[None]).frames
            probabilities.append(classifier.predict_proba(frames.mean(1).numpy()))
        return probabilities

    return {"librosa + network + scikit-learn": scan}


def peak_memory(path: Path, encoder: str, minutes: float) -> int:
    """Megabytes of a process that scans a FLAC file of so many minutes, the sounds of a file over and over."""
    waveform, rate = audio.read(path)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "long.flac"
        with soundfile.SoundFile(target, "w", rate, len(waveform), "PCM_16") as stream:
            for first in range(0, round(minutes * 60 * rate), waveform.shape[1]):
                stream.write(waveform[:, : round(minutes * 60 * rate) - first].T)
        command = [sys.executable, "-c", PEAK, str(target), encoder]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout) // 1000


def measured(runs: dict[str, Part], rounds: int) -> dict[str, list[float]]:
    """Processor time in seconds of each run in every round; the first round warms up and does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            start = time.process_time()
            run()
            seconds[name].append(time.process_time() - start)
    return {name: values[1:] for name, values in seconds.items()}


def table(
    path: Path, encoder: PretrainedEncoder, embedder: FigureEmbedder, rounds: int, memory: dict[float, int]
) -> list[dict[str, str]]:
    """Rows: the scan as a whole, its parts, what it is compared with, memory."""
    waveform, rate = audio.read(path)
    recording = audio.downmix(waveform)
    seconds = len(recording) / rate
    whole = {"scan": lambda: ca.scan(path, encoder, progress=False)}
    others = {"scan, one window at a time": lambda: ca.scan(path, encoder, progress=False, batch=1)}
    inside = whole_file(path)
    speeds = {
        name: [seconds / each for each in values]
        for name, values in measured(whole | inside | others | plain_loop(path, embedder), rounds).items()
    }
    of_windows = measured(parts(embedder, recording, rate), rounds)
    speeds |= {name: [WINDOWS * embedder.hop_s / each for each in values] for name, values in of_windows.items()}
    shares = {name: max(speeds["scan"]) / max(speeds[name]) for name in ("scan", *inside, *of_windows)}
    order = [*shares, *(name for name in speeds if name not in shares)]
    rows = [_row(name, f"{max(speeds[name]):.1f}", f"{statistics.median(speeds[name]):.1f}", shares.get(name))
            for name in order]  # fmt: skip
    rows.insert(len(shares), _row("other", share=2 - sum(shares.values())))
    return rows + [_row(f"peak memory, {minutes:g} min", megabytes=str(size)) for minutes, size in memory.items()]


def _row(
    part: str, best: str = "", median: str = "", share: float | None = None, megabytes: str = ""
) -> dict[str, str]:
    text = "" if share is None else f"{share:.3f}"
    return {"part": part, "times_real_time": best, "median": median, "share": text, "megabytes": megabytes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--encoder", default="release")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--minutes", type=float, nargs="*", default=[10.0, 60.0, 180.0])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    embedder = open_embedder(encoder_folder(arguments.encoder))
    if not isinstance(embedder, FigureEmbedder):
        parser.error(f"{arguments.encoder} is not an encoder of label sets")
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.file or built_in(Path(folder))
        memory = {minutes: peak_memory(path, arguments.encoder, minutes) for minutes in arguments.minutes}
        rows = table(path, ca.load(arguments.encoder), embedder, arguments.rounds, memory)
    about = {
        "sound": "built-in" if arguments.file is None else arguments.file.name,
        "torch": torch.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "commit": files.commit(__file__),
        "command": f"python benchmarks/scan.py --encoder {arguments.encoder} --rounds {arguments.rounds} "
        f"--minutes {' '.join(f'{minutes:g}' for minutes in arguments.minutes)}",
    }
    for row in rows:
        print(*row.values(), sep="\t")
    files.write_csv(RESULTS, [[*rows[0], *about], *([*row.values(), *about.values()] for row in rows)])
    print(f"-> {RESULTS}")


if __name__ == "__main__":
    main()
