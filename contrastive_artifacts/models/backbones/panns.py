"""PANNs: convolutional networks over one log-mel spectrogram of any length, trained on AudioSet.

Architectures: qiuqiangkong/audioset_tagging_cnn, pytorch/models.py (MIT); arXiv 1912.10211.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..frontends import panns_mel
from . import panns_convert
from .contract import Backbone, Features
from .layers import ConvUnit, Norm, as_image, in_chunks
from .spec import Checkpoint, Source

CLASSES = 527
DOWNSAMPLING = 32  # five poolings by 2
CHUNK = 8192  # spectrogram frames per chunk
CNN14_CHANNELS, CNN14_BLOCKS = 64, 6
MOBILE_STEM = 32
V1_EMBEDDING = V2_EMBEDDING = 1024
V1_BLOCKS = (  # (pooling, channels)
    *((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512)),
    *((1, 512), (1, 512), (1, 512), (1, 512), (1, 512), (2, 1024), (1, 1024)),
)
V2_LAST = 1280
RELU, RELU6 = partial(nn.ReLU, inplace=True), partial(nn.ReLU6, inplace=True)


class Group(NamedTuple):
    """Blocks of MobileNetV2 with the same width; only the first one pools."""

    expansion: int
    outputs: int
    repeats: int
    pooling: int


V2_GROUPS = (
    *(Group(1, 16, 1, 1), Group(6, 24, 2, 2), Group(6, 32, 3, 2), Group(6, 64, 4, 2)),
    *(Group(6, 96, 3, 2), Group(6, 160, 3, 1), Group(6, 320, 1, 1)),
)


class BandAffine(nn.Module):
    """Gain and offset of each band of ``[B, M, F]``: a trained batch norm over bands with fixed statistics."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(bands)), nn.Parameter(torch.zeros(bands))

    def forward(self, spectrogram: Tensor) -> Tensor:
        return spectrogram * self.weight[:, None] + self.bias[:, None]


class PooledUnit(nn.Module):
    """3 x 3 convolution, norm, mean over ``pooling`` x ``pooling`` pixels, activation.

    In the published network the norm is after the pooling; both are linear, so the result in evaluation is the same.
    """

    def __init__(
        self, inputs: int, outputs: int, norm: Norm, act: Callable[[], nn.Module], pooling: int, groups: int = 1
    ) -> None:
        super().__init__()
        self.unit = _unit(inputs, outputs, 3, norm, nn.Identity, groups)
        self.pool = nn.AvgPool2d(pooling) if pooling > 1 else nn.Identity()
        self.activation = act()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.pool(self.unit(x)))


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, projection (arXiv 1801.04381); plus the input if the shapes match."""

    def __init__(self, inputs: int, outputs: int, expansion: int, pooling: int, norm: Norm) -> None:
        super().__init__()
        width = inputs * expansion
        self.expand = _unit(inputs, width, 1, norm, RELU6) if expansion > 1 else nn.Identity()
        self.depthwise = PooledUnit(width, width, norm, RELU6, pooling, groups=width)
        self.project = _unit(width, outputs, 1, norm, nn.Identity)
        self.residual = pooling == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class PANN(Backbone):
    """Frames are the last feature map averaged over frequency; the summary is the published embedding of the clip.

    Frame ``n`` is pooled from 32 spectrogram frames, from ``n * hop_s`` on; the receptive field of the convolutions is
    larger. A rest of less than one frame at the end is dropped, as published. Dropout and spectrogram masks of the
    published training are omitted.

    Args:
        blocks: Images ``[B, 1, F, 64]`` -> maps ``[B, dim, F // 32, m]``.
        dim: Channels of the last map.
        summary: Width of the published embedding.
        norm: "folded" or "batch", see :class:`ConvUnit`.
        recipe: Constants of the front-end.
    """

    bands = panns_mel.BANDS

    def __init__(
        self, blocks: Sequence[nn.Module], dim: int, summary: int, norm: Norm, recipe: panns_mel.Recipe
    ) -> None:
        super().__init__()
        self.norm = norm
        self.frontend = panns_mel.PannsMel(recipe)
        self.bn0 = BandAffine(self.bands) if norm == "folded" else nn.BatchNorm1d(self.bands)
        self.blocks = nn.Sequential(*blocks)
        self.fc1 = nn.Linear(dim, summary)
        self.dim = dim
        self.sample_rate = recipe.sample_rate
        self.hop_s = self.window_s = DOWNSAMPLING * recipe.hop / recipe.sample_rate
        self.offset_s = -recipe.hop / 2 / recipe.sample_rate
        self.min_samples = (DOWNSAMPLING - 1) * recipe.hop

    def forward(self, waveform: Tensor) -> Features:
        spectrogram = self.frontend(self.padded(waveform))  # [B, 64, F]
        rows = max(1, CHUNK // spectrogram.shape[-1])
        frames = in_chunks(self._frames, spectrogram, rows, self.norm == "batch" and self.training)
        summary = self.fc1(frames.amax(1) + frames.mean(1)).relu()
        return Features(frames, self.hop_s, spectrogram, summary.float())

    def _frames(self, spectrogram: Tensor) -> Tensor:
        maps = self.blocks(as_image(self.bn0(spectrogram).transpose(1, 2)))  # [B, D, N, m]
        return maps.mean(3).transpose(1, 2).float()

    def layer_groups(self) -> list[nn.Module]:
        return [self.bn0, *self.blocks, self.fc1]


def _unit(
    inputs: int, outputs: int, kernel: int, norm: Norm, act: Callable[[], nn.Module], groups: int = 1
) -> ConvUnit:
    return ConvUnit(
        *(inputs, outputs, kernel, norm, act), groups=groups, padding=kernel // 2, eps=panns_convert.BATCH_NORM_EPS
    )


class Cnn14(PANN):
    """Six blocks of two convolutions, ``channels`` wide in the first block and twice as wide in each next one."""

    def __init__(
        self, norm: Norm, channels: int = CNN14_CHANNELS, recipe: panns_mel.Recipe = panns_mel.RATE_32K
    ) -> None:
        blocks: list[nn.Module] = []
        inputs, outputs = 1, channels
        for index in range(CNN14_BLOCKS):
            units: list[nn.Module] = [_unit(inputs, outputs, 3, norm, RELU), _unit(outputs, outputs, 3, norm, RELU)]
            blocks.append(nn.Sequential(*units, *[nn.AvgPool2d(2)] * (index < CNN14_BLOCKS - 1)))
            inputs, outputs = outputs, 2 * outputs
        super().__init__(blocks, inputs, inputs, norm, recipe)


class MobileNetV1(PANN):
    """MobileNetV1 (arXiv 1704.04861) with mean pooling in place of strides."""

    def __init__(self, norm: Norm) -> None:
        blocks: list[nn.Module] = [PooledUnit(1, MOBILE_STEM, norm, RELU, 2)]
        width = MOBILE_STEM
        for pooling, outputs in V1_BLOCKS:
            depthwise = PooledUnit(width, width, norm, RELU, pooling, groups=width)
            blocks.append(nn.Sequential(depthwise, _unit(width, outputs, 1, norm, RELU)))
            width = outputs
        super().__init__(blocks, width, V1_EMBEDDING, norm, panns_mel.RATE_32K)


class MobileNetV2(PANN):
    """MobileNetV2 (arXiv 1801.04381) with mean pooling in place of strides."""

    def __init__(self, norm: Norm) -> None:
        blocks: list[nn.Module] = [PooledUnit(1, MOBILE_STEM, norm, RELU6, 2)]
        width = MOBILE_STEM
        for group in V2_GROUPS:
            for index in range(group.repeats):
                pooling = group.pooling if index == 0 else 1
                blocks.append(InvertedResidual(width, group.outputs, group.expansion, pooling, norm))
                width = group.outputs
        blocks.append(_unit(width, V2_LAST, 1, norm, RELU6))
        super().__init__(blocks, V2_LAST, V2_EMBEDDING, norm, panns_mel.RATE_32K)


def _checkpoint(
    name: str, build: Callable[..., PANN], embedding: int, filename: str, parameters: int, score: float
) -> Checkpoint:
    address = f"https://zenodo.org/record/3987831/files/{filename.replace('=', '%3D')}?download=1"
    return Checkpoint(
        name=name,
        build=build,
        head=partial(nn.Linear, embedding, CLASSES),
        options={"norm": "folded"},
        scratch={"norm": "batch"},
        # Size and sha256 are not known yet; Zenodo gives an MD5 digest only.
        sources=(Source(filename, address, None, None, panns_convert.convert),),
        licence="CC-BY-4.0",
        code_licence="MIT",
        origin="Qiuqiang Kong et al., qiuqiangkong/audioset_tagging_cnn, Zenodo 3987831",
        paper="https://arxiv.org/abs/1912.10211",
        published={"parameters": parameters, "map": score},
    )


_WIDEST = CNN14_CHANNELS << (CNN14_BLOCKS - 1)
CHECKPOINTS = (
    _checkpoint("cnn14", Cnn14, _WIDEST, "Cnn14_mAP=0.431.pth", 80_753_882, 0.431),
    _checkpoint(
        *("cnn14_16k", partial(Cnn14, recipe=panns_mel.RATE_16K), _WIDEST),
        *("Cnn14_16k_mAP=0.438.pth", 80_753_882, 0.438),
    ),
    _checkpoint("panns_mobilenetv1", MobileNetV1, V1_EMBEDDING, "MobileNetV1_mAP=0.389.pth", 4_796_303, 0.389),
    _checkpoint("panns_mobilenetv2", MobileNetV2, V2_EMBEDDING, "MobileNetV2_mAP=0.383.pth", 4_075_343, 0.383),
)
