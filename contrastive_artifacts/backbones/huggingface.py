"""What the networks out of the transformers library share: its import, what rests in training, what is no parameter."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from torch import nn

from .. import _torchaudio


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


def rest_norms(network: nn.Module) -> None:
    """Keeps batch norms at their published statistics: those of a few views of the same clips are worse."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
