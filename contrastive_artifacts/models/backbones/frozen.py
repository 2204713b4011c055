"""A copy of a network for inference: on the CPU with packed weights and fused bias and activation, or on a GPU.

Ordinary modules convert their weights into oneDNN's layout in every call and process each map a second time for the
activation. The operators used here are those that PyTorch's compiler generates for CPUs (oneDNN, arXiv 2301.01333).
They are called directly, as the compiler needs a C++ compiler on the user's machine, and TorchScript is deprecated.
"""

from __future__ import annotations

import copy
import math
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ...core.device import chosen_device
from .contract import Backbone
from .layers import ConvUnit
from .vit import Attention, Mlp

Network = TypeVar("Network", bound=nn.Module)
FUSED: dict[type[nn.Module], tuple[str, list[float]]] = {  # activation -> its name in oneDNN and its parameters
    nn.Identity: ("none", []),
    nn.ReLU: ("relu", []),
    nn.ReLU6: ("hardtanh", [0.0, 6.0]),
    nn.Hardswish: ("hardswish", []),
}
FLOATS = 16 * 32 * 48 * 32  # size of the first map of a chunk: maps fit into the cache, and calls are few


def freeze(network: Network) -> Network:
    """A faster copy for inference: same inputs, same outputs except for rounding, no gradients.

    It shares no memory with ``network``, and its state dict cannot be loaded elsewhere. Without oneDNN, or where
    ``network`` is not on the CPU, it is an ordinary copy in evaluation mode; so is one on the GPU that
    :data:`.core.device.VARIABLE` names, which takes and returns tensors on the CPU all the same.

    Args:
        network: A backbone, or a module that contains one. Convolutional backbones and the blocks of :mod:`.vit` are
            packed; networks of other libraries and layers with low-rank corrections are not.
    """
    frozen, device = copy.deepcopy(network).eval().requires_grad_(False), chosen_device()
    if device.type != "cpu":
        return behind_cpu(frozen, device)
    if torch.backends.mkldnn.is_available() and all(p.device.type == "cpu" for p in frozen.parameters()):
        for module in list(frozen.modules()):
            if isinstance(module, Backbone) and module.convolutional:
                module.blocks = FrozenBlocks(nn.Sequential(*module.layer_groups()))
            else:
                _pack_linear(module)
    return frozen


def behind_cpu(network: Network, device: torch.device) -> Network:
    """Moves a network to a device; it takes and returns tensors on the CPU, alone or in tuples."""
    torch.backends.cudnn.allow_tf32 = False  # as precise as the CPU
    network.to(device)
    network.register_forward_pre_hook(lambda _, inputs: _moved(inputs, device))
    network.register_forward_hook(lambda _, __, outputs: _moved(outputs, torch.device("cpu")))
    return network


def _moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, tuple):
        parts = (_moved(part, device) for part in value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value.to(device) if isinstance(value, Tensor) else value


class FrozenBlocks(nn.Module):
    """Images ``[B, 1, H, W]`` -> maps ``[B, D, h, w]``, as ``blocks``, whose units are replaced in place.

    A network with trailing padding processes mirrored images with mirrored kernels, which turns it into leading
    padding. Convolutions support this, while :class:`ConvUnit` needs larger kernels for trailing padding. All strided
    layers of such a network must have trailing padding.
    """

    def __init__(self, blocks: nn.Sequential) -> None:
        super().__init__()
        units = [module for module in blocks.modules() if isinstance(module, ConvUnit)]
        stem = units[0].conv
        self.pixels = FLOATS * math.prod(stem.stride) // stem.out_channels  # of input per chunk
        self.mirrored = any(unit.trailing_pad for unit in units)
        self.blocks = _replaced(blocks, self.mirrored)

    def forward(self, images: Tensor) -> Tensor:
        rows = max(1, self.pixels // images[0].numel())
        if self.mirrored:
            images = images.flip(2, 3)
        maps = [self.blocks(part) for part in images.split(rows)]
        whole = maps[0] if len(maps) == 1 else torch.cat(maps)
        return whole.flip(2, 3) if self.mirrored else whole


class FrozenConv(nn.Module):
    """A :class:`ConvUnit` as one operator; 1 x 1 kernels as a matrix product over channels, with less overhead."""

    def __init__(self, unit: ConvUnit, mirrored: bool) -> None:
        super().__init__()
        conv = unit.conv if isinstance(unit.norm, nn.Identity) else fuse_conv_bn_eval(unit.conv, unit.norm)
        weight = conv.weight.detach().flip(2, 3) if mirrored else conv.weight.detach()
        self.pointwise = conv.kernel_size == (1, 1) and conv.stride == (1, 1) and conv.groups == 1
        self.bias = None if conv.bias is None else conv.bias.detach()
        name, parameters = FUSED[type(unit.activation)]
        self.activation: tuple[Any, ...] = (name, parameters, "")
        ops = torch.ops.mkldnn
        self.shape: tuple[Any, ...] = ()
        if self.pointwise:
            self.run, self.weight = ops._linear_pointwise.default, ops._reorder_linear_weight(weight.flatten(1))
        else:
            self.shape = ([*conv.padding], [*conv.stride], [*conv.dilation], conv.groups)
            self.run = ops._convolution_pointwise.default
            self.weight = ops._reorder_convolution_weight(weight.contiguous(), *self.shape)

    def forward(self, x: Tensor) -> Tensor:
        if self.pointwise:  # in channels last format, permuting copies nothing
            return self.run(x.permute(0, 2, 3, 1), self.weight, self.bias, *self.activation).permute(0, 3, 1, 2)
        return self.run(x, self.weight, self.bias, *self.shape, *self.activation)


class FrozenLinear(nn.Module):
    """A linear layer ``[..., inputs] -> [..., outputs]``, optionally with GELU, as one operator."""

    def __init__(self, linear: nn.Linear, gelu: bool = False) -> None:
        super().__init__()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach())
        self.bias = None if linear.bias is None else linear.bias.detach()
        self.activation: tuple[Any, ...] = ("gelu", [], "none") if gelu else ("none", [], "")  # "none": exact GELU

    def forward(self, x: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise.default(x, self.weight, self.bias, *self.activation)


def _pack_linear(module: nn.Module) -> None:
    """Packs, in place, linear layers of attention in ``module`` and of MLPs that are its children."""
    for name, child in module.named_children():
        if isinstance(module, Attention) and name in ("qkv", "out") and type(child) is nn.Linear:
            setattr(module, name, FrozenLinear(child))
        elif isinstance(child, Mlp) and type(child.fc1) is type(child.fc2) is nn.Linear:
            setattr(module, name, nn.Sequential(FrozenLinear(child.fc1, gelu=True), FrozenLinear(child.fc2)))


def _replaced(module: nn.Module, mirrored: bool) -> nn.Module:
    if isinstance(module, ConvUnit):
        return FrozenConv(module, mirrored)
    for name, child in module.named_children():
        setattr(module, name, _replaced(child, mirrored))
    return module
