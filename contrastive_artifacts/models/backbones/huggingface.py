"""What the networks out of the transformers library share: its import, what rests in training, what is no parameter."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from torch import nn

from ...core import torchaudio as _torchaudio


def transformers(module: str = "") -> ModuleType:
    """The transformers library or one of its modules; it needs several seconds, so it is loaded on first use."""
    _torchaudio.load()  # transformers imports torchaudio in turn, and that works only by this door
    return importlib.import_module("transformers" + module)


def rest(config: Any) -> Any:
    """Takes dropout, dropped layers and masked spectra out of a model's configuration, also where they are its default.

    Masks would hide artifacts. Without them, the vector that stands for masked frames is not made either.
    """
    for key, value in config.to_dict().items():
        if key == "apply_spec_augment":
            setattr(config, key, False)
        elif isinstance(value, float | int) and ("drop" in key or (key.startswith("mask_") and key.endswith("_prob"))):
            setattr(config, key, 0.0)
    return config


def fixed(network: nn.Module) -> nn.Module:
    """Makes parameters that were published as constants (sinusoidal positions) buffers, under the same names."""
    for module in network.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if not parameter.requires_grad:
                delattr(module, name)
                module.register_buffer(name, parameter.data)
    return network


class RestingNorm1d(nn.BatchNorm1d):
    """A batch norm that stays at its statistics also in training: those of a few views of the same clips are worse."""

    def train(self, mode: bool = True) -> RestingNorm1d:
        return super().train(False)


class RestingNorm2d(nn.BatchNorm2d):
    """As :class:`RestingNorm1d`, for maps."""

    def train(self, mode: bool = True) -> RestingNorm2d:
        return super().train(False)


RESTING: dict[type[nn.Module], Callable[..., nn.Module]] = {
    nn.BatchNorm1d: RestingNorm1d,
    nn.BatchNorm2d: RestingNorm2d,
}


def rest_norms(network: nn.Module) -> None:
    """Replaces every batch norm by one that rests, whoever calls ``train`` on whatever part of the network."""
    for parent in list(network.modules()):
        for name, norm in list(parent.named_children()):
            if type(norm) in RESTING:
                resting = RESTING[type(norm)](norm.num_features, norm.eps, norm.momentum, norm.affine)
                resting.load_state_dict(norm.state_dict(), assign=True)
                parent._modules[name] = resting.eval()
