"""CLAP checkpoints of the transformers library -> tensors of the audio encoder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from . import published
from .spec import State, Weights

ENCODER = "audio_model.audio_encoder."
UNUSED = (  # known tensors that are not needed
    "text_model.",  # encoder of captions
    "text_projection.",
    "audio_projection.",  # projection into the space of captions
    "logit_scale_",  # of the contrastive loss
    # Fusion of three crops of clips longer than ten seconds. Here such clips are cut into windows of ten seconds.
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
    """Published keys -> keys of this package. Unknown keys keep their names, so that strict loading reports them."""
    return {
        "network." + key.removeprefix(ENCODER) if key.startswith(ENCODER) else key: value
        for key, value in state.items()
        if not key.startswith(UNUSED)
    }
