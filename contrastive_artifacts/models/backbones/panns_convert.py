"""Published state dicts of PANNs -> tensors under the names of this package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from .layers import fold_batch_norm
from .published import torch_state
from .spec import State, Weights

BATCH_NORM_EPS = 1e-5
_FRONT_END = ("spectrogram_extractor.", "logmel_extractor.")  # fixed Fourier and mel matrices of the front-end
_HEAD = "fc_audioset."
_CNN14 = re.compile(r"conv_block(\d)\.(conv|bn)([12])\.(\w+)")
_MOBILE = re.compile(r"features\.(\d+)\.(?:(conv)\.)?(\d)\.(\w+)")
_LAYOUTS = {  # position in a published block -> unit of this package
    "pooled": {"0": "unit.conv", "2": "unit.norm"},
    "pointwise": {"0": "conv", "1": "norm"},
    "separable": {"0": "0.unit.conv", "2": "0.unit.norm", "4": "1.conv", "5": "1.norm"},
    "plain": {"0": "depthwise.unit.conv", "2": "depthwise.unit.norm", "4": "project.conv", "5": "project.norm"},
    "expanding": {
        "0": "expand.conv",
        "1": "expand.norm",
        "3": "depthwise.unit.conv",
        "5": "depthwise.unit.norm",
        "7": "project.conv",
        "8": "project.norm",
    },
}


def convert(path: Path) -> Weights:
    """Reads a ``.pth`` of Zenodo record 3987831 with its batch norms folded.

    Raises:
        WeightsError: the file holds no state dict of tensors. Unknown keys keep their names, so that strict loading
            reports them.
    """
    backbone, head = rename(torch_state(path, "model"))
    return Weights(fold(backbone), head)


def fold(state: Mapping[str, Tensor]) -> State:
    """Folds batch norms into their convolutions, and the one over bands into a gain and an offset per band."""
    names = ("weight", "bias", "running_mean", "running_var")
    folded = fold_batch_norm(state, BATCH_NORM_EPS)
    shapes = {folded[f"bn0.{name}"].shape if f"bn0.{name}" in folded else None for name in names}
    if None not in shapes and len(shapes) == 1:  # otherwise strict loading reports the problem
        gamma, beta, mean, variance = (folded.pop(f"bn0.{name}").double() for name in names)
        folded.pop("bn0.num_batches_tracked", None)
        gain = gamma / torch.sqrt(variance + BATCH_NORM_EPS)
        folded |= {"bn0.weight": gain.float(), "bn0.bias": (beta - mean * gain).float()}
    return folded


def rename(state: Mapping[str, Tensor]) -> tuple[State, State]:
    """Published keys -> keys of this package, batch norms not folded; returns the tensors of backbone and head."""
    positions: dict[str, set[str]] = {}
    for key in state:
        if match := _MOBILE.fullmatch(key):
            positions.setdefault(match[1], set()).add(match[3])
    backbone: State = {}
    head: State = {}
    for key, value in state.items():
        if key.startswith(_HEAD):
            head[key.removeprefix(_HEAD)] = value
        elif not key.startswith(_FRONT_END):
            backbone[_backbone_key(key, positions)] = value
    return backbone, head


def _backbone_key(key: str, positions: Mapping[str, set[str]]) -> str:
    if match := _CNN14.fullmatch(key):
        block, kind, index, name = match.groups()
        return f"blocks.{int(block) - 1}.{int(index) - 1}.{'conv' if kind == 'conv' else 'norm'}.{name}"
    if match := _MOBILE.fullmatch(key):
        block, inverted, position, name = match.groups()
        if unit := _LAYOUTS[_layout(bool(inverted), positions[block])].get(position):
            return f"blocks.{block}.{unit}.{name}"
    return key


def _layout(inverted: bool, positions: set[str]) -> str:
    """Kind of a block; layers without weights (pooling, activations) also count as positions."""
    if inverted:
        return "expanding" if "8" in positions else "plain"
    if "5" in positions:
        return "separable"
    return "pooled" if "2" in positions else "pointwise"
