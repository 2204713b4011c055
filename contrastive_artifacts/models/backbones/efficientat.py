"""EfficientAT: MobileNetV3 over one log-mel spectrogram of any length, distilled from PaSST on AudioSet.

Architecture: fschmid56/EfficientAT, models/mn (MIT); arXiv 2211.04772; MobileNetV3, arXiv 1905.02244.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from torch import Tensor, nn

from ..frontends import efficientat_mel
from . import efficientat_convert
from .contract import Backbone, Features
from .layers import ConvUnit, Norm, as_image, in_chunks
from .spec import Checkpoint, Source

CLASSES = 527
DOWNSAMPLING = 32  # five layers of stride 2


class Block(NamedTuple):
    """One row of the table of MobileNetV3-Large."""

    kernel: int
    expanded: int
    outputs: int
    squeeze: bool
    hard_swish: bool
    stride: int


HARD_SWISH, RELU = partial(nn.Hardswish, inplace=True), partial(nn.ReLU, inplace=True)
CHUNK = 8192  # spectrogram frames per chunk
STEM = 16
BLOCKS = (  # MobileNetV3-Large at width 1
    Block(3, 16, 16, False, False, 1),
    Block(3, 64, 24, False, False, 2),
    Block(3, 72, 24, False, False, 1),
    Block(5, 72, 40, True, False, 2),
    Block(5, 120, 40, True, False, 1),
    Block(5, 120, 40, True, False, 1),
    Block(3, 240, 80, False, True, 2),
    Block(3, 200, 80, False, True, 1),
    Block(3, 184, 80, False, True, 1),
    Block(3, 184, 80, False, True, 1),
    Block(3, 480, 112, True, True, 1),
    Block(3, 672, 112, True, True, 1),
    Block(5, 672, 160, True, True, 2),
    Block(5, 960, 160, True, True, 1),
    Block(5, 960, 160, True, True, 1),
)
LAST = 6  # expansion of the last convolution
HIDDEN = 1280  # hidden width of the classifier


def round_channels(channels: float) -> int:
    """The nearest multiple of 8 that is at least 8 and loses at most a tenth.

    >>> round_channels(6.4), round_channels(16), round_channels(44.8)
    (8, 16, 48)
    """
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels else rounded + 8


class SqueezeExcitation(nn.Module):
    """Scales each channel by a gate computed from the channel means over the whole spectrogram (arXiv 1709.01507)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = round_channels(channels // 4)
        self.fc1 = nn.Linear(channels, squeezed)
        self.fc2 = nn.Linear(squeezed, channels)

    def forward(self, x: Tensor) -> Tensor:
        gate = self.fc2(self.fc1(x.mean((2, 3))).relu()).sigmoid()
        return x * gate[:, :, None, None]


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, squeeze-excitation (if ``block.squeeze``), projection; plus a residual path."""

    def __init__(self, inputs: int, block: Block, width: float, norm: Norm) -> None:
        super().__init__()
        expanded, outputs = round_channels(block.expanded * width), round_channels(block.outputs * width)
        act = HARD_SWISH if block.hard_swish else RELU
        units: dict[str, nn.Module] = {}
        if expanded != inputs:
            units["expand"] = ConvUnit(inputs, expanded, 1, norm, act, eps=efficientat_convert.BATCH_NORM_EPS)
        units["depthwise"] = ConvUnit(
            *(expanded, expanded, block.kernel, norm, act, block.stride),
            groups=expanded,
            padding=block.kernel // 2,
            eps=efficientat_convert.BATCH_NORM_EPS,
        )
        if block.squeeze:
            units["squeeze"] = SqueezeExcitation(expanded)
        units["project"] = ConvUnit(expanded, outputs, 1, norm, nn.Identity, eps=efficientat_convert.BATCH_NORM_EPS)
        for name, unit in units.items():
            self.add_module(name, unit)
        self.outputs = outputs
        self.residual = block.stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for unit in self.children():
            y = unit(y)
        return y.add_(x) if self.residual else y


class EfficientAT(Backbone):
    """Frames are the last feature map averaged over frequency; their mean is the published embedding.

    The gates of the squeeze-excitation depend on the whole input, and so does each frame to a small extent. The
    receptive field of the convolutions is about 3 s to both sides, with most weight near the centre at ``n * hop_s``.

    Args:
        width: Multiple of MobileNetV3-Large's channels (0.4 for mn04, 1.0 for mn10).
        norm: "folded" or "batch", see :class:`ConvUnit`.
    """

    sample_rate = efficientat_mel.SAMPLE_RATE
    bands = efficientat_mel.BANDS
    convolutional = True
    hop_s = DOWNSAMPLING * efficientat_mel.HOP / sample_rate
    window_s = hop_s
    offset_s = -hop_s / 2
    min_samples = DOWNSAMPLING * efficientat_mel.HOP

    def __init__(self, width: float, norm: Norm) -> None:
        super().__init__()
        self.norm = norm
        self.frontend = efficientat_mel.EfficientatMel()
        channels = round_channels(STEM * width)
        stem = ConvUnit(1, channels, 3, norm, HARD_SWISH, 2, padding=1, eps=efficientat_convert.BATCH_NORM_EPS)
        blocks: list[nn.Module] = [stem]
        for block in BLOCKS:
            layer = InvertedResidual(channels, block, width, norm)
            channels = layer.outputs
            blocks.append(layer)
        self.dim = LAST * channels
        blocks.append(ConvUnit(channels, self.dim, 1, norm, HARD_SWISH, eps=efficientat_convert.BATCH_NORM_EPS))
        self.blocks = nn.Sequential(*blocks)

    def forward(self, waveform: Tensor) -> Features:
        spectrogram = self.frontend(self.padded(waveform))  # [B, 128, frames]
        rows = max(1, CHUNK // spectrogram.shape[-1])
        frames = in_chunks(self._frames, spectrogram, rows, self.norm == "batch" and self.training)
        return Features(frames, self.hop_s, spectrogram)

    def _frames(self, spectrogram: Tensor) -> Tensor:
        maps = self.blocks(as_image(spectrogram))  # [B, D, 4, N]
        return maps.mean(2).transpose(1, 2).float()

    def layer_groups(self) -> list[nn.Module]:
        return list(self.blocks)


def head(width: float) -> nn.Module:
    """The published AudioSet classifier on top of the mean frame (logits), to verify converted weights."""
    hidden = round_channels(HIDDEN * width)
    return nn.Sequential(
        nn.Linear(LAST * round_channels(BLOCKS[-1].outputs * width), hidden), nn.Hardswish(), nn.Linear(hidden, CLASSES)
    )


RELEASE = "https://github.com/fschmid56/EfficientAT/releases/download/v0.0.1/"


def _checkpoint(
    name: str, width: float, score: int, parameters: float, size: int | None = None, sha256: str | None = None
) -> Checkpoint:
    model, _, variant = name.partition("_")
    filename = "_".join(part for part in (model, "as", variant, "mAP", str(score)) if part) + ".pt"
    return Checkpoint(
        name=name,
        build=partial(EfficientAT, width),
        head=partial(head, width),
        options={"norm": "folded"},
        scratch={"norm": "batch"},
        sources=(Source(filename, RELEASE + filename, size, sha256, efficientat_convert.convert),),
        licence="MIT",
        code_licence="MIT",
        origin="Florian Schmid et al., fschmid56/EfficientAT",
        paper="https://arxiv.org/abs/2211.04772",
        published={"parameters": parameters, "map": score / 1000},
    )


CHECKPOINTS = (
    _checkpoint("mn04", 0.4, 432, 0.98e6, 4066513, "899a8c6217063f6941793102a2780b3dd788ab11fce468d9cf5f0577c453321c"),
    _checkpoint("mn01", 0.1, 298, 0.123e6),  # from here on, size and digest are not known yet
    _checkpoint("mn02", 0.2, 378, 0.324e6),
    _checkpoint("mn05", 0.5, 443, 1.43e6),
    _checkpoint("mn10", 1.0, 471, 4.88e6),
    _checkpoint("mn20", 2.0, 478, 17.91e6),
    _checkpoint("mn30", 3.0, 482, 39.09e6),
    _checkpoint("mn40", 4.0, 484, 68.43e6),
    _checkpoint("mn40_ext", 4.0, 487, 68.43e6),
)
