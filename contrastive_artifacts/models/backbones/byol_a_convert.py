"""A state dict of BYOL-A's encoder -> tensors under this package's names."""

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
_STEPS = "num_batches_tracked"  # of the training: not used in evaluation


def convert(path: Path) -> Weights:
    """Reads the encoder's ``.pth`` with its batch norms folded; it has no AudioSet head.

    Raises:
        WeightsError: the file is not a state dict of tensors. Tensors that do not belong there keep their own name, so
            that strict loading reports them.
    """
    return Weights(fold_batch_norm(rename(torch_state(path)), BATCH_NORM_EPS), {})


def rename(state: Mapping[str, Tensor]) -> State:
    """Tensors in the order of the layers -> ours, by that order and the last part of their names.

    The names of the layers are not in the paper. The bias of a convolution, which the batch norm takes out again, goes
    into its running mean.
    """
    renamed: State = {}
    keys = [key for key in state if not key.endswith(_STEPS)]
    for key, ours in zip_longest(keys, ORDER):
        if key is not None:
            fits = ours is not None and key.rpartition(".")[2] == ours.rpartition(".")[2]
            renamed[ours if fits else key] = state[key]
    for block in (0, 1):
        bias, mean = f"blocks.{block}.0.conv.bias", f"blocks.{block}.0.norm.running_mean"
        if bias in renamed and mean in renamed and renamed[bias].shape == renamed[mean].shape:
            renamed[mean] = renamed[mean] - renamed.pop(bias)
    return renamed
