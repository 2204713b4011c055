"""Random weights that are a function of key and shape alone, so that golden files need not store them."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor


def seeded_state(shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """Key -> float32 tensor of that shape (``num_batches_tracked``: int64), the same on every machine.

    Kernels are scaled by 1 / sqrt(fan-in), norm weights lie near 1, running variances between 0.5 and 1.5, biases and
    running means near 0; tokens and position embeddings (first of at least three axes is 1) are large enough to matter.
    """
    return {key: _tensor(key, tuple(shape)) for key, shape in shapes.items()}


def _tensor(key: str, shape: tuple[int, ...]) -> Tensor:
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    if key.endswith("num_batches_tracked"):
        return torch.ones(shape, dtype=torch.int64)
    if key.endswith("running_var"):
        values = rng.uniform(0.5, 1.5, shape)
    elif len(shape) < 2:
        values = 0.1 * rng.standard_normal(shape) + key.endswith("weight")
    else:
        embedding = len(shape) > 2 and shape[0] == 1
        values = rng.standard_normal(shape) * (0.3 if embedding else 1 / math.sqrt(math.prod(shape[1:])))
    return torch.from_numpy(np.asarray(values, np.float32))
