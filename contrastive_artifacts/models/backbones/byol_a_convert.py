"""A state dict of BYOL-A's encoder -> tensors under the names of this package."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path

from torch import Tensor

from .layers import fold_batch_norm
from .published import torch_state
from .spec import State, Weights

BATCH_NORM_EPS = 1e-5
_PARTS = ("conv.weight", "conv.bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var")
ORDER = (
    *(f"blocks.{block}.0.{part}" for block in (0, 1) for part in _PARTS),
    *(f"mlp.{layer}.{leaf}" for layer in (0, 2) for leaf in ("weight", "bias")),
)
_STEPS = "num_batches_tracked"  # used in training only


def convert(path: Path) -> Weights:
    """Reads the ``.pth`` of the encoder with its batch norms folded; it has no AudioSet head.

    Raises:
        WeightsError: the file is not a state dict of tensors. Unknown keys keep their names, so that strict loading
            reports them.
    """
    return Weights(fold_batch_norm(rename(torch_state(path)), BATCH_NORM_EPS), {})


def rename(state: Mapping[str, Tensor]) -> State:
    """Tensors in the order of the layers -> keys of this package, by this order and the last part of their names.

    The paper does not give the names of the layers. The bias of a convolution is subtracted from the running mean of
    the batch norm after it, which has the same effect.
    """
    renamed: State = {}
    keys = [key for key in state if not key.endswith(_STEPS)]
    for key, target in zip_longest(keys, ORDER):
        if key is not None:
            fits = target is not None and key.rpartition(".")[2] == target.rpartition(".")[2]
            renamed[target if fits else key] = state[key]
    for block in (0, 1):
        bias, mean = f"blocks.{block}.0.conv.bias", f"blocks.{block}.0.norm.running_mean"
        if bias in renamed and mean in renamed and renamed[bias].shape == renamed[mean].shape:
            renamed[mean] = renamed[mean] - renamed.pop(bias)
    return renamed
