"""fPaSST: PaSST for frames: three convolutions, then a transformer over tokens of 40 ms and all bands.

Architecture and weights: fschmid56/PretrainedSED, models/frame_passt (MIT); arXiv 2407.12997, arXiv 2409.09546.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..frontends import fpasst_mel
from . import sed_convert
from .atst import sed_checkpoint
from .contract import Backbone, Features
from .vit import Transformer
from .windowed import in_windows

STEP = 4  # spectrogram frames from one token to the next
LENGTH = 1000  # spectrogram frames of 10 s
STEM = (16, 32, 64)  # channels; the first and the last convolution halve both axes
SLICES = STEM[-1] // STEP  # channels after groups of four channels with 32 bands each are joined into 128 "bands"
TOKENS = 2  # class, distillation
EPS = 1e-6


class FpasstNetwork(nn.Module):
    """``[B, 128, F]`` -> tokens ``[B, ceil(F / 4), D]``, and no summary; see :class:`FPaSST`."""

    def __init__(self, depth: int, dim: int, heads: int) -> None:
        super().__init__()
        first, second, third = STEM
        self.stem = nn.ModuleList(
            [
                nn.Conv2d(1, first, 3, 2, 1),
                nn.Conv2d(first, second, 3, 1, 1),
                nn.Conv2d(second, third, 3, 2, 1),
            ]
        )
        self.patches = nn.Conv2d(SLICES, dim, (fpasst_mel.BANDS, 2))
        self.positions = nn.Parameter(torch.empty(1, LENGTH // STEP, dim))
        self.tokens = nn.Parameter(torch.empty(1, TOKENS, dim))
        self.transformer = Transformer(depth, dim, heads, eps=EPS)
        self.norm = nn.LayerNorm(dim, eps=EPS)
        for parameter in (self.tokens, self.positions):
            nn.init.trunc_normal_(parameter, std=0.02)

    def forward(self, spectrogram: Tensor) -> tuple[Tensor, None]:
        maps = spectrogram.unsqueeze(1)
        for conv in self.stem:
            maps = F.gelu(conv(maps))  # finally [B, 64, 32, N]
        slices = maps.flatten(1, 2).unflatten(1, (SLICES, fpasst_mel.BANDS))
        x = self.patches(F.pad(slices, (0, 1))).squeeze(2).transpose(1, 2)  # kernels of 2 columns: this and the next
        x = x + self.positions[:, : x.shape[1]]
        x = torch.cat([self.tokens.expand(len(x), -1, -1), x], dim=1)
        return self.norm(self.transformer(x))[:, TOKENS:].float(), None


class FPaSST(Backbone):
    """Frames are the output tokens, one every 40 ms; each depends on the whole window of 10 s.

    Shorter input uses the first position embeddings, longer input is cut into windows. There is no
    summary, as class and distillation token were not trained as an embedding: the input of the published clip
    classifier is the mean frame.

    Args:
        depth, dim, heads: Sizes of the transformer.
    """

    sample_rate = fpasst_mel.SAMPLE_RATE
    bands = fpasst_mel.BANDS
    hop_s = STEP * fpasst_mel.HOP / sample_rate
    window_s = hop_s
    offset_s = 0.0
    min_samples = STEP * fpasst_mel.HOP

    def __init__(self, depth: int = 12, dim: int = 768, heads: int = 12) -> None:
        super().__init__()
        self.dim = dim
        self.frontend = fpasst_mel.FpasstMel()
        self.network = FpasstNetwork(depth, dim, heads)

    def forward(self, waveform: Tensor) -> Features:
        spectrogram = self.frontend(self.padded(waveform))  # [B, 128, F]
        frames, summary = in_windows(self.network, spectrogram, LENGTH, STEP)
        return Features(frames, self.hop_s, spectrogram, summary)

    def layer_groups(self) -> list[nn.Module]:
        net = self.network
        *blocks, last = net.transformer.blocks
        stem = nn.ModuleList([net.stem, net.patches, nn.ParameterList([net.positions, net.tokens])])
        return [stem, *blocks, nn.ModuleList([last, net.norm])]


_record = partial(sed_checkpoint, build=FPaSST, read=sed_convert.fpasst, paper="https://arxiv.org/abs/2409.09546")
CHECKPOINTS = (
    _record("fpasst_weak", filename="fpasst_weak.pt", head="weak"),
    _record("fpasst_strong", filename="fpasst_strong_1.pt", head="strong", psds1=0.454),
)
