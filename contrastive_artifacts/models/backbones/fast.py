"""FAST: convolutions and small Lipschitz-bounded transformers for mobile use. There are no public weights or code.

From the paper (arXiv 2501.01104): the layout of MobileViT (arXiv 2110.02178), with MobileNetV2 blocks, and blocks of a
3x3 and a pointwise convolution, a transformer over the patches (separately for each position in a patch), and fusion
with the input of the block; the parts of LipsFormer (arXiv 2304.09856): CenterNorm in place of layer norm, scaled
cosine similarity in place of dot products, and weighted residual connections; up to 150 times smaller than other
networks.

Our choices, where abstract and outline of the method do not give details: the front-end of AST; the strides of
MobileViT-XXS, with channels and depths for 0.59 million parameters, 1/150 of AST; patches of 2 rows by 1 column of the
maps, so that input of any length needs no resampling; the fusion of MobileViT (project, concatenate, 3x3 convolution);
the constants of LipsFormer (temperature 10, values of length 1, residual weights that start at 1 / number of layers);
CenterNorm before each half of a block.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..frontends import kaldi_fbank
from .contract import Backbone, Features
from .layers import ConvUnit, Norm, as_image
from .spec import Checkpoint
from .vit import Attention, Mlp
from .windowed import in_windows

BANDS = 128
MEAN, DEVIATION = -4.2677393, 4.5689974  # AST's, over AudioSet
DOWNSAMPLING = 32  # five layers of stride 2
LENGTH = 1024  # spectrogram frames
CHANNELS = (16, 16, 24, 40, 56, 72)  # of the stem and the five parts after it
WIDTHS = (64, 64, 80)  # of the transformers in the last three parts
DEPTHS = (2, 2, 2)
HEADS = 4
LAST = 320
EXPANSION = 2
PATCH_ROWS = 2
TEMPERATURE = 10.0
EPS = 1e-6
BATCH_NORM_EPS = 1e-5


class CenterNorm(nn.Module):
    """``weight * D / (D - 1) * (x - mean(x)) + bias`` over the last axis, of length D.

    Layer norm divides by the deviation, which is not Lipschitz continuous. This is, with the constant D / (D - 1) times
    the largest weight.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))
        self.scale = dim / (dim - 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * (self.scale * (x - x.mean(-1, keepdim=True))) + self.bias


class CosineAttention(Attention):
    """Attention with queries, keys and values normalised to length 1 (less near zero), and cosines times 10.

    The output of a head therefore has a length of at most 1, for any input.
    """

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = (part * (part.square().sum(-1, keepdim=True) + EPS).rsqrt() for part in super()._heads(x))
        return TEMPERATURE * math.sqrt(q.shape[-1]) * q, k, v  # the base class divides by this root


class LipschitzBlock(nn.Module):
    """Attention, then an MLP, each added to its input with a learned weight per feature."""

    def __init__(self, dim: int, layers: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = CenterNorm(dim), CenterNorm(dim)
        self.attention = CosineAttention(dim, HEADS)
        self.mlp = Mlp(dim, EXPANSION * dim)
        self.weight1 = nn.Parameter(torch.full((dim,), 1 / layers))
        self.weight2 = nn.Parameter(torch.full((dim,), 1 / layers))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.weight1 * self.attention(self.norm1(x))
        return x + self.weight2 * self.mlp(self.norm2(x))


class MobileBlock(nn.Module):
    """Expansion, depthwise convolution, projection; plus the input if the shapes match (arXiv 1801.04381)."""

    def __init__(self, inputs: int, outputs: int, stride: int, norm: Norm) -> None:
        super().__init__()
        wide = EXPANSION * inputs
        self.units = nn.Sequential(
            ConvUnit(inputs, wide, 1, norm, nn.SiLU, eps=BATCH_NORM_EPS),
            ConvUnit(wide, wide, 3, norm, nn.SiLU, stride, wide, 1, BATCH_NORM_EPS),
            ConvUnit(wide, outputs, 1, norm, nn.Identity, eps=BATCH_NORM_EPS),
        )
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.units(x) if self.residual else self.units(x)


class FastBlock(nn.Module):
    """``[B, C, H, W]``, H even: convolutions, a transformer over patches, and fusion with the input."""

    def __init__(self, channels: int, dim: int, depth: int, layers: int, norm: Norm) -> None:
        super().__init__()
        self.local = ConvUnit(channels, channels, 3, norm, nn.SiLU, padding=1, eps=BATCH_NORM_EPS)
        self.widen = nn.Conv2d(channels, dim, 1, bias=False)
        self.blocks = nn.Sequential(*(LipschitzBlock(dim, layers) for _ in range(depth)))
        self.norm = CenterNorm(dim)
        self.narrow = ConvUnit(dim, channels, 1, norm, nn.SiLU, eps=BATCH_NORM_EPS)
        self.fuse = ConvUnit(2 * channels, channels, 3, norm, nn.SiLU, padding=1, eps=BATCH_NORM_EPS)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.widen(self.local(x))
        batch, dim, height, width = maps.shape
        # [B, D, H / 2, 2, W] -> one sequence of patches for each position in a patch
        cut = maps.unflatten(2, (-1, PATCH_ROWS)).permute(0, 3, 2, 4, 1).reshape(batch * PATCH_ROWS, -1, dim)
        mixed = self.norm(self.blocks(cut)).view(batch, PATCH_ROWS, -1, width, dim)
        whole = mixed.permute(0, 4, 2, 1, 3).reshape(batch, dim, height, width)
        return self.fuse(torch.cat([x, self.narrow(whole)], dim=1))


class FAST(Backbone):
    """Frames are the last feature map averaged over frequency.

    The attention covers the whole window of 10.24 s; a frame is nominally the 0.32 s around its centre. Longer input is
    cut into windows: the network takes any length, but its cost grows with the square of the length.

    Args:
        norm: "folded" or "batch", see :class:`.layers.ConvUnit`; "batch" for training from random weights.
        channels: Of the stem and five parts; the stem and all parts but the first halve both axes.
        widths, depths: Of the transformers in the last three parts.
        last: D, the channels of the last convolution.
    """

    sample_rate = kaldi_fbank.SAMPLE_RATE
    bands = BANDS
    hop_s = DOWNSAMPLING * kaldi_fbank.HOP / sample_rate
    window_s = hop_s
    offset_s = kaldi_fbank.WINDOW / 2 / sample_rate - hop_s / 2
    min_samples = kaldi_fbank.WINDOW + (DOWNSAMPLING - 1) * kaldi_fbank.HOP

    def __init__(
        self,
        norm: Norm,
        channels: tuple[int, ...] = CHANNELS,
        widths: tuple[int, ...] = WIDTHS,
        depths: tuple[int, ...] = DEPTHS,
        last: int = LAST,
    ) -> None:
        super().__init__()
        self.dim = last
        self.frontend = kaldi_fbank.KaldiFbank(MEAN, DEVIATION, "hanning", bands=BANDS)
        stem, first, second, *others = channels
        parts: list[nn.Module] = [
            ConvUnit(1, stem, 3, norm, nn.SiLU, 2, padding=1, eps=BATCH_NORM_EPS),
            MobileBlock(stem, first, 1, norm),
            nn.Sequential(MobileBlock(first, second, 2, norm), *(MobileBlock(second, second, 1, norm) for _ in "12")),
        ]
        before = second
        for outputs, dim, depth in zip(others, widths, depths, strict=True):
            block = FastBlock(outputs, dim, depth, sum(depths), norm)
            parts.append(nn.Sequential(MobileBlock(before, outputs, 2, norm), block))
            before = outputs
        parts.append(ConvUnit(before, last, 1, norm, nn.SiLU, eps=BATCH_NORM_EPS))
        self.network = nn.Sequential(*parts)

    def forward(self, waveform: Tensor) -> Features:
        spectrogram = self.frontend(self.padded(waveform))  # [B, 128, F]
        frames, _ = in_windows(self._frames, spectrogram, LENGTH, DOWNSAMPLING)
        return Features(frames, self.hop_s, spectrogram)

    def _frames(self, spectrogram: Tensor) -> tuple[Tensor, None]:
        whole = spectrogram[..., : spectrogram.shape[-1] // DOWNSAMPLING * DOWNSAMPLING]
        maps = self.network(as_image(whole))  # [B, D, 4, N]
        return maps.mean(2).transpose(1, 2).float(), None

    def layer_groups(self) -> list[nn.Module]:
        return list(self.network)


CHECKPOINTS = (
    Checkpoint(
        name="fast",
        build=FAST,
        sources=(),
        options={"norm": "folded"},
        scratch={"norm": "batch"},
        licence="none published",
        code_licence="none published",
        origin="Anugunj Naman and Gaibo Zhang, Purdue University; the architecture only",
        paper="https://arxiv.org/abs/2501.01104",
        published={},
    ),
)
