"""Published files of nttcslab/m2d and of fschmid56/PretrainedSED -> tensors under the names of this package.

The keys are those of the vision transformer in timm and in masked autoencoders, with prefixes of the training code.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..frontends import m2d_mel
from .published import torch_state
from .sed_convert import classifier
from .spec import State, Weights

PATCH = 16  # spectrogram bands under one patch
ROWS = m2d_mel.BANDS // PATCH
STATISTICS = "norm_stats"  # mean and deviation of the log-mel of the training data
_WRAPPERS = re.compile(r"(?:module\.|ar\.|runtime\.|model\.|m2d\.|backbone\.)*")
_UNUSED = (  # known tensors that are not part of the encoder
    "mask_token",  # predictor and target network of pre-training
    "decoder_",
    "target_",
    "audio_proj.",  # projection into the text space of M2D-CLAP
    "head.",  # classifiers
    "head_norm.",
    "strong_head.",
    "weak_head.",
    "to_spec.",  # constants of the front-end
)
_BLOCK = re.compile(r"blocks\.(\d+)\.(norm1|norm2|attn\.qkv|attn\.proj|mlp\.fc1|mlp\.fc2)\.(weight|bias)")
_PARTS = {"attn.qkv": "attention.qkv", "attn.proj": "attention.out"}
_REST = {f"patch_embed.proj.{leaf}": f"network.patches.{leaf}" for leaf in ("weight", "bias")} | {
    f"norm.{leaf}": f"network.norm.{leaf}" for leaf in ("weight", "bias")
}


def convert(path: Path) -> Weights:
    """Reads the encoder in a ``.pth``; its input length, patch width and statistics become options.

    Raises:
        WeightsError: the file is not a state dict of tensors. Unknown keys keep their names, so that strict loading
            reports them.
    """
    with torch.serialization.safe_globals([argparse.Namespace]):  # settings of the training
        state = torch_state(path, "model")
    return Weights(rename(state), {}, options(state))


def convert_strong(path: Path) -> Weights:
    """Reads ``M2D_strong_1.pt`` with its classifier of frames; as :func:`convert`."""
    state = torch_state(path)
    return Weights(rename(state), classifier(state, "strong"), options(state))


def options(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Options of :class:`.M2D` that follow from the tensors."""
    plain = _unwrapped(state)
    from_tensors: dict[str, Any] = {}
    kernel, positions, statistics = (plain.get(k) for k in ("patch_embed.proj.weight", "pos_embed", STATISTICS))
    if kernel is not None and kernel.ndim == 4 and positions is not None and positions.ndim == 3:
        width = kernel.shape[3]
        from_tensors = {"length": (positions.shape[1] - 1) // ROWS * width, "width": width}
    if statistics is not None and statistics.numel() == 2:
        mean, std = statistics.double().flatten().tolist()
        from_tensors |= {"mean": mean, "std": std}
    return from_tensors


def rename(state: Mapping[str, Tensor]) -> State:
    """Published keys -> keys of this package; class token and its position, always added, become one tensor."""
    plain = _unwrapped(state)
    renamed: State = {}
    token, positions = plain.get("cls_token"), plain.get("pos_embed")
    if token is not None and positions is not None and positions.ndim == 3 and positions.shape[1] % ROWS == 1:
        renamed["network.token"] = token + positions[:, :1]
        renamed["network.positions"] = positions[:, 1:].transpose(1, 2).unflatten(2, (ROWS, -1)).contiguous()
        del plain["cls_token"], plain["pos_embed"]
    plain.pop(STATISTICS, None)
    return renamed | {_renamed(key): value for key, value in plain.items()}


def _unwrapped(state: Mapping[str, Tensor]) -> State:
    plain = {_WRAPPERS.sub("", key, count=1): value for key, value in state.items()}
    return {key: value for key, value in plain.items() if not key.startswith(_UNUSED)}


def _renamed(key: str) -> str:
    if match := _BLOCK.fullmatch(key):
        block, part, leaf = match.groups()
        return f"network.transformer.blocks.{block}.{_PARTS.get(part, part)}.{leaf}"
    return _REST.get(key, key)
