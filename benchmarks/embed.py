"""Compares the embedding speed of the backbones on the CPU with the same networks in TFLite and ONNX Runtime.

    python benchmarks/embed.py WEIGHTS [--threads 1] [--seconds 30] [--rounds 7]

WEIGHTS is a folder that contains the published files of YAMNet (TFLite) and mn04, also in subfolders. All engines get
the same audio and number of threads and alternate within one run, so that other load on the machine slows all of them.
"here" is the frozen copy that Embedder runs, "here eager" the network as in training. Needs the extra ``bench``. Writes
results/embed.csv: compute seconds per second of audio (best round; median), and the best as a multiple of "here".
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
from pathlib import Path

import numpy as np
import torch
from engines import Network, Run, onnx_runtime, tflite, times

from contrastive_artifacts.core import files
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones import BACKBONES
from contrastive_artifacts.models.backbones.layers import as_image

RESULTS = Path(__file__).parent.parent / "results" / "embed.csv"


def find(folder: Path, name: str) -> Path:
    filename = BACKBONES[name].sources[0].filename
    for path in sorted(folder.rglob(filename)):
        return path
    sys.exit(f"{folder} holds no {filename}")


def engines(name: str, path: Path, seconds: float, threads: int) -> dict[tuple[str, str], Run]:
    """(part, engine) -> function to time; "waveform" includes the front-end, "network" begins at the spectrogram."""
    backbone = backbones.create(name, path)
    rng = np.random.default_rng(0)
    waveform = rng.normal(0, 0.1, int(seconds * backbone.sample_rate)).astype(np.float32)
    tensor = torch.from_numpy(waveform)[None]
    spectrogram = backbone.frontend(tensor)
    image = as_image(spectrogram.flatten(0, -3))  # patches or one long spectrogram
    network = Network(backbone).eval()
    frozen = backbones.freeze(backbone)

    def ours() -> None:
        with torch.inference_mode():
            frozen(tensor)

    def ours_eager() -> None:
        with torch.inference_mode():
            backbone(tensor)

    def ours_bfloat16() -> None:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            backbone(tensor)

    def ours_network() -> None:
        with torch.inference_mode():
            frozen.blocks(image).mean((2, 3))

    def ours_eager_network() -> None:
        with torch.inference_mode():
            network(image)

    runs: dict[tuple[str, str], Run] = {
        ("waveform", "here"): ours,
        ("waveform", "here eager"): ours_eager,
        ("waveform", "here eager bfloat16"): ours_bfloat16,
        ("network", "here"): ours_network,
        ("network", "here eager"): ours_eager_network,
        ("network", "onnxruntime float32"): onnx_runtime(network, image, threads),
    }
    if path.suffix == ".tflite":
        runs["waveform", "tflite int8"] = tflite(path, waveform, threads)
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    about = {
        "threads": arguments.threads,
        "torch": torch.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }
    about |= {
        "commit": files.commit(__file__),
        "command": " ".join(
            ["python benchmarks/embed.py WEIGHTS", f"--threads {arguments.threads}", f"--rounds {arguments.rounds}"]
        ),
    }
    rows = []
    for name in ("yamnet", "mn04"):
        path = find(arguments.weights, name)
        measurements = times(engines(name, path, arguments.seconds, arguments.threads), arguments.rounds)
        for (part, engine), seconds in sorted(measurements.items()):
            row = {"backbone": name, "part": part, "engine": engine}
            row |= {"seconds_per_audio_second": f"{min(seconds) / arguments.seconds:.6f}"}
            row |= {"median": f"{statistics.median(seconds) / arguments.seconds:.6f}"}
            row |= {"times_of_here": f"{min(seconds) / min(measurements[part, 'here']):.2f}"}
            print(*row.values(), sep="\t")
            rows.append(row | about)
    files.write_csv(RESULTS, [list(rows[0]), *(row.values() for row in rows)])
    print(f"-> {RESULTS}")


if __name__ == "__main__":
    main()
