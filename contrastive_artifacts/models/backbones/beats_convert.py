"""Published files of BEATs -> tensors under the names of this package, and options from their ``cfg``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...core.errors import WeightsError
from .published import state_of, torch_content
from .spec import State, Weights

_SED_PREFIX = "model.model."  # prefix of the network in the files of fschmid56/PretrainedSED
_SED_HEADS = ("strong_head.", "weak_head.")  # classifiers of tokens that were resampled to 40 ms
_ATTENTION = re.compile(r"encoder\.layers\.(\d+)\.self_attn\.(.+)")
_LAYER = re.compile(r"encoder\.layers\.(\d+)\.(self_attn_layer_norm|final_layer_norm|fc1|fc2)\.(weight|bias)")
_LAYER_PARTS = {"self_attn_layer_norm": "norm1", "final_layer_norm": "norm2", "fc1": "mlp.fc1", "fc2": "mlp.fc2"}
_ATTENTION_PARTS = {
    "out_proj.weight": "out.weight",
    "out_proj.bias": "out.bias",
    "grep_linear.weight": "gate.weight",
    "grep_linear.bias": "gate.bias",
    "grep_a": "gate_scale",
}
_PLAIN = {
    "patch_embedding.weight": "network.patches.weight",
    "layer_norm.": "network.patch_norm.",
    "post_extract_proj.": "network.project.",
    "encoder.layer_norm.": "network.norm.",
    "encoder.pos_conv.0.bias": "network.order.bias",
    "encoder.layers.0.self_attn.relative_attention_bias.weight": "network.positions.bias",
}
_OPTIONS = {
    "encoder_layers": "depth",
    "encoder_embed_dim": "dim",
    "encoder_attention_heads": "heads",
    "encoder_ffn_embed_dim": "hidden",
    "embed_dim": "embed",
    "num_buckets": "buckets",
    "max_distance": "distance",
    "deep_norm": "deep_norm",
    "gru_rel_pos": "gated",
}
_ONLY = {  # settings of the published code that have these values in all checkpoints
    "input_patch_size": 16,
    "conv_bias": False,
    "conv_pos": 128,
    "conv_pos_groups": 16,
    "activation_fn": "gelu",
    "layer_norm_first": False,
    "relative_position_embedding": True,
}


def convert(path: Path) -> Weights:
    """Reads ``BEATs_*.pt``, from the authors (with ``cfg``) or from fschmid56/PretrainedSED (without).

    Raises:
        WeightsError: the file is damaged, or its ``cfg`` has a setting that the architecture does not support. Unknown
            keys keep their names, so that strict loading reports them.
    """
    content = torch_content(path)
    cfg = content.get("cfg", {}) if isinstance(content, dict) else {}
    return Weights(*rename(strip(state_of(content, path, "model"))), options(cfg, str(path)))


def options(cfg: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Options of :class:`.beats.BEATs` that a published ``cfg`` contains.

    Raises:
        WeightsError: a setting that the architecture does not support; the message names it and the file ``what``.
    """
    other = {key: cfg[key] for key, value in _ONLY.items() if cfg.get(key, value) != value}
    if other:
        raise WeightsError(f"{what} has unsupported settings ({other}); use a file of the checkpoint records.")
    return {option: cfg[key] for key, option in _OPTIONS.items() if key in cfg}


def strip(state: Mapping[str, Tensor]) -> State:
    """Keys of a file of fschmid56/PretrainedSED -> keys of the authors' files, without classifiers."""
    return {k.removeprefix(_SED_PREFIX): v for k, v in state.items() if not k.startswith(_SED_HEADS)}


def rename(state: Mapping[str, Tensor]) -> tuple[State, State]:
    """Keys of the authors -> keys of this package; returns the tensors of the backbone and of the head.

    Queries, keys and values become one layer, and the weight norm of the position convolution is folded. The relative
    positions are stored in each layer of the file; if they are all the same, those of the first layer are used.
    """
    backbone: State = {}
    head: State = {}
    shared = state.get("encoder.layers.0.self_attn.relative_attention_bias.weight")
    for key, value in state.items():
        if key.startswith("predictor."):
            head[key.removeprefix("predictor.")] = value
        elif key.endswith("relative_attention_bias.weight") and _same(value, shared):
            backbone["network.positions.bias"] = value
        elif match := _ATTENTION.fullmatch(key):
            block, part = f"network.transformer.blocks.{match[1]}.attention.", match[2]
            if part in _ATTENTION_PARTS:
                backbone[block + _ATTENTION_PARTS[part]] = value
                continue
            projection, _, leaf = part.rpartition(".")
            parts = [key.replace(projection, f"{name}_proj") for name in "qkv"]
            if projection in ("q_proj", "k_proj", "v_proj") and all(name in state for name in parts):
                if projection == "q_proj":
                    backbone[f"{block}qkv.{leaf}"] = torch.cat([state[name] for name in parts])
            else:
                backbone[key] = value
        elif match := _LAYER.fullmatch(key):
            backbone[f"network.transformer.blocks.{match[1]}.{_LAYER_PARTS[match[2]]}.{match[3]}"] = value
        else:
            backbone[_plain(key)] = value
    return _folded(backbone), head


def _same(value: Tensor, shared: Tensor | None) -> bool:
    return shared is not None and torch.equal(value, shared)


def _plain(key: str) -> str:
    for prefix, target in _PLAIN.items():
        if key.startswith(prefix):
            return target + key.removeprefix(prefix)
    return key


def _folded(state: State) -> State:
    """Merges direction and length (one per kernel position) of the position convolution into one kernel."""
    for length, direction in (
        ("weight_g", "weight_v"),
        ("parametrizations.weight.original0", "parametrizations.weight.original1"),
    ):
        g, v = (f"encoder.pos_conv.0.{name}" for name in (length, direction))
        if g in state and v in state:
            gain, kernel = state.pop(g).double(), state.pop(v).double()
            state["network.order.weight"] = (kernel * (gain / kernel.norm(dim=(0, 1), keepdim=True))).float()
    return state
