"""Published state dicts of PaSST -> tensors under the names of this package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from .published import torch_state
from .spec import State, Weights

UNUSED = ("head_dist.weight", "head_dist.bias")  # a second classifier that the published network does not use
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
        WeightsError: the file is not a state dict of tensors. Unknown keys keep their names, so that strict loading
            reports them.
    """
    return Weights(*rename(torch_state(path, "model")))


def rename(state: Mapping[str, Tensor]) -> tuple[State, State]:
    """Published keys -> keys of this package; returns the tensors of the backbone and of the head.

    Class and distillation token are always used with their position embeddings added, so the sums are stored.
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
    for prefix, target in _NAMES.items():
        if key.startswith(prefix):
            return target + key.removeprefix(prefix)
    return key
