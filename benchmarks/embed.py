"""Embedding speed: this package's backbones on the CPU against the same networks in TFLite and ONNX Runtime.

    python benchmarks/embed.py WEIGHTS [--threads 1] [--seconds 30] [--rounds 7]

WEIGHTS is a folder with the published files of YAMNet (TFLite) and mn04, in it or in its subfolders. All engines get
the same audio and thread count and take turns within one run, so that a busy machine slows all of them. "here" is the
frozen copy that Embedder runs, "here eager" the network as it is trained. Needs the extra ``bench``. Writes
results/embed.csv: compute seconds per second of audio (best round; median), and the best as a multiple of "here".
"""

from __future__ import annotations

import argparse
import csv
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from ai_edge_litert.interpreter import Interpreter

from contrastive_artifacts import backbones
from contrastive_artifacts.backbones import BACKBONES, Backbone
from contrastive_artifacts.backbones.layers import as_image
from contrastive_artifacts.frontends import yamnet_mel

RESULTS = Path(__file__).parent.parent / "results" / "embed.csv"
Run = Callable[[], object]


class Network(torch.nn.Module):
    """The layers between spectrogram and frames, for export."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.blocks = torch.nn.Sequential(*backbone.stages())

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.blocks(image).mean((2, 3))


def find(folder: Path, name: str) -> Path:
    filename = BACKBONES[name].sources[0].filename
    for path in sorted(folder.rglob(filename)):
        return path
    sys.exit(f"{folder} holds no {filename}")


def onnx_runtime(network: Network, image: torch.Tensor, threads: int) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        torch.onnx.export(network, (image,), path, dynamo=True, verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: image.contiguous().numpy()}
    with torch.no_grad():
        np.testing.assert_allclose(session.run(None, inputs)[0], network(image).numpy(), atol=1e-3)
    return lambda: session.run(None, inputs)


def tflite(path: Path, waveform: np.ndarray, threads: int) -> Run:
    """One call for each published window: its input is fixed at 0.975 s."""
    interpreter = Interpreter(str(path), num_threads=threads)
    interpreter.allocate_tensors()
    index = interpreter.get_input_details()[0]["index"]
    padded = np.pad(waveform, (0, yamnet_mel.padded_samples(len(waveform)) - len(waveform)))
    starts = range(0, len(padded) - yamnet_mel.PATCH_SAMPLES + 1, yamnet_mel.PATCH_HOP_SAMPLES)

    def run() -> None:
        for start in starts:
            interpreter.set_tensor(index, padded[start : start + yamnet_mel.PATCH_SAMPLES])
            interpreter.invoke()

    return run


def engines(name: str, path: Path, seconds: float, threads: int) -> dict[tuple[str, str], Run]:
    """(part, engine) -> what to time; "waveform" includes the front-end, "network" begins at the spectrogram."""
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

    found: dict[tuple[str, str], Run] = {
        ("waveform", "here"): ours,
        ("waveform", "here eager"): ours_eager,
        ("waveform", "here eager bfloat16"): ours_bfloat16,
        ("network", "here"): ours_network,
        ("network", "here eager"): ours_eager_network,
        ("network", "onnxruntime float32"): onnx_runtime(network, image, threads),
    }
    if path.suffix == ".tflite":
        found["waveform", "tflite int8"] = tflite(path, waveform, threads)
    return found


def times(runs: dict[tuple[str, str], Run], rounds: int) -> dict[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = {key: [] for key in runs}
    for _ in range(rounds + 1):  # the first round warms up
        for key, run in runs.items():
            start = time.perf_counter()
            run()
            found[key].append(time.perf_counter() - start)
    return {key: seconds[1:] for key, seconds in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    about = {
        "threads": arguments.threads,
        "torch": torch.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }
    about |= {
        "commit": commit.stdout.strip(),
        "command": " ".join(
            ["python benchmarks/embed.py WEIGHTS", f"--threads {arguments.threads}", f"--rounds {arguments.rounds}"]
        ),
    }
    rows = []
    for name in ("yamnet", "mn04"):
        path = find(arguments.weights, name)
        found = times(engines(name, path, arguments.seconds, arguments.threads), arguments.rounds)
        for (part, engine), seconds in sorted(found.items()):
            row = {"backbone": name, "part": part, "engine": engine}
            row |= {"seconds_per_audio_second": f"{min(seconds) / arguments.seconds:.6f}"}
            row |= {"median": f"{statistics.median(seconds) / arguments.seconds:.6f}"}
            row |= {"times_of_here": f"{min(seconds) / min(found[part, 'here']):.2f}"}
            print(*row.values(), sep="\t")
            rows.append(row | about)
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print(f"-> {RESULTS}")


if __name__ == "__main__":
    main()
