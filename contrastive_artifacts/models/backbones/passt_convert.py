"""PaSST's published state dicts -> tensors under this package's names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from .published import torch_state
from .spec import State, Weights

UNUSED = ("head_dist.weight", "head_dist.bias")  # a second classifier that the published forward pass does not call
_NAMES = {
    "patch_embed.proj.": "network.patches.",
    "freq_new_pos_embed": "network.positions.0",
    "time_new_pos_embed": "network.positions.1",
    "norm.": "network.norm.",
}
_BLOCK = re.compile(r"blocks\.(\d+)\.(norm1|norm2|attn\.qkv|attn\.proj|mlp\.fc1|mlp\.fc2)\.(weight|bias)")
_PARTS = {"attn.qkv": "attention.qkv", "attn.proj": "attention.out"}
_TOKENS = ("cls_token", "dist_token", "new_pos_embed")


def convert(path: Path) -> Weights:
    """Reads ``passt-s-*.pt``.

    Raises:
        WeightsError: the file is not a state dict of tensors. Keys that do not belong there keep their own name, so
            that strict loading reports them.
    """
    return Weights(*rename(torch_state(path, "model")))


def rename(state: Mapping[str, Tensor]) -> tuple[State, State]:
    """Published keys -> ours: the backbone's and the head's tensors.

    The class and the distillation token only ever occur with their position embedding added: they are stored as sums.
    """
    backbone: State = {}
    head: State = {}
    if all(key in state for key in _TOKENS):
        tokens = torch.cat([state["cls_token"], state["dist_token"]], dim=1)
        backbone["network.tokens"] = tokens + state["new_pos_embed"]
    for key, value in state.items():
        if key in UNUSED or (key in _TOKENS and "network.tokens" in backbone):
            continue
        if key.startswith("head."):
            head[key.removeprefix("head.")] = value
        else:
            backbone[_backbone_key(key)] = value
    return backbone, head


def _backbone_key(key: str) -> str:
    if match := _BLOCK.fullmatch(key):
        block, part, leaf = match.groups()
        return f"network.transformer.blocks.{block}.{_PARTS.get(part, part)}.{leaf}"
    for prefix, ours in _NAMES.items():
        if key.startswith(prefix):
            return ours + key.removeprefix(prefix)
    return key
