"""Common parts of networks from the transformers library: its import, and layers that training must not change."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from torch import nn

from ...core import torchaudio as _torchaudio


def transformers(module: str = "") -> ModuleType:
    """The transformers library or one of its modules; imported on first use, as it takes several seconds."""
    _torchaudio.load()  # transformers imports torchaudio, which works only after this call
    return importlib.import_module("transformers" + module)


def rest(config: Any) -> Any:
    """Disables dropout, dropped layers and masked spectra in the configuration of a model, defaults included.

    Masks would hide artifacts. Without masks, the vector that replaces masked frames is not created either.
    """
    for key, value in config.to_dict().items():
        if key == "apply_spec_augment":
            setattr(config, key, False)
        elif isinstance(value, float | int) and ("drop" in key or (key.startswith("mask_") and key.endswith("_prob"))):
            setattr(config, key, 0.0)
    return config


def fixed(network: nn.Module) -> nn.Module:
    """Replaces parameters that are constants (sinusoidal positions) by buffers of the same names."""
    for module in network.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if not parameter.requires_grad:
                delattr(module, name)
                module.register_buffer(name, parameter.data)
    return network


class RestingNorm1d(nn.BatchNorm1d):
    """A batch norm with fixed statistics, in training too: statistics of a few views of the same clips are worse."""

    def train(self, mode: bool = True) -> RestingNorm1d:
        return super().train(False)


class RestingNorm2d(nn.BatchNorm2d):
    """:class:`RestingNorm1d` for maps."""

    def train(self, mode: bool = True) -> RestingNorm2d:
        return super().train(False)


RESTING: dict[type[nn.Module], Callable[..., nn.Module]] = {
    nn.BatchNorm1d: RestingNorm1d,
    nn.BatchNorm2d: RestingNorm2d,
}


def rest_norms(network: nn.Module) -> None:
    """Replaces all batch norms by ones with fixed statistics, also after ``train()`` on any part of the network."""
    for parent in list(network.modules()):
        for name, norm in list(parent.named_children()):
            if type(norm) in RESTING:
                resting = RESTING[type(norm)](norm.num_features, norm.eps, norm.momentum, norm.affine)
                resting.load_state_dict(norm.state_dict(), assign=True)
                parent._modules[name] = resting.eval()
