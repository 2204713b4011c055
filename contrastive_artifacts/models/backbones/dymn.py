"""Dynamic MobileNets: networks of EfficientAT whose kernels and activations depend on the input.

Architecture: fschmid56/EfficientAT, models/dymn (MIT); arXiv 2310.15648. Dynamic convolution: arXiv 1912.03458; dynamic
ReLU: arXiv 2003.10027; coordinate attention: arXiv 2103.02907.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...core.errors import ParameterError
from ..frontends import efficientat_mel
from . import dymn_convert
from .contract import Backbone, Features
from .efficientat import BLOCKS, DOWNSAMPLING, HARD_SWISH, LAST, RELEASE, RELU, STEM, Block, head, round_channels
from .efficientat_convert import BATCH_NORM_EPS
from .layers import NORMS, ConvUnit, Norm, in_chunks
from .spec import Checkpoint, Source

CHUNK = 8192  # spectrogram frames per chunk
KERNELS = 4  # kernels of each dynamic convolution
SLOPE_RANGES = (1.0, 1.0, 0.5, 0.5)  # largest changes of the two slopes and the two offsets of a dynamic ReLU
SLOPE_STARTS = (1.0, 0.0, 0.0, 0.0)  # those of a ReLU
CONTEXT_SHARE, LEAST_CONTEXT, MOST_CONTEXT = 4, 32, 128  # share of the expanded channels; limits at width 1


class DynamicConv(nn.Module):
    """Convolution whose kernel is a weighted mean of ``KERNELS`` kernels; the weights depend on the context.

    The weights are a softmax at temperature 1, the last temperature of the published training.

    Args:
        inputs, outputs: Numbers of channels.
        kernel: Size of the square kernels.
        context: Width of the context vector.
        norm: "batch": followed by a batch norm. "folded": the batch norm is part of the kernels and of a common bias.
        stride, groups: Of the convolution.

    Raises:
        ParameterError: another ``norm``.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, context: int, norm: Norm, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        if norm not in NORMS:
            raise ParameterError(f"norm={norm!r} is none of {', '.join(NORMS)}.")
        self.stride, self.groups = stride, groups
        self.attention = nn.Linear(context, KERNELS)
        self.kernels = nn.Parameter(torch.empty(KERNELS, outputs, inputs // groups, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if norm == "folded" else None
        self.norm = nn.BatchNorm2d(outputs, eps=BATCH_NORM_EPS) if norm == "batch" else nn.Identity()
        for weights in self.kernels.data:
            nn.init.kaiming_normal_(weights, mode="fan_out")

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        shares = self.attention(context).softmax(-1)  # [B, KERNELS]
        mixed = (shares @ self.kernels.flatten(1)).view(len(x), *self.kernels.shape[1:])
        if mixed.shape[-1] == 1:  # a matrix over channels for each row
            y = (mixed[..., 0, 0] @ x.flatten(2)).unflatten(2, x.shape[2:])
        else:  # as one grouped convolution
            rows = x.reshape(1, -1, *x.shape[2:])
            y = F.conv2d(
                *(rows, mixed.flatten(0, 1), None, self.stride, mixed.shape[-1] // 2), groups=len(x) * self.groups
            )
            y = y.unflatten(1, (len(x), -1))[0]
        return self.norm(y if self.bias is None else y + self.bias[:, None, None])


class DynamicReLU(nn.Module):
    """The maximum of two linear functions per channel, whose slopes and offsets depend on the context."""

    ranges: Tensor
    starts: Tensor

    def __init__(self, channels: int, context: int) -> None:
        super().__init__()
        self.lines = nn.Linear(context, len(SLOPE_RANGES) * channels)
        self.register_buffer("ranges", torch.tensor(SLOPE_RANGES), persistent=False)
        self.register_buffer("starts", torch.tensor(SLOPE_STARTS), persistent=False)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        moves = 2 * self.lines(context).sigmoid() - 1
        lines = moves.view(len(x), -1, 1, 1, len(SLOPE_RANGES)) * self.ranges + self.starts
        slope, other_slope, offset, other_offset = lines.unbind(-1)
        return torch.maximum(x * slope + offset, x * other_slope + other_offset)


class Context(nn.Module):
    """A context vector per clip, and gates over frequency and over time, from means over the other axis."""

    def __init__(self, inputs: int, expanded: int, context: int, stride: int, norm: Norm) -> None:
        super().__init__()
        self.joint = ConvUnit(inputs, context, 1, norm, HARD_SWISH, eps=BATCH_NORM_EPS)
        self.frequency = nn.Conv2d(context, expanded, 1)
        self.time = nn.Conv2d(context, expanded, 1)
        self.pool = nn.AvgPool2d((3, 1), (stride, 1), (1, 0)) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``[B, C, f, t]`` -> context ``[B, H]``, gates ``[B, E, f / stride, 1]`` and ``[B, E, 1, t / stride]``."""
        columns = torch.cat([x.mean(3, keepdim=True), x.mean(2).unsqueeze(3)], dim=2)  # [B, C, f + t, 1]
        joint = self.joint(columns)
        frequency, time = joint.split([x.shape[2], x.shape[3]], dim=2)
        gates = self.frequency(self.pool(frequency)).sigmoid(), self.time(self.pool(time)).sigmoid()
        return joint.mean((2, 3)), gates[0], gates[1].transpose(2, 3)


class DynamicBlock(nn.Module):
    """Inverted residual with dynamic convolutions, and gates over frequency and time in place of squeeze-excitation."""

    def __init__(self, inputs: int, block: Block, width: float, norm: Norm) -> None:
        super().__init__()
        expanded, self.outputs = round_channels(block.expanded * width), round_channels(block.outputs * width)
        bounds = round_channels(LEAST_CONTEXT * width), round_channels(MOST_CONTEXT * width)
        context = min(max(round_channels(expanded // CONTEXT_SHARE), bounds[0]), bounds[1])
        self.context = Context(inputs, expanded, context, block.stride, norm)
        self.expand = DynamicConv(inputs, expanded, 1, context, norm) if expanded != inputs else None
        self.expanded = HARD_SWISH() if block.hard_swish else RELU()
        self.depthwise = DynamicConv(expanded, expanded, block.kernel, context, norm, block.stride, expanded)
        self.relu = DynamicReLU(expanded, context)
        self.project = DynamicConv(expanded, self.outputs, 1, context, norm)
        self.residual = block.stride == 1 and inputs == self.outputs

    def forward(self, x: Tensor) -> Tensor:
        context, over_frequency, over_time = self.context(x)
        y = x if self.expand is None else self.expanded(self.expand(x, context))
        y = self.relu(self.depthwise(y, context), context) * over_frequency * over_time
        y = self.project(y, context)
        return y + x if self.residual else y


class DyMN(Backbone):
    """Frames are the last feature map averaged over frequency; their mean is the published embedding.

    Kernels, activations and gates depend on means over the whole input, so each frame depends on the whole input.

    Args:
        width: Multiple of MobileNetV3-Large's channels (0.4 for dymn04, 1.0 for dymn10).
        norm: "folded" or "batch", see :class:`DynamicConv`.
    """

    sample_rate = efficientat_mel.SAMPLE_RATE
    bands = efficientat_mel.BANDS
    hop_s = DOWNSAMPLING * efficientat_mel.HOP / sample_rate
    window_s = hop_s
    offset_s = -hop_s / 2
    min_samples = DOWNSAMPLING * efficientat_mel.HOP

    def __init__(self, width: float, norm: Norm) -> None:
        super().__init__()
        self.norm = norm
        self.frontend = efficientat_mel.EfficientatMel()
        channels = round_channels(STEM * width)
        blocks: list[nn.Module] = [ConvUnit(1, channels, 3, norm, HARD_SWISH, 2, padding=1, eps=BATCH_NORM_EPS)]
        for block in BLOCKS:
            layer = DynamicBlock(channels, block, width, norm)
            channels = layer.outputs
            blocks.append(layer)
        self.dim = LAST * channels
        blocks.append(ConvUnit(channels, self.dim, 1, norm, HARD_SWISH, eps=BATCH_NORM_EPS))
        self.blocks = nn.Sequential(*blocks)

    def forward(self, waveform: Tensor) -> Features:
        spectrogram = self.frontend(self.padded(waveform))  # [B, 128, frames]
        rows = max(1, CHUNK // spectrogram.shape[-1])
        frames = in_chunks(self._frames, spectrogram, rows, self.norm == "batch" and self.training)
        return Features(frames, self.hop_s, spectrogram)

    def _frames(self, spectrogram: Tensor) -> Tensor:
        maps = self.blocks(spectrogram.unsqueeze(1))  # [B, D, 4, N]; channels first, as rows become channels
        return maps.mean(2).transpose(1, 2).float()

    def layer_groups(self) -> list[nn.Module]:
        return list(self.blocks)


def _checkpoint(name: str, width: float, filename: str, parameters: float, score: float) -> Checkpoint:
    return Checkpoint(
        name=name,
        build=partial(DyMN, width),
        head=partial(head, width),
        options={"norm": "folded"},
        scratch={"norm": "batch"},
        sources=(Source(filename, RELEASE + filename, None, None, dymn_convert.convert),),
        licence="MIT",
        code_licence="MIT",
        origin="Florian Schmid et al., fschmid56/EfficientAT",
        paper="https://arxiv.org/abs/2310.15648",
        published={"parameters": parameters, "map": score},
    )


CHECKPOINTS = (
    _checkpoint("dymn04", 0.4, "dymn04_as.pt", 1.97e6, 0.450),
    _checkpoint("dymn10", 1.0, "dymn10_as.pt", 10.57e6, 0.477),
    _checkpoint("dymn20", 2.0, "dymn20_as_mAP_493.pt", 40.02e6, 0.493),
)
