"""CLAP's checkpoints of the transformers library -> the audio encoder's tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from . import published
from .spec import State, Weights

ENCODER = "audio_model.audio_encoder."
UNUSED = (  # known, and why they are left out
    "text_model.",  # the caption's side
    "text_projection.",
    "audio_projection.",  # into the space shared with captions: a head
    "logit_scale_",  # of the contrastive loss
    # Fusion of three crops of clips over ten seconds. Such clips are cut into windows here, and a window is never
    # "longer", so that these layers would stand idle.
    ENCODER + "patch_embed.fusion_model.",
    ENCODER + "patch_embed.mel_conv2d.",
)


def convert(path: Path) -> Weights:
    """Reads ``model.safetensors``.

    Raises:
        WeightsError: the file is damaged.
    """
    return Weights(rename(published.safetensors_state(path)), {})


def rename(state: Mapping[str, Tensor]) -> State:
    """Published keys -> ours. Keys that nobody knows keep their name, so that strict loading reports them."""
    return {
        "network." + key.removeprefix(ENCODER) if key.startswith(ENCODER) else key: value
        for key, value in state.items()
        if not key.startswith(UNUSED)
    }
