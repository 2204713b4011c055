"""Other engines for the same networks, and the timing: all engines alternate within one run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnxruntime
import torch
from ai_edge_litert.interpreter import Interpreter

from contrastive_artifacts.models.backbones import Backbone
from contrastive_artifacts.models.frontends import yamnet_mel

Run = Callable[[], object]
Key = TypeVar("Key", bound=Hashable)


class Network(torch.nn.Module):
    """The layers of a convolutional backbone between spectrogram and frames, for export."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.blocks = torch.nn.Sequential(*backbone.layer_groups())

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.blocks(image).mean((2, 3))


def onnx_runtime(network: Network, image: torch.Tensor, threads: int) -> Run:
    """The network exported to ONNX; its output is compared with that of torch first."""
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
    """One call per window of YAMNet: the input of its TFLite file is fixed at 0.975 s."""
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


def times(
    runs: dict[Key, Run], rounds: int, most_s: float = float("inf"), clock: Callable[[], float] = time.perf_counter
) -> dict[Key, list[float]]:
    """Seconds of each run in every round; after three rounds, no round begins later than ``most_s`` seconds."""
    seconds: dict[Key, list[float]] = {key: [] for key in runs}
    began = time.perf_counter()
    for done in range(rounds + 1):  # the first round warms up
        if done > 3 and time.perf_counter() - began > most_s:
            break
        for key, run in runs.items():
            start = clock()
            run()
            seconds[key].append(clock() - start)
    return {key: values[1:] for key, values in seconds.items()}
