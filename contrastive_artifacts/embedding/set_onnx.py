"""Export of an encoder of label sets with its probe as ONNX files: from figures to what ``classify`` gives."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..models.backbones import Backbone
from ..models.encoder import pool
from ..models.figure_encoder import FigureEncoder
from ..models.figures import FRAME_SIZES, VERSIONS, WINDOW_SIZES, Figures, frame_count
from ..models.onnx import noise, write_graph
from ..probes import SetProbe
from .opening import encoder_folder, open_set_encoder

NETWORK, BACKBONE = "encoder.onnx", "backbone.onnx"
OUTPUTS = ("h", "chances", "present", "severities", "cells")


def sets_to_onnx(name: str | Path, folder: str | Path) -> list[Path]:
    """Writes ``encoder.onnx`` and, for an encoder with a backbone, ``backbone.onnx``; returns their paths.

    ``encoder.onnx`` takes the figures of B windows, float32, named and shaped as in :class:`~..models.figures.Figures`
    (:func:`~..models.figures.window_figures` computes them; without a backbone there is no input ``backbone``). It
    gives ``h [B, D]`` (unit vectors), ``chances [B, K]`` and ``severities [B, K]`` as :meth:`.SetProbe.classify_batch`,
    ``cells [B, cells, K - 1]``, the chance of each artifact in each cell, all float32, and bool ``present [B, K]`` as
    :meth:`.SetProbe.present` in a single window. Its metadata: ``labels`` (K names, "clean" first) and ``figures``
    (versions of the figures), both JSON; ``clean_weight`` and ``of_window``, which ``present`` is decided by;
    ``window_s``, ``context_s``, ``cell_s``, ``fingerprint``.

    ``backbone.onnx`` computes the input ``backbone`` from ``waveform``, float32 ``[B, T]``, the mono window resampled
    to ``sample_rate`` (metadata; T is ``window_s`` long).

    Args:
        name: As :func:`.encoder_folder` takes it.
        folder: Where the files go.

    Raises:
        StorageError, WeightsError: there is no such encoder, it has no probe, or its files are damaged.
        ParameterError: it is an encoder of one label; or the packages onnx and onnxscript are not installed.
    """
    encoder, folder = open_set_encoder(name), Path(folder)
    probe = SetProbe.load(encoder_folder(name), encoder.fingerprint())
    window_s = encoder.settings.window_s
    facts = {"fingerprint": probe.fingerprint, "window_s": str(window_s), "context_s": str(encoder.settings.context_s)}
    of_network = {
        "labels": json.dumps(probe.classes),
        "figures": json.dumps(dict(VERSIONS)),
        "cell_s": str(encoder.cell_s),
        "clean_weight": str(probe.clean_weight),
        "of_window": str(probe.of_window),
    }
    paths = [folder / NETWORK]
    write_graph(_Network(encoder, probe), _examples(encoder), OUTPUTS, facts | of_network, paths[0])
    if encoder.backbone is not None:
        paths.append(folder / BACKBONE)
        rate = encoder.backbone.sample_rate
        example, of_backbone = {"waveform": noise(2, round(window_s * rate))}, {"sample_rate": str(rate)}
        write_graph(_Pooled(encoder.backbone), example, ["backbone"], facts | of_backbone, paths[1])
    return paths


class _Network(nn.Module):
    """Figures -> unit vector, calibrated chances, what is present, severities, chances in cells; no backbone."""

    is_fault: Tensor

    def __init__(self, encoder: FigureEncoder, probe: SetProbe) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(encoder)
        arrays = (probe.weights, probe.bias, probe.severity_weights, probe.severity_bias)
        self.weights, self.bias, self.severity_weights, self.severity_bias = (
            nn.Parameter(torch.from_numpy(np.asarray(array, np.float32)), requires_grad=False) for array in arrays
        )
        self.clean_weight, self.of_window = probe.clean_weight, probe.of_window
        self.register_buffer("is_fault", torch.arange(len(probe.classes)) > 0)  # "clean" is not present

    def forward(
        self, frames: Tensor, bands: Tensor, window: Tensor, slow: Tensor, traces: Tensor, pooled: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        pooled = window[:, :0] if pooled is None else pooled
        encoded = self.encoder(Figures(frames, bands, window, slow, traces, pooled))
        assert encoded.frame_probabilities is not None  # of this kind of encoder
        h = F.normalize(encoded.h, dim=1)
        chances = F.linear(h, self.weights, self.bias).sigmoid()
        severities = F.linear(h, self.severity_weights, self.severity_bias).sigmoid()
        clean = chances[:, :1]
        weighed = chances / (clean * self.clean_weight + 1 - clean)  # as SetProbe.weighed
        present = (weighed >= self.of_window) & self.is_fault
        return h, chances, present, severities * self.is_fault, encoded.frame_probabilities


class _Pooled(nn.Module):
    """Waveform at the rate of the backbone -> its pooled frames."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = copy.deepcopy(backbone)

    def forward(self, waveform: Tensor) -> Tensor:
        return pool(self.backbone(waveform).frames)


def _examples(encoder: FigureEncoder) -> dict[str, Tensor]:
    count = frame_count(encoder.settings.window_s)
    examples = {name: noise(2, count, size) for name, size in FRAME_SIZES.items()}
    examples |= {name: noise(2, size) for name, size in WINDOW_SIZES.items()}
    if encoder.backbone is not None:
        examples["backbone"] = noise(2, 3 * encoder.backbone.dim)
    return examples
