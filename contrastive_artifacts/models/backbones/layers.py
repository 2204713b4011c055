"""Convolution with normalisation and activation, and folding of batch norms into convolutions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from ...core.errors import ParameterError

Norm = Literal["folded", "batch"]
NORMS = get_args(Norm)


class ConvUnit(nn.Module):
    """``activation(norm(conv(x)))``.

    Args:
        inputs, outputs: Numbers of channels.
        kernel: Size of the square kernel.
        norm: "batch": convolution without bias, then batch norm, for training from random weights. "folded":
            convolution with bias into which a trained batch norm was folded, so that its statistics do not change:
            statistics of small batches of views of the same clips are worse. It is also faster.
        activation: Creates the activation; in-place modules need less memory; ``nn.Identity`` for none.
        stride, groups: Of the convolution.
        padding: Zeros on each side; ``None`` for TensorFlow's "same", which at stride 2 and even size (checked) pads
            only the right and the bottom.
        eps: Of the batch norm.

    Raises:
        ParameterError: another ``norm``.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        norm: Norm,
        activation: Callable[[], nn.Module],
        stride: int = 1,
        groups: int = 1,
        padding: int | None = 0,
        eps: float = 1e-3,
    ) -> None:
        super().__init__()
        if norm not in NORMS:
            raise ParameterError(f"norm={norm!r} is none of {', '.join(NORMS)}.")
        self.trailing_pad = padding is None and stride == 2
        padding = kernel // 2 if padding is None else padding
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=norm == "folded")
        self.norm = nn.BatchNorm2d(outputs, eps=eps) if norm == "batch" else nn.Identity()
        self.activation = activation()
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out")
        if self.conv.bias is not None:
            nn.init.zeros_(self.conv.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.norm(self._trailing(x) if self.trailing_pad else self.conv(x)))

    def _trailing(self, x: Tensor) -> Tensor:
        # A zero before the first kernel element shifts the output by one, which turns symmetric padding into trailing
        # padding, and padding the small kernel is cheaper than padding the large map.
        if x.shape[-1] % 2 or x.shape[-2] % 2:
            raise ParameterError(f"Trailing padding needs maps of even size, got {tuple(x.shape)}.")
        conv = self.conv
        kernel = nn.functional.pad(conv.weight, (1, 0, 1, 0))
        return nn.functional.conv2d(x, kernel, conv.bias, conv.stride, conv.padding, groups=conv.groups)


def as_image(maps: Tensor) -> Tensor:
    """``[B, H, W]`` -> ``[B, 1, H, W]`` in the memory format "channels last", which all later layers keep.

    This halves the time of a training step on CPUs. After ``unsqueeze`` the format would be "channels first".
    """
    return maps.contiguous().unsqueeze(-1).permute(0, 3, 1, 2)


def in_chunks(network: Callable[[Tensor], Tensor], batch: Tensor, rows: int, whole: bool) -> Tensor:
    """``network(batch)`` in chunks of about ``rows`` rows, so that maps between layers fit into the cache.

    Args:
        whole: Process the batch at once, for networks whose rows depend on each other (batch norm in training).
    """
    if whole or torch.compiler.is_exporting() or len(batch) <= rows:
        return network(batch)
    return torch.cat([network(part) for part in batch.chunk(math.ceil(len(batch) / rows))])


def fold_batch_norm(state: Mapping[str, Tensor], eps: float) -> dict[str, Tensor]:
    """Folds every ``<unit>.norm.*`` into ``<unit>.conv.weight`` and ``<unit>.conv.bias``; keeps all other tensors.

    A unit whose four norm tensors are incomplete or have other shapes is not changed, so that strict loading names it.
    """
    folded = dict(state)
    for key in state:
        unit = key.removesuffix(".conv.weight")
        parts = [f"{unit}.norm.{name}" for name in ("weight", "bias", "running_mean", "running_var")]
        if unit == key or any(part not in state or state[part].shape != state[key].shape[:1] for part in parts):
            continue
        gamma, beta, mean, variance = (folded.pop(part).double() for part in parts)
        folded.pop(f"{unit}.norm.num_batches_tracked", None)
        gain = gamma / torch.sqrt(variance + eps)
        folded[key] = (state[key].double() * gain[:, None, None, None]).float()
        folded[f"{unit}.conv.bias"] = (beta - mean * gain).float()
    return folded
