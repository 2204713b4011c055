"""Compares the speed of every family of backbones on the CPU with a reference implementation or another engine.

    python benchmarks/backbones.py [NAME ...] [--weights FOLDER] [--threads 1] [--rounds 15] [--most 90]

YAMNet is compared with TFLite (its published file, if FOLDER has it) and ONNX Runtime, mn04 with ONNX Runtime, AST and
CLAP with transformers and its feature extractors (same random weights; equal vectors are asserted first), PaSST and
BEATs with attention computed step by step instead of fused, Cnn14 and any other with the network as in training. Speed
does not depend on the weights, so they are random. In each round all engines of a backbone run one after the other;
``ratio`` is the median over the rounds of an engine's time divided by that of "here". One thread is measured in
processor time, which other programs affect little. Needs the extra ``bench``. Writes results/backbones.csv.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from engines import Network, Run, onnx_runtime, tflite, times
from torch.nn.attention import SDPBackend, sdpa_kernel

from contrastive_artifacts.core import files
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones import BACKBONES, Backbone, clap_convert, huggingface
from contrastive_artifacts.models.backbones import spectrogram_transformer_convert as ast_convert
from contrastive_artifacts.models.backbones.layers import as_image

RESULTS = Path(__file__).parent.parent / "results" / "backbones.csv"
Engines = dict[tuple[str, str], Run]  # (part, engine); "network" begins at the spectrogram, "waveform" before it
NAMES = ("yamnet", "mn04", "cnn14", "ast", "clap", "passt_s_kd_p16_128_ap486", "beats_iter3_plus")
HERE = "here"
SECONDS = {"ast": 10.24}  # the input length of AST: the published extractor pads nothing; others 10 s


def convolutional(backbone: Backbone, waveform: np.ndarray, threads: int, weights: Path | None) -> Engines:
    image = as_image(backbone.frontend(torch.from_numpy(waveform)[None]).flatten(0, -3))
    network, frozen = Network(backbone).eval(), backbones.freeze(backbone)
    engines = measured(backbone, waveform, "eager")
    engines["network", HERE] = quiet(lambda: frozen.blocks(image).mean((2, 3)))
    engines["network", "onnxruntime float32"] = onnx_runtime(network, image, threads)
    for source in BACKBONES["yamnet"].sources if backbone.record["backbone"] == "yamnet" and weights else ():
        for path in sorted(weights.rglob(source.filename)) if source.suffix == ".tflite" else ():
            engines["waveform", "tflite int8"] = tflite(path, waveform, threads)
    return engines


def against_ast(backbone: Backbone, waveform: np.ndarray, threads: int, weights: Path | None) -> Engines:
    library = huggingface.transformers()
    extractor = library.ASTFeatureExtractor()
    model = library.ASTModel(library.ASTConfig(attn_implementation="eager")).eval()
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)  # with the published key names, which differ from those in memory
        backbone.load_state_dict(ast_convert.convert(Path(folder) / "model.safetensors", rows=12).backbone)

    def extracted() -> torch.Tensor:
        return extractor(waveform, sampling_rate=16000, return_tensors="pt")["input_values"]

    agree(lambda: model(extracted()).pooler_output, backbone, waveform)
    engines = measured(backbone, waveform, "attention spelled out")
    engines["waveform", "transformers eager"] = quiet(lambda: model(extracted()))
    engines["front-end", "transformers"] = quiet(extracted)
    return engines


def against_clap(backbone: Backbone, waveform: np.ndarray, threads: int, weights: Path | None) -> Engines:
    library = huggingface.transformers()
    extractor = library.ClapFeatureExtractor(
        frequency_min=50, frequency_max=14000, truncation="rand_trunc", padding="repeatpad"
    )
    model = library.ClapAudioModel(backbone.network.config).eval()
    state = {f"audio_model.{key}": value for key, value in model.state_dict().items()}
    backbone.load_state_dict(clap_convert.rename(state), strict=False)

    def extracted() -> torch.Tensor:
        return extractor(waveform, sampling_rate=48000, return_tensors="pt")["input_features"]

    agree(lambda: model(extracted()).pooler_output, backbone, waveform)
    engines = measured(backbone, waveform, "")
    engines["waveform", "transformers eager"] = quiet(lambda: model(extracted()))
    engines["front-end", "transformers"] = quiet(extracted)
    return engines


def against_itself(backbone: Backbone, waveform: np.ndarray, threads: int, weights: Path | None) -> Engines:
    return measured(backbone, waveform, "eager")


def spelled_out(backbone: Backbone, waveform: np.ndarray, threads: int, weights: Path | None) -> Engines:
    return measured(backbone, waveform, "attention spelled out")


PEERS: dict[str, Callable[[Any, np.ndarray, int, Path | None], Engines]] = {
    **dict.fromkeys(("yamnet", "mn04"), convolutional),
    **dict.fromkeys(("passt_s_kd_p16_128_ap486", "beats_iter3_plus"), spelled_out),
    "ast": against_ast,
    "clap": against_clap,
}


def measured(backbone: Backbone, waveform: np.ndarray, other: str) -> Engines:
    """The frozen copy that embedding uses, its front-end, and the network in the variant ``other``, if any."""
    tensor, frozen = torch.from_numpy(waveform)[None], backbones.freeze(backbone)
    engines: Engines = {
        ("waveform", HERE): quiet(lambda: frozen(tensor)),
        ("front-end", HERE): quiet(lambda: backbone.frontend(tensor)),
    }
    if other:
        plain = nullcontext if other == "eager" else partial(sdpa_kernel, SDPBackend.MATH)
        engines["waveform", f"here, {other}"] = quiet(lambda: backbone(tensor), plain)
    return engines


def quiet(run: Run, around: Callable[[], AbstractContextManager[Any]] = nullcontext) -> Run:
    """``run`` without gradients, within a context from ``around``."""

    def timed() -> object:
        with torch.inference_mode(), around():
            return run()

    return timed


def agree(theirs: Callable[[], torch.Tensor], backbone: Backbone, waveform: np.ndarray) -> None:
    """Asserts that both compute the same; otherwise their times could not be compared."""
    with torch.inference_mode():
        summary = backbone(torch.from_numpy(waveform)[None]).summary
        np.testing.assert_allclose(theirs().numpy(), summary.numpy(), atol=2e-3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--weights", type=Path, help="folder with YAMNet's TFLite file")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--most", type=float, default=90.0, help="seconds for one backbone, after three rounds")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    clock = time.process_time if arguments.threads == 1 else time.perf_counter
    about = {
        "clock": clock.__name__,
        "threads": arguments.threads,
        "torch": torch.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "commit": files.commit(__file__),
        "command": f"python benchmarks/backbones.py --threads {arguments.threads} "
        f"--rounds {arguments.rounds} --most {arguments.most:g}" + (" --weights WEIGHTS" * bool(arguments.weights)),
    }
    rows = []
    for name in arguments.names:
        torch.manual_seed(0)
        backbone = backbones.create(name, "none", **BACKBONES[name].options)
        rng = np.random.default_rng(0)
        length = SECONDS.get(name, 10.0)
        waveform = rng.normal(0, 0.1, round(length * backbone.sample_rate)).astype(np.float32)
        engines = PEERS.get(name, against_itself)(backbone, waveform, arguments.threads, arguments.weights)
        measurements = times(engines, arguments.rounds, arguments.most, clock)
        for (part, engine), seconds in sorted(measurements.items()):
            base = measurements.get((part, HERE), seconds)
            ratio = statistics.median(theirs / ours for theirs, ours in zip(seconds, base, strict=True))
            row: dict[str, Any] = {"backbone": name, "part": part, "engine": engine}
            row |= {"seconds_per_audio_second": f"{statistics.median(seconds) / length:.6f}"}
            row |= {"fastest": f"{min(seconds) / length:.6f}", "ratio": f"{ratio:.2f}"}
            row |= {"rounds": len(seconds)}
            print(*row.values(), sep="\t", flush=True)
            rows.append(row | about)
    files.write_csv(RESULTS, [list(rows[0]), *(row.values() for row in rows)])
    print(f"-> {RESULTS}")


if __name__ == "__main__":
    main()
