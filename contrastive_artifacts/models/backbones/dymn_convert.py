"""Published state dicts of dynamic MobileNets -> tensors under the names of this package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from .efficientat_convert import BATCH_NORM_EPS
from .layers import fold_batch_norm
from .published import torch_state
from .spec import State, Weights

_HEAD = {"classifier.2.": "0.", "classifier.5.": "2."}
_ENDS = re.compile(r"(in|out)_c\.([01])\.(\w+)")
_BLOCK = re.compile(r"layers\.(\d+)\.(\w+)\.(.+)")
_UNITS = {"exp": "expand", "depth": "depthwise", "proj": "project"}
_CONTEXT = {"joint_conv": "joint.conv", "joint_norm": "joint.norm", "conv_f": "frequency", "conv_t": "time"}
_CONSTANT = re.compile(r"layers\.\d+\.depth_act\.(lambdas|init_v)")  # the same in all files; constants in the code here
_LAST = 16
_STATISTICS = ("weight", "bias", "running_mean", "running_var")


def convert(path: Path) -> Weights:
    """Reads ``dymn*_as*.pt`` with its batch norms folded.

    Raises:
        WeightsError: the file is not a state dict of tensors. Unknown keys keep their names, so that strict loading
            reports them.
    """
    backbone, head = rename(torch_state(path))
    return Weights(fold(backbone), head)


def rename(state: Mapping[str, Tensor]) -> tuple[State, State]:
    """Published keys -> keys of this package, batch norms not folded; returns the tensors of backbone and head."""
    backbone: State = {}
    head: State = {}
    for key, value in state.items():
        for prefix, target in _HEAD.items():
            if key.startswith(prefix):
                head[target + key.removeprefix(prefix)] = value
                break
        else:
            if not _CONSTANT.fullmatch(key):
                backbone[_backbone_key(key)] = value
    return {key: _unflattened(key, value, backbone) for key, value in backbone.items()}, head


def fold(state: Mapping[str, Tensor]) -> State:
    """Folds all batch norms; for dynamic convolutions into all kernels and one bias, as their weights sum to 1."""
    folded = dict(state)
    for key in state:
        unit = key.removesuffix(".kernels")
        parts = [f"{unit}.norm.{name}" for name in _STATISTICS]
        if unit == key or any(part not in state or state[part].shape != state[key].shape[1:2] for part in parts):
            continue  # strict loading reports the problem
        gamma, beta, mean, variance = (folded.pop(part).double() for part in parts)
        folded.pop(f"{unit}.norm.num_batches_tracked", None)
        gain = gamma / torch.sqrt(variance + BATCH_NORM_EPS)
        folded[key] = (state[key].double() * gain[:, None, None, None]).float()
        folded[f"{unit}.bias"] = (beta - mean * gain).float()
    return fold_batch_norm(folded, BATCH_NORM_EPS)


def _backbone_key(key: str) -> str:
    if match := _ENDS.fullmatch(key):
        return f"blocks.{0 if match[1] == 'in' else _LAST}.{('conv', 'norm')[int(match[2])]}.{match[3]}"
    if match := _BLOCK.fullmatch(key):
        block, part, rest = f"blocks.{int(match[1]) + 1}", match[2], match[3]
        unit, _, kind = part.partition("_")
        if part == "context_gen":
            name, _, leaf = rest.partition(".")
            return f"{block}.context.{_CONTEXT.get(name, name)}.{leaf}"
        if rest.startswith("coef_net.0."):
            return f"{block}.relu.lines.{rest.removeprefix('coef_net.0.')}"
        if unit in _UNITS and kind == "norm":
            return f"{block}.{_UNITS[unit]}.norm.{rest}"
        if unit in _UNITS and kind == "conv":
            leaf = "kernels" if rest == "weight" else rest.replace("residuals.0.", "attention.")
            return f"{block}.{_UNITS[unit]}.{leaf}"
    return key


def _unflattened(key: str, value: Tensor, state: Mapping[str, Tensor]) -> Tensor:
    """Published kernels ``[1, 1, K, everything else]`` -> ``[K, outputs, inputs / groups, k, k]``."""
    unit = key.removesuffix(".kernels")
    norm = state.get(f"{unit}.norm.weight")
    if unit == key or norm is None or value.ndim != 4 or value.shape[-1] % len(norm):
        return value
    each = value.shape[-1] // len(norm)
    side = round(each**0.5) if unit.endswith("depthwise") else 1
    return value.reshape(value.shape[2], len(norm), each // side**2, side, side)
