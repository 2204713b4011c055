"""Published files of fschmid56/PretrainedSED -> tensors under the names of this package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from .efficientat_convert import BATCH_NORM_EPS, rename
from .layers import fold_batch_norm
from .published import torch_state
from .spec import State, Weights

_HEADS = ("strong_head.", "weak_head.")
_BLOCK = re.compile(r"blocks\.(\d+)\.(norm1|norm2|attn\.qkv|attn\.proj|mlp\.fc1|mlp\.fc2)\.(weight|bias)")
_PARTS = {"attn.qkv": "attention.qkv", "attn.proj": "attention.out"}
_ATST = {"patch_embed.patch_embed.": "network.patches.", "norm_frame.": "network.norm."}
_FPASST = {
    "conv_in_1.": "network.stem.0.",
    "conv_in_2.": "network.stem.1.",
    "conv_in_3.": "network.stem.2.",
    "patch_embed.proj.": "network.patches.",
    "norm.": "network.norm.",
}
_FPASST_TOKENS = ("cls_token", "dist_token", "new_pos_embed")
_FPASST_POSITIONS = ("time_new_pos_embed", "freq_new_pos_embed")
ATST_UNUSED = (  # mask of the pre-training, constants of the front-end
    "mask_embed",
    "atst_mel.mel_transform.spectrogram.window",
    "atst_mel.mel_transform.mel_scale.fb",
)


def atst(path: Path, head: str | None) -> Weights:
    """Reads ``ATST-F_*.pt`` with the classifier ``head`` ("weak", "strong" or none).

    Raises:
        WeightsError: the file is not a state dict of tensors. Unknown keys keep their names, so that strict loading
            reports them.
    """
    state = torch_state(path)
    return Weights(rename_atst(state), classifier(state, head))


def fpasst(path: Path, head: str | None) -> Weights:
    """Reads ``fpasst_*.pt``; as :func:`atst`."""
    state = torch_state(path)
    return Weights(rename_fpasst(state), classifier(state, head))


def frame_mn(path: Path, head: str | None) -> Weights:
    """Reads ``frame_mn*_strong_1.pt`` with its batch norms folded; as :func:`atst`."""
    state = torch_state(path)
    return Weights(fold_batch_norm(rename_frame_mn(state), BATCH_NORM_EPS), classifier(state, head))


def classifier(state: Mapping[str, Tensor], head: str | None) -> State:
    """The tensors of one of the two classifiers; a file may also contain the other one, untrained."""
    if head is None:
        return {}
    return {k.removeprefix(f"{head}_head."): v for k, v in state.items() if k.startswith(f"{head}_head.")}


def rename_atst(state: Mapping[str, Tensor]) -> State:
    """Keys of ATST-Frame -> keys of this package, without the position embedding of the unused clip token."""
    renamed: State = {}
    for published, value in state.items():
        key = published.removeprefix("model.").removeprefix("atst.")
        if published.startswith(_HEADS) or key in ATST_UNUSED:
            continue
        if key == "pos_embed" and value.ndim == 3:
            renamed["network.positions"] = value[:, 1:]
        else:
            renamed[_renamed(key, _ATST)] = value
    return renamed


def rename_fpasst(state: Mapping[str, Tensor]) -> State:
    """Keys of fPaSST -> keys of this package; tokens and their embeddings are stored as sums."""
    plain = {k.removeprefix("model.").removeprefix("fpasst."): v for k, v in state.items() if not k.startswith(_HEADS)}
    summed: State = {}
    if all(key in plain for key in _FPASST_TOKENS):
        cls, dist, positions = (plain.pop(key) for key in _FPASST_TOKENS)
        summed["network.tokens"] = torch.cat([cls, dist], dim=1) + positions
    if all(key in plain for key in _FPASST_POSITIONS):
        time, band = (plain.pop(key) for key in _FPASST_POSITIONS)
        summed["network.positions"] = (time + band).flatten(2).transpose(1, 2)
    return {**{_renamed(key, _FPASST): value for key, value in plain.items()}, **summed}


def rename_frame_mn(state: Mapping[str, Tensor]) -> State:
    """Keys of the frame-level MobileNets (those of EfficientAT) -> keys of this package, batch norms not folded."""
    published = {
        k.removeprefix("model.").removeprefix("frame_mn."): v for k, v in state.items() if not k.startswith(_HEADS)
    }
    return rename(published)[0]


def _renamed(key: str, names: Mapping[str, str]) -> str:
    if match := _BLOCK.fullmatch(key):
        block, part, leaf = match.groups()
        return f"network.transformer.blocks.{block}.{_PARTS.get(part, part)}.{leaf}"
    for prefix, target in names.items():
        if key.startswith(prefix):
            return target + key.removeprefix(prefix)
    return key
