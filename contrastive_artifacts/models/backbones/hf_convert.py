"""Checkpoints of the transformers library -> the tensors of the audio encoder in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from .spec import State

# Weight norm was written as two parameters of the layer before PyTorch had parametrizations.
_LEGACY = {".weight_g": ".parametrizations.weight.original0", ".weight_v": ".parametrizations.weight.original1"}
UNUSED = (  # of an encoder by itself; known, and why they are left out
    "masked_spec_embed",  # stands for masked frames in pretraining
    "adapter.",  # shortens the frames for a language model on top
    "decoder.",  # Whisper's text side
)


def rename(state: Mapping[str, Tensor], prefixes: Sequence[str]) -> State:
    """Published keys -> ours.

    A larger model (with a classifier, a quantiser, a decoder) has its encoder under one of ``prefixes``; everything
    beside it is left out. A file without the prefix is the encoder itself, and all of it is kept but ``UNUSED``.
    """
    prefix = next((p for p in prefixes if any(key.startswith(p) for key in state)), "")
    inner = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    return {"network." + _modern(key): value for key, value in inner.items() if not key.startswith(UNUSED)}


def _modern(key: str) -> str:
    for old, new in _LEGACY.items():
        if key.endswith(old):
            return key.removesuffix(old) + new
    return key
