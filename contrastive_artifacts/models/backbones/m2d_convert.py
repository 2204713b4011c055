"""The published files of nttcslab/m2d, and of fschmid56/PretrainedSED after it -> tensors under this package's names.

The keys are those of the vision transformer in timm and in masked autoencoders, behind what wrapped it in training.
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
STATISTICS = "norm_stats"  # mean and deviation of the log-mel that the weights were trained on
_WRAPPERS = re.compile(r"(?:module\.|ar\.|runtime\.|model\.|m2d\.|backbone\.)*")
_UNUSED = (  # besides the encoder
    "mask_token",  # the predictor of pre-training, and the network that it learns from
    "decoder_",
    "target_",
    "audio_proj.",  # to M2D-CLAP's space of texts
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
        WeightsError: the file is not a state dict of tensors. Keys that do not belong there keep their own name, so
            that strict loading reports them.
    """
    with torch.serialization.safe_globals([argparse.Namespace]):  # the training's settings, beside the weights
        state = torch_state(path, "model")
    return Weights(rename(state), {}, options(state))


def convert_strong(path: Path) -> Weights:
    """Reads ``M2D_strong_1.pt`` with its classifier of frames; as :func:`convert`."""
    state = torch_state(path)
    return Weights(rename(state), classifier(state, "strong"), options(state))


def options(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Of :class:`.M2D`, as far as the tensors tell."""
    plain = _unwrapped(state)
    found: dict[str, Any] = {}
    kernel, positions, statistics = (plain.get(k) for k in ("patch_embed.proj.weight", "pos_embed", STATISTICS))
    if kernel is not None and kernel.ndim == 4 and positions is not None and positions.ndim == 3:
        width = kernel.shape[3]
        found = {"length": (positions.shape[1] - 1) // ROWS * width, "width": width}
    if statistics is not None and statistics.numel() == 2:
        mean, std = statistics.double().flatten().tolist()
        found |= {"mean": mean, "std": std}
    return found


def rename(state: Mapping[str, Tensor]) -> State:
    """Published keys -> ours; the class token and its position, which only ever occur added together, as their sum."""
    plain = _unwrapped(state)
    ours: State = {}
    token, positions = plain.get("cls_token"), plain.get("pos_embed")
    if token is not None and positions is not None and positions.ndim == 3 and positions.shape[1] % ROWS == 1:
        ours["network.token"] = token + positions[:, :1]
        ours["network.positions"] = positions[:, 1:].transpose(1, 2).unflatten(2, (ROWS, -1)).contiguous()
        del plain["cls_token"], plain["pos_embed"]
    plain.pop(STATISTICS, None)
    return ours | {_renamed(key): value for key, value in plain.items()}


def _unwrapped(state: Mapping[str, Tensor]) -> State:
    plain = {_WRAPPERS.sub("", key, count=1): value for key, value in state.items()}
    return {key: value for key, value in plain.items() if not key.startswith(_UNUSED)}


def _renamed(key: str) -> str:
    if match := _BLOCK.fullmatch(key):
        block, part, leaf = match.groups()
        return f"network.transformer.blocks.{block}.{_PARTS.get(part, part)}.{leaf}"
    return _REST.get(key, key)
