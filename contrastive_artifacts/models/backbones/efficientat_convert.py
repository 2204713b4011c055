"""Published state dicts of EfficientAT -> tensors under the names of this package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from .layers import fold_batch_norm
from .published import torch_state
from .spec import State, Weights

BATCH_NORM_EPS = 1e-3
_HEAD = {"classifier.2.": "0.", "classifier.5.": "2."}
_PLAIN = re.compile(r"features\.(0|16)\.([01])\.(\w+)")
_BLOCK = re.compile(r"features\.(\d+)\.block\.(\d)\.(?:([01])\.(\w+)|conc_se_layers\.0\.(fc[12])\.(\w+))")
_LEAF = {"0": "conv", "1": "norm"}


def convert(path: Path) -> Weights:
    """Reads ``mn*_as_*.pt`` with its batch norms folded.

    Raises:
        WeightsError: the file is not a state dict of tensors. Unknown keys keep their names, so that strict loading
            reports them.
    """
    backbone, head = rename(torch_state(path))
    return Weights(fold_batch_norm(backbone, BATCH_NORM_EPS), head)


def rename(state: Mapping[str, Tensor]) -> tuple[State, State]:
    """Published keys -> keys of this package, batch norms not folded; returns the tensors of backbone and head."""
    backbone: State = {}
    head: State = {}
    expanding = {
        key.split(".")[1] for key in state if ".block.1.0." in key and state[key].ndim == 4 and state[key].shape[-1] > 1
    }
    for key, value in state.items():
        for prefix, target in _HEAD.items():
            if key.startswith(prefix):
                head[target + key.removeprefix(prefix)] = value
                break
        else:
            backbone[_backbone_key(key, expanding)] = value
    return backbone, head


def _backbone_key(key: str, expanding: set[str]) -> str:
    if plain := _PLAIN.fullmatch(key):
        block, leaf, name = plain.groups()
        return f"blocks.{block}.{_LEAF[leaf]}.{name}"
    if match := _BLOCK.fullmatch(key):
        block, position, leaf, name, fc, fc_name = match.groups()
        if fc:
            return f"blocks.{block}.squeeze.{fc}.{fc_name}"
        # The units of a block are numbered in the file; a block that does not widen has no "expand".
        order = ("expand", "depthwise") if block in expanding else ("depthwise",)
        unit = order[int(position)] if int(position) < len(order) else "project"
        return f"blocks.{block}.{unit}.{_LEAF[leaf]}.{name}"
    return key
