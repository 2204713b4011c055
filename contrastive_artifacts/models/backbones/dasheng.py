"""Dasheng: a masked autoencoder's encoder over slices of 40 ms, from the code and weights that its authors publish.

Source: mispeech/dasheng-* on the Hugging Face hub, RicherMans/Dasheng (Apache-2.0); arXiv 2406.06992. The code there
runs here only with consent, see :mod:`.remote`.
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
from .spec import Checkpoint, Found, State
from .windowed import in_windows

PATCH = 4  # spectrogram frames under one slice
OWN = "encoder."  # of the network in the repository's files
HEAD = ("outputlayer.",)


class Dasheng(HFBackbone):
    """Frames are the encoder's tokens, 40 ms apart, each over all bands.

    Shorter input takes the first positions only, as published; longer input is cut into windows of the published
    length. The batch norm of the spectrogram keeps its published statistics.

    Args:
        id, revision: The repository with the code.
        config: The content of its ``config.json``.
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
    """Published keys -> ours; the classifier is left out."""
    return {
        "network." + key.removeprefix(OWN) if key.startswith(OWN) else key: value
        for key, value in state.items()
        if not key.startswith(HEAD)
    }


def find(weights: str | Path, cache: Path | None, options: Mapping[str, Any]) -> Found:
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
