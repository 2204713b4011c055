"""Frame-level MobileNets: EfficientAT with less downsampling in time, trained on AudioSet's strong labels.

Architecture and weights: fschmid56/PretrainedSED, models/frame_mn (MIT); arXiv 2409.09546.
"""

from __future__ import annotations

from functools import partial

from torch import Tensor

from ..frontends import fpasst_mel
from . import sed_convert
from .atst import sed_checkpoint
from .contract import Features
from .efficientat import BLOCKS, LAST, EfficientAT, InvertedResidual, round_channels
from .layers import ConvUnit, Norm, in_chunks
from .spec import Checkpoint

CHUNK = 8192  # spectrogram frames per chunk
DOWNSAMPLING = 4  # in time; the 128 bands become one
STRIDES = (  # over bands and time, of the 15 blocks; the stem halves both
    *((1, 1), (2, 2), (2, 1), (1, 1), (1, 1), (2, 1), (1, 1), (2, 1)),
    *((1, 1), (1, 1), (2, 1), (1, 1), (1, 1), (1, 1), (2, 1)),
)


class FrameMN(EfficientAT):
    """Frames are the last feature map, one every 40 ms; the squeeze-excitation depends on the whole input.

    Args:
        width: Multiple of MobileNetV3-Large's channels (0.6 for frame_mn06).
        norm: "folded" or "batch", see :class:`ConvUnit`.
    """

    sample_rate = fpasst_mel.SAMPLE_RATE
    bands = fpasst_mel.BANDS
    hop_s = DOWNSAMPLING * fpasst_mel.HOP / sample_rate
    window_s = hop_s
    offset_s = -hop_s / 2
    min_samples = DOWNSAMPLING * fpasst_mel.HOP

    def __init__(self, width: float, norm: Norm) -> None:
        super().__init__(width, norm)
        self.frontend = fpasst_mel.FpasstMel(periodic=False)
        blocks = [module for module in self.blocks if isinstance(module, InvertedResidual)]
        for block, stride in zip(blocks, STRIDES, strict=True):
            units = [unit for unit in block.children() if isinstance(unit, ConvUnit)]
            units[-2].conv.stride = stride  # the depthwise convolution, before the projection
            block.residual = stride == (1, 1) and units[0].conv.in_channels == units[-1].conv.out_channels

    def forward(self, waveform: Tensor) -> Features:
        spectrogram = self.frontend(self.padded(waveform))  # [B, 128, frames]
        rows = max(1, CHUNK // spectrogram.shape[-1])
        frames = in_chunks(self._frames, spectrogram, rows, self.norm == "batch" and self.training)
        return Features(frames, self.hop_s, spectrogram)


def _checkpoint(name: str, width: float) -> Checkpoint:
    return sed_checkpoint(
        name,
        partial(FrameMN, width),
        f"{name}_strong_1.pt",
        sed_convert.frame_mn,
        "strong",
        "https://arxiv.org/abs/2409.09546",
        LAST * round_channels(BLOCKS[-1].outputs * width),
        {"norm": "folded"},
        {"norm": "batch"},
    )


CHECKPOINTS = (_checkpoint("frame_mn06", 0.6), _checkpoint("frame_mn10", 1.0))
