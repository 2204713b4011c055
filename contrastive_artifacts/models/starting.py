"""Starts an encoder of label sets from the trained weights of another, of equal widths or of narrower ones.

A wider one computes the same at first (Net2WiderNet, Chen, Goodfellow & Shlens, ICLR 2016): each unit of the narrow one
is there several times, and what they pass on is divided by their number. Noise lets the copies become different.
"""

from __future__ import annotations

from dataclasses import asdict

import torch
from torch import Tensor

from ..core.errors import ParameterError
from .backbones import Backbone
from .figure_encoder import ATTENTION, GROUPS, FigureEncoder

NOISE = 0.1  # times the standard deviation of a weight
_WIDTHS = ("figures", "channels", "backbone")
_FREE = {"context_s", "dropout"}
_STATISTICS = ATTENTION + 3  # of the cells, in the input of the neck


def start_from(encoder: FigureEncoder, other: FigureEncoder, noise: float = NOISE) -> None:
    """Gives ``encoder`` the weights of ``other``, and its means and deviations of the figures.

    Args:
        encoder: Its widths ``figures``, ``channels`` and ``backbone`` are those of ``other`` or multiples of them.
        other: Has the same states, windows, other sizes and backbone network. Its contexts may be of any length.
        noise: Of the copies, times the standard deviation of each weight; from the random generator of PyTorch.

    Raises:
        ParameterError: anything else differs.
    """
    theirs, ours = ({**asdict(e.settings), "backbone network": _name(e.backbone)} for e in (other, encoder))
    changes = [
        f"{name}: {theirs[name]}, here {ours[name]}"
        for name in sorted(theirs.keys() - _FREE)
        if theirs[name] != ours[name] and not (name in _WIDTHS and ours[name] % theirs[name] == 0)
    ]
    if changes:
        raise ParameterError(
            "A training starts from an encoder of the same states, sizes and backbone, or from one of which figures, "
            "channels and backbone are multiples; this one differs. " + "; ".join(changes)
        )
    frozen = {name: value for name, value in encoder.state_dict().items() if name.startswith("backbone.")}
    encoder.load_state_dict({**_widened(encoder, other, noise), **frozen})


def _widened(encoder: FigureEncoder, other: FigureEncoder, noise: float) -> dict[str, Tensor]:
    """The weights of ``other`` in the widths of ``encoder``."""
    ours, theirs = encoder.settings, other.settings
    figures, backbone = _copies(theirs.figures, ours.figures), _copies(theirs.backbone, ours.backbone)
    channels = _copies(theirs.channels, ours.channels, GROUPS)
    logits = torch.arange(2 * (len(theirs.states) - 1))
    outputs = {"window.0.": figures, "pooled.1.": backbone}
    outputs |= dict.fromkeys(("stem.", "layers.", "norms.", "of_window."), channels)
    inputs = {"attention.weight": [channels], "cells.weight": [channels], "of_window.weight": [figures]}
    inputs |= {f"layers.{number}.weight": [channels] for number in range(len(other.layers))}
    inputs["neck.0.weight"] = [figures, *[channels] * _STATISTICS, logits, *([backbone] if other.backbone else [])]
    weights = {}
    for name, narrow in other.state_dict().items():
        wide = _spread(narrow, inputs[name]) if name in inputs else narrow
        rows = next((copies for prefix, copies in outputs.items() if name.startswith(prefix)), None)
        wide = wide if rows is None else wide[rows]
        if wide.shape != narrow.shape and wide.ndim > 1:
            wide = wide + noise * wide.std() * torch.randn(wide.shape)
        weights[name] = wide
    return weights


def _copies(narrow: int, wide: int, groups: int = 1) -> Tensor:
    """Which unit of the narrow layer each unit of the wide one copies; copies stay in the group of their unit."""
    units = torch.arange(narrow).reshape(groups, 1, -1)
    return units.expand(groups, wide // narrow, narrow // groups).flatten()


def _spread(weight: Tensor, parts: list[Tensor]) -> Tensor:
    """A weight ``[out, in, ...]`` for copied inputs, each of which passes on its share."""
    spread, first = [], 0
    for copies in parts:
        narrow = int(copies.max()) + 1
        spread.append(weight[:, first : first + narrow][:, copies] * (narrow / len(copies)))
        first += narrow
    return torch.cat(spread, dim=1)


def _name(backbone: Backbone | None) -> str:
    record = {} if backbone is None else backbone.record
    return " ".join(str(record[key]) for key in ("backbone", "weights", "sha256") if key in record) or "none"
