"""One small member of every family of backbones, fast enough to run each promise on.

A row: how to build it as published, and to train from scratch. Big architectures shrink here by their options; their
published sizes are checked without memory for weights (test_records.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from contrastive_artifacts.backbones import Backbone
from contrastive_artifacts.backbones.efficientat import EfficientAT
from contrastive_artifacts.backbones.yamnet import YAMNet


class Family(NamedTuple):
    build: Callable[..., Backbone]
    published: dict[str, Any]  # options
    scratch: dict[str, Any]


FAMILIES: dict[str, Family] = {
    "yamnet": Family(YAMNet, {"norm": "folded", "activation": "relu6"}, {"norm": "batch"}),
    "efficientat": Family(EfficientAT, {"width": 0.4, "norm": "folded"}, {"width": 0.4, "norm": "batch"}),
}
