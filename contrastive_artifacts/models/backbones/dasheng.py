"""Dasheng: the encoder of a masked autoencoder over slices of 40 ms, with the code and weights of its authors.

Source: mispeech/dasheng-* on the Hugging Face hub, RicherMans/Dasheng (Apache-2.0); arXiv 2406.06992. The code runs
only with the user's consent, see :mod:`.remote`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ..frontends import dasheng_mel
from . import remote
from .contract import Features
from .hf_models import HFBackbone
from .spec import Checkpoint, HubModel, State
from .windowed import in_windows

PATCH = 4  # spectrogram frames in a slice
PREFIX = "encoder."  # prefix of the network in the published files
HEAD = ("outputlayer.",)


class Dasheng(HFBackbone):
    """Frames are the tokens of the encoder, one per slice of 40 ms and all bands.

    Shorter input uses only the first positions, as published; longer input is cut into windows of the published length.
    The statistics of the batch norm of the spectrogram are not trained.

    Args:
        id, revision: The repository with the code.
        config: Content of its ``config.json``.
    """

    sample_rate = dasheng_mel.SAMPLE_RATE
    bands = dasheng_mel.BANDS
    hop_s = window_s = PATCH * dasheng_mel.HOP / sample_rate
    offset_s = -dasheng_mel.HOP / 2 / sample_rate
    min_samples = (PATCH - 1) * dasheng_mel.HOP

    def __init__(self, id: str, revision: str, config: Mapping[str, Any]) -> None:
        super().__init__(remote.model(id, revision, config).encoder)
        self.frontend = dasheng_mel.DashengMel()
        self.dim, self.length = int(self.network.embed_dim), int(self.network.target_length)

    def forward(self, waveform: Tensor) -> Features:
        spectrogram = self.frontend(self.padded(waveform))
        frames, _ = in_windows(self._window, spectrogram, self.length, PATCH)
        return Features(frames, self.hop_s, spectrogram)

    def _window(self, spectrogram: Tensor) -> tuple[Tensor, None]:
        return self.network(spectrogram.unsqueeze(1)).float(), None

    def layers(self) -> list[nn.Module]:
        return list(self.network.blocks)

    def final(self) -> list[nn.Module]:
        return [self.network.norm]


def rename(state: Mapping[str, Tensor]) -> State:
    """Published keys -> keys of this package, without the classifier."""
    return {
        "network." + key.removeprefix(PREFIX) if key.startswith(PREFIX) else key: value
        for key, value in state.items()
        if not key.startswith(HEAD)
    }


def find(weights: str | Path, cache: Path | None, options: Mapping[str, Any]) -> HubModel:
    """See :func:`.remote.find`."""
    return remote.find(weights, cache, options, "dasheng", rename)


CHECKPOINTS = (
    Checkpoint(
        name="dasheng",
        build=Dasheng,
        find=find,
        sources=(),
        licence="Apache-2.0",
        code_licence="Apache-2.0",
        origin="Heinrich Dinkel et al., mispeech/dasheng-* on the Hugging Face hub",
        paper="https://arxiv.org/abs/2406.06992",
        published={},
    ),
)
