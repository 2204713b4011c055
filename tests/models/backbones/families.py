"""One small member of every family of backbones, fast enough to run each promise on.

A row: how to build it as published, and to train from scratch. Big architectures shrink here by their options; their
published sizes are checked without memory for weights (test_records.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from contrastive_artifacts.models.backbones import Backbone
from contrastive_artifacts.models.backbones.atst import AtstFrame
from contrastive_artifacts.models.backbones.beats import BEATs
from contrastive_artifacts.models.backbones.byol_a import BYOLA
from contrastive_artifacts.models.backbones.clap import CLAP
from contrastive_artifacts.models.backbones.dymn import DyMN
from contrastive_artifacts.models.backbones.efficientat import EfficientAT
from contrastive_artifacts.models.backbones.fast import FAST
from contrastive_artifacts.models.backbones.fpasst import FPaSST
from contrastive_artifacts.models.backbones.frame_mn import FrameMN
from contrastive_artifacts.models.backbones.hf import build as build_hf
from contrastive_artifacts.models.backbones.m2d import M2D
from contrastive_artifacts.models.backbones.panns import Cnn14, MobileNetV1, MobileNetV2
from contrastive_artifacts.models.backbones.passt import PaSST
from contrastive_artifacts.models.backbones.spectrogram_transformer import AST
from contrastive_artifacts.models.backbones.yamnet import YAMNet


class Family(NamedTuple):
    build: Callable[..., Backbone]
    published: dict[str, Any]  # options
    scratch: dict[str, Any]


SMALL_CNN = {"channels": 8, "hidden": 48}
SMALL_VIT = {"depth": 2, "dim": 48, "heads": 4}
SMALL_BEATS = SMALL_VIT | {"hidden": 96, "embed": 32}
SMALL_FAST = {"channels": (8, 8, 8, 8, 16, 16), "widths": (16, 16, 16), "depths": (1, 1, 1), "last": 32}
SMALL_CLAP = {"width": 8, "depths": (1, 1, 2, 1), "heads": (2, 2, 4, 4)}
SMALL_WAVEFORM = {
    "model_type": "wavlm",
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
}
SMALL_WHISPER = {
    "model_type": "whisper",
    "d_model": 32,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 48,
    "max_source_positions": 100,
}
FAMILIES: dict[str, Family] = {
    "yamnet": Family(YAMNet, {"norm": "folded", "activation": "relu6"}, {"norm": "batch"}),
    "efficientat": Family(EfficientAT, {"width": 0.4, "norm": "folded"}, {"width": 0.4, "norm": "batch"}),
    "dymn": Family(DyMN, {"width": 0.1, "norm": "folded"}, {"width": 0.1, "norm": "batch"}),
    "cnn14": Family(Cnn14, {"channels": 4, "norm": "folded"}, {"channels": 4, "norm": "batch"}),
    "panns_mobilenetv1": Family(MobileNetV1, {"norm": "folded"}, {"norm": "batch"}),
    "panns_mobilenetv2": Family(MobileNetV2, {"norm": "folded"}, {"norm": "batch"}),
    "byol_a": Family(BYOLA, SMALL_CNN | {"norm": "folded"}, SMALL_CNN | {"norm": "batch"}),
    "passt": Family(PaSST, SMALL_VIT | {"length": 198}, SMALL_VIT | {"length": 198}),
    "ast": Family(AST, SMALL_VIT | {"length": 200}, SMALL_VIT | {"length": 200}),
    "beats": Family(BEATs, SMALL_BEATS, SMALL_BEATS),
    "atst_frame": Family(AtstFrame, SMALL_VIT, SMALL_VIT),
    "fpasst": Family(FPaSST, SMALL_VIT, SMALL_VIT),
    "m2d": Family(M2D, SMALL_VIT | {"length": 208}, SMALL_VIT | {"length": 208}),
    "frame_mn": Family(FrameMN, {"width": 0.1, "norm": "folded"}, {"width": 0.1, "norm": "batch"}),
    "fast": Family(FAST, SMALL_FAST | {"norm": "folded"}, SMALL_FAST | {"norm": "batch"}),
    "clap": Family(CLAP, SMALL_CLAP | {"norm": "frozen"}, SMALL_CLAP | {"norm": "batch"}),
    "hf_waveform": Family(build_hf, {"config": SMALL_WAVEFORM}, {"config": SMALL_WAVEFORM}),
    "hf_whisper": Family(build_hf, {"config": SMALL_WHISPER}, {"config": SMALL_WHISPER}),
}
