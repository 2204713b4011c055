"""BYOL-A: a small convolutional encoder, trained without labels to ignore changes of mixing, pitch and timbre.

Architecture: the layers described in arXiv 2204.07402. The published code was not used, as its licence allows only
evaluation. Details that the paper does not give (mel filters, order of bands and channels in a frame) are our choice,
so the agreement with the published encoder is not verified.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..frontends import byol_a_mel
from . import byol_a_convert
from .contract import Backbone, Features
from .layers import ConvUnit, Norm, as_image, in_chunks
from .spec import Checkpoint, Source

CHUNK = 8192  # spectrogram frames per chunk
CHANNELS, HIDDEN = 64, 2048
DOWNSAMPLING = 4  # two poolings by 2
MEAN, STD = -8.21, 4.75  # statistics of the built-in corpus (160 sources, seed 0)


class BYOLA(Backbone):
    """Frames are local features and the output of two dense layers on them; the summary is their mean plus maximum.

    The dropout of 30 % in the published training is omitted.

    Args:
        norm: "folded" or "batch", see :class:`ConvUnit`.
        mean, std: Statistics of the log-mel values of the data set in use, as published; see
            :meth:`ByolAMel.statistics`.
        channels: Channels of the convolutions.
        hidden: Width of the dense layers.
    """

    sample_rate = byol_a_mel.SAMPLE_RATE
    bands = byol_a_mel.BANDS
    hop_s = DOWNSAMPLING * byol_a_mel.HOP / sample_rate
    window_s = hop_s
    offset_s = -byol_a_mel.HOP / 2 / sample_rate
    min_samples = DOWNSAMPLING * byol_a_mel.HOP

    def __init__(
        self, norm: Norm, mean: float = MEAN, std: float = STD, channels: int = CHANNELS, hidden: int = HIDDEN
    ) -> None:
        super().__init__()
        self.norm = norm
        self.frontend = byol_a_mel.ByolAMel(mean, std)
        blocks: list[nn.Module] = []
        for inputs in (1, channels):
            unit = ConvUnit(inputs, channels, 3, norm, nn.ReLU, padding=1, eps=byol_a_convert.BATCH_NORM_EPS)
            blocks.append(nn.Sequential(unit, nn.MaxPool2d(2)))
        self.blocks = nn.Sequential(*blocks)
        local = channels * (self.bands // DOWNSAMPLING)
        self.mlp = nn.Sequential(nn.Linear(local, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.dim = local + hidden

    def forward(self, waveform: Tensor) -> Features:
        spectrogram = self.frontend(self.padded(waveform))  # [B, 64, F]
        rows = max(1, CHUNK // spectrogram.shape[-1])
        frames = in_chunks(self._frames, spectrogram, rows, self.norm == "batch" and self.training)
        return Features(frames, self.hop_s, spectrogram, frames.mean(1) + frames.amax(1))

    def _frames(self, spectrogram: Tensor) -> Tensor:
        maps = self.blocks(as_image(spectrogram))  # [B, channels, 16, N]
        local = maps.permute(0, 3, 2, 1).flatten(2)
        return torch.cat([local, self.mlp(local)], dim=-1).float()

    def layer_groups(self) -> list[nn.Module]:
        return [*self.blocks, self.mlp]


REPOSITORY = "https://github.com/nttcslab/byol-a/blob/master/"
_FILE = "AudioNTT2022-BYOLA-64x96d2048.pth"
CHECKPOINTS = (
    Checkpoint(
        name="byol_a",
        build=BYOLA,
        options={"norm": "folded"},
        scratch={"norm": "batch"},
        sources=(
            Source(_FILE, f"{REPOSITORY}v2/{_FILE}", None, None, byol_a_convert.convert, terms=f"{REPOSITORY}LICENSE"),
        ),
        licence="LicenseRef-NTT-evaluation",
        code_licence="LicenseRef-NTT-evaluation",
        origin="Daisuke Niizumi et al. (NTT), nttcslab/byol-a v2",
        paper="https://arxiv.org/abs/2204.07402",
        published={"parameters": 6_333_376},
    ),
)
