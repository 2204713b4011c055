"""Signals, published files where they are at hand, and files in the published layouts with random content."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def signals() -> Callable[[int], dict[str, torch.Tensor]]:
    """One second of three sounds at a rate, [1, rate]; the golden numbers belong to them."""

    def make(rate: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng(20)
        t = np.arange(rate) / rate
        noise = rng.normal(0, 0.1, rate)
        chirp = 0.5 * np.sin(2 * np.pi * (100 * t + 0.22 * rate * t * t))
        clicks = 0.9 * (np.arange(rate) % (rate // 8) == 0) + rng.normal(0, 1e-3, rate)
        named = {"noise": noise, "chirp": chirp, "clicks": clicks}
        return {name: torch.from_numpy(x.astype(np.float32))[None] for name, x in named.items()}

    return make


@pytest.fixture(scope="session")
def dev_weights() -> Path:
    """The folder of published weights, with subfolders yamnet and efficientat."""
    folder = os.environ.get("CA_DEV_WEIGHTS")
    if not folder:
        pytest.skip("CA_DEV_WEIGHTS is not set")
    return Path(folder)


@pytest.fixture(scope="session")
def mn04_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights under the published file's keys and shapes."""
    generator = torch.Generator().manual_seed(4)
    state = {}
    for key, shape in json.loads((GOLDEN / "mn04_keys.json").read_text()).items():
        if key.endswith("num_batches_tracked"):
            state[key] = torch.tensor(1)
        elif key.endswith("running_var"):
            state[key] = 0.5 + torch.rand(shape, generator=generator)
        else:
            fan = int(np.prod(shape[1:])) if len(shape) > 1 else 4
            state[key] = torch.randn(shape, generator=generator) * (1.5 / fan) ** 0.5 + (len(shape) == 1)
    path = tmp_path_factory.mktemp("mn04") / "random.pt"
    torch.save(state, path)
    return path


YAMNET_WIDTHS = (32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)


@pytest.fixture(scope="session")
def yamnet_arrays() -> dict[str, np.ndarray]:
    """Random weights under the names that Keras gives the published layers."""
    rng = np.random.default_rng(5)
    arrays: dict[str, np.ndarray] = {}

    def add(layer: str, kernel_name: str, shape: tuple[int, ...], channels: int) -> None:
        fan = np.prod(shape[:3]) if kernel_name == "kernel" else 9
        arrays[f"{layer}/{layer}/{kernel_name}:0"] = rng.normal(0, (2 / fan) ** 0.5, shape)
        arrays[f"{layer}/bn/{layer}/bn/beta:0"] = rng.normal(0, 0.5, channels)
        arrays[f"{layer}/bn/{layer}/bn/moving_mean:0"] = rng.normal(0, 0.5, channels)
        arrays[f"{layer}/bn/{layer}/bn/moving_variance:0"] = rng.uniform(0.5, 2, channels)

    add("layer1/conv", "kernel", (3, 3, 1, 32), 32)
    for index, (inputs, outputs) in enumerate(pairwise(YAMNET_WIDTHS), start=2):
        add(f"layer{index}/depthwise_conv", "depthwise_kernel", (3, 3, inputs, 1), inputs)
        add(f"layer{index}/pointwise_conv", "kernel", (1, 1, inputs, outputs), outputs)
    arrays["logits/logits/kernel:0"] = rng.normal(0, 0.03, (1024, 521))
    arrays["logits/logits/bias:0"] = rng.normal(0, 1, 521)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


@pytest.fixture(scope="session")
def yamnet_h5(yamnet_arrays: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    h5py = pytest.importorskip("h5py")
    path = tmp_path_factory.mktemp("yamnet") / "random.h5"
    with h5py.File(path, "w") as file:
        for name, array in yamnet_arrays.items():
            file[name] = array
        file.create_group("layer1/relu")  # Keras writes a group for layers without weights
    return path
