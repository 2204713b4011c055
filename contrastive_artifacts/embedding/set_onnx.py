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
OUTPUTS = ("h", "chances", "severities", "cells")


def sets_to_onnx(name: str | Path, folder: str | Path) -> list[Path]:
    """Writes ``encoder.onnx`` and, for an encoder with a backbone, ``backbone.onnx``; returns their paths.

    ``encoder.onnx`` takes the figures of B windows, float32, named and shaped as in :class:`~..models.figures.Figures`
    (:func:`~..models.figures.window_figures` computes them; without a backbone there is no input ``backbone``). It
    gives, in float32, ``h [B, D]`` (unit vectors), ``chances [B, K]`` and ``severities [B, K]`` (calibrated, as
    :meth:`.SetProbe.classify_batch`) and ``cells [B, cells, K - 1]``, the chance of each artifact in each cell. Its
    metadata: ``labels`` (K names, "clean" first), ``thresholds`` (K chances above which an artifact counts as present
    in a single window; that of "clean" is not used), ``figures`` (versions of the figures), all JSON; ``window_s``,
    ``cell_s``, ``fingerprint``.

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
    facts = {"fingerprint": probe.fingerprint, "window_s": str(window_s)}
    of_network = {
        "labels": json.dumps(probe.classes),
        "thresholds": json.dumps(probe.single_window.tolist()),
        "figures": json.dumps(dict(VERSIONS)),
        "cell_s": str(encoder.cell_s),
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
    """Figures -> unit vector, calibrated chances, severities, chances in cells; without the backbone itself."""

    def __init__(self, encoder: FigureEncoder, probe: SetProbe) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(encoder)
        arrays = (probe.weights, probe.bias, probe.severity_weights, probe.severity_bias)
        self.weights, self.bias, self.severity_weights, self.severity_bias = (
            nn.Parameter(torch.from_numpy(np.asarray(array, np.float32)), requires_grad=False) for array in arrays
        )

    def forward(
        self, frames: Tensor, bands: Tensor, window: Tensor, slow: Tensor, traces: Tensor, pooled: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        pooled = window[:, :0] if pooled is None else pooled
        encoded = self.encoder(Figures(frames, bands, window, slow, traces, pooled))
        assert encoded.frame_probabilities is not None  # of this kind of encoder
        h = F.normalize(encoded.h, dim=1)
        severities = F.linear(h, self.severity_weights, self.severity_bias).sigmoid()
        severities = torch.cat([torch.zeros_like(severities[:, :1]), severities[:, 1:]], dim=1)  # "clean" has none
        return h, F.linear(h, self.weights, self.bias).sigmoid(), severities, encoded.frame_probabilities


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
