"""EAT: a vision transformer over 16 x 16 patches of a log-mel, with the code and weights of its authors.

Source: worstchan/EAT-* on the Hugging Face hub, cwx-worst-one/EAT (MIT); arXiv 2401.03497. The code runs only with the
user's consent, see :mod:`.remote`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ..frontends import kaldi_fbank
from . import remote
from .contract import Features
from .hf_models import HFBackbone
from .spec import Checkpoint, HubModel, State
from .windowed import in_windows

PATCH = 16
LENGTH = 1024  # spectrogram frames of 10.24 s
MEAN, DEVIATION = -4.268, 4.569
PREFIX = "model."  # prefix of the network in the published files
HEAD = ("fc_norm.", "head.")  # the AudioSet classifier of fine-tuned checkpoints


class EAT(HFBackbone):
    """Frames are means over the patches of one position in time; the summary is the class token.

    The published model pads every clip to 10.24 s. Here, shorter input uses only the first positions, and longer input
    is cut into windows of 10.24 s.

    Args:
        id, revision: The repository with the code.
        config: Content of its ``config.json``.
    """

    sample_rate = kaldi_fbank.SAMPLE_RATE
    bands = 128
    hop_s = window_s = PATCH * kaldi_fbank.HOP / sample_rate
    min_samples = kaldi_fbank.WINDOW + (PATCH - 1) * kaldi_fbank.HOP

    def __init__(self, id: str, revision: str, config: Mapping[str, Any]) -> None:
        network = remote.model(id, revision, config).model
        for name in HEAD:
            network._modules.pop(name.removesuffix("."), None)
        super().__init__(network)
        self.frontend = kaldi_fbank.KaldiFbank(MEAN, DEVIATION, bands=self.bands)
        self.dim = int(config["embed_dim"])

    def forward(self, waveform: Tensor) -> Features:
        spectrogram = self.frontend(self.padded(waveform))
        frames, summary = in_windows(self._window, spectrogram, LENGTH, PATCH)
        return Features(frames, self.hop_s, spectrogram, summary)

    def _window(self, spectrogram: Tensor) -> tuple[Tensor, Tensor]:
        x = self.network.extract_features(spectrogram.transpose(1, 2).unsqueeze(1)).float()  # tokens in order of time
        return x[:, 1:].unflatten(1, (-1, self.bands // PATCH)).mean(2), x[:, 0]

    def layers(self) -> list[nn.Module]:
        return list(self.network.blocks)

    def final(self) -> list[nn.Module]:
        return []


def rename(state: Mapping[str, Tensor]) -> State:
    """Published keys -> keys of this package, without the classifier."""
    return {
        "network." + key.removeprefix(PREFIX) if key.startswith(PREFIX) else key: value
        for key, value in state.items()
        if not key.removeprefix(PREFIX).startswith(HEAD)
    }


def find(weights: str | Path, cache: Path | None, options: Mapping[str, Any]) -> HubModel:
    """See :func:`.remote.find`."""
    return remote.find(weights, cache, options, "eat", rename)


CHECKPOINTS = (
    Checkpoint(
        name="eat",
        build=EAT,
        find=find,
        sources=(),
        licence="MIT",
        code_licence="MIT",
        origin="Wenxi Chen et al., worstchan/EAT-* on the Hugging Face hub",
        paper="https://arxiv.org/abs/2401.03497",
        published={"map": 0.489},
    ),
)
