"""Weights of AST from Hugging Face -> tensors under the names of this package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from .distilled_vit import TOKENS
from .published import safetensors_state
from .spec import State, Weights

_PREFIX = "audio_spectrogram_transformer."
_NAMES = {
    "embeddings.patch_embeddings.projection.": "network.patches.",
    "layernorm.": "network.norm.",
}
_HEAD = {"classifier.layernorm.": "0.", "classifier.dense.": "1."}
_BLOCK = re.compile(r"encoder\.layer\.(\d+)\.(.+)\.(weight|bias)")
_PARTS = {
    "attention.output.dense": "attention.out",
    "intermediate.dense": "mlp.fc1",
    "output.dense": "mlp.fc2",
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
}
_QUERY, _QKV = "attention.attention.query", ("query", "key", "value")
_TOKENS = ("cls_token", "distillation_token", "position_embeddings")


def convert(path: Path, rows: int) -> Weights:
    """Reads ``model.safetensors`` of an MIT/ast-finetuned-* repository, trained with ``rows`` rows of patches.

    Raises:
        WeightsError: the file is damaged. Unknown keys keep their names, so that strict loading reports them.
    """
    return Weights(*rename(safetensors_state(path), rows))


def rename(state: Mapping[str, Tensor], rows: int) -> tuple[State, State]:
    """Published keys -> keys of this package; returns the tensors of the backbone and of the head.

    Queries, keys and values become one projection. The published position embeddings are a row of tokens, the class and
    the distillation token first, then the patches, row after row of the grid; the first two are added to their tokens,
    which occur in no other way.
    """
    rest = {key.removeprefix(_PREFIX): value for key, value in state.items()}
    backbone: State = {}
    head: State = {}
    for key in [k for k in rest if _QUERY in k]:
        parts = [key.replace("query", name) for name in _QKV]
        if all(part in rest for part in parts):
            block, leaf = key.split(".")[2], key.rpartition(".")[2]
            fused = torch.cat([rest.pop(part) for part in parts])
            backbone[f"network.transformer.blocks.{block}.attention.qkv.{leaf}"] = fused
    embeddings = [f"embeddings.{name}" for name in _TOKENS]
    if all(key in rest for key in embeddings):
        first, second, positions = (rest.pop(key) for key in embeddings)
        backbone["network.tokens"] = torch.cat([first, second], dim=1) + positions[:, :TOKENS]
        patches = positions[:, TOKENS:].transpose(1, 2)  # [1, D, rows * columns]
        fits = patches.shape[2] % rows == 0  # or else strict loading names the shape
        backbone["network.positions.0"] = patches.unflatten(2, (rows, -1)).contiguous() if fits else patches
    for key, value in rest.items():
        prefix = next((p for p in _HEAD if key.startswith(p)), None)
        if prefix:
            head[_HEAD[prefix] + key.removeprefix(prefix)] = value
        else:
            backbone[_backbone_key(key)] = value
    return backbone, head


def _backbone_key(key: str) -> str:
    match = _BLOCK.fullmatch(key)
    if match and match[2] in _PARTS:
        return f"network.transformer.blocks.{match[1]}.{_PARTS[match[2]]}.{match[3]}"
    for prefix, target in _NAMES.items():
        if key.startswith(prefix):
            return target + key.removeprefix(prefix)
    return key
