"""Checkpoints of the transformers library -> tensors of their audio encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from .spec import State

# Names of the two tensors of weight norm, before PyTorch had parametrizations.
_LEGACY = {".weight_g": ".parametrizations.weight.original0", ".weight_v": ".parametrizations.weight.original1"}
UNUSED = (  # known tensors that an encoder does not need
    "masked_spec_embed",  # replaces masked frames in pretraining
    "adapter.",  # reduces the number of frames for a language model
    "decoder.",  # the text decoder of Whisper
)


def rename(state: Mapping[str, Tensor], prefixes: Sequence[str]) -> State:
    """Published keys -> keys of this package.

    In a larger model (with a classifier, a quantiser, a decoder) the keys of the encoder have one of ``prefixes``; all
    others are omitted. Without such a prefix all tensors belong to the encoder. ``UNUSED`` are omitted.
    """
    prefix = next((p for p in prefixes if any(key.startswith(p) for key in state)), "")
    inner = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    return {"network." + _modern(key): value for key, value in inner.items() if not key.startswith(UNUSED)}


def _modern(key: str) -> str:
    for old, new in _LEGACY.items():
        if key.endswith(old):
            return key.removesuffix(old) + new
    return key
