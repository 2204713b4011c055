"""Baselines for trained encoders: statistics of the log-mel spectrogram, and a frozen backbone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .backbones import Backbone
from .frontends import EfficientatMel


class LogMelStatistics:
    """Mean, deviation and maximum over time of a log-mel spectrogram and of its first difference: [6 * 128].

    The spectrogram is the one of the EfficientAT backbones: 32 kHz, 128 bands to 15 kHz, hop 10 ms.
    """

    sample_rate = 32000
    fingerprint = "log-mel-statistics"
    wants_native = False

    def __init__(self) -> None:
        self.frontend = EfficientatMel().eval()

    def view_vectors(
        self, waveforms: Sequence[np.ndarray], natives: Sequence[tuple[np.ndarray, int]] | None = None
    ) -> dict[str, np.ndarray]:
        """``{"h": float32 [N, 768]}`` of waveforms [T] of one length, at 32 kHz."""
        with torch.inference_mode():
            mel = self.frontend(torch.from_numpy(np.stack(waveforms)))  # [N, 128, frames]
            return {"h": torch.cat([_statistics(mel), _statistics(mel.diff(dim=2))], dim=1).numpy()}


class FrozenBackbone:
    """Mean and maximum over the frames of a pretrained backbone without further training: [2 D]."""

    wants_native = False

    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone.eval()
        self.sample_rate = backbone.sample_rate
        self.fingerprint = "frozen-" + hashlib.sha256(repr(sorted(backbone.record.items())).encode()).hexdigest()[:25]

    def view_vectors(
        self, waveforms: Sequence[np.ndarray], natives: Sequence[tuple[np.ndarray, int]] | None = None
    ) -> dict[str, np.ndarray]:
        """``{"h": float32 [N, 2 D]}`` of waveforms [T] of one length, at the backbone's sample rate."""
        with torch.inference_mode():
            frames = self.backbone(torch.from_numpy(np.stack(waveforms))).frames
            return {"h": torch.cat([frames.mean(dim=1), frames.amax(dim=1)], dim=1).numpy()}


def _statistics(x: Tensor) -> Tensor:
    return torch.cat([x.mean(dim=2), x.std(dim=2), x.amax(dim=2)], dim=1)
