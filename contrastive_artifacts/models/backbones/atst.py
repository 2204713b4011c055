"""ATST-Frame: a transformer over patches of 40 ms and all bands, pre-trained with a teacher-student method.

Architecture: fschmid56/PretrainedSED, models/atstframe (MIT); arXiv 2306.04186. Trained further on AudioSet's weak and
strong labels there (arXiv 2409.09546).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ..frontends import atst_mel
from . import sed_convert
from .contract import Backbone, Features
from .spec import Checkpoint, Source, Weights
from .vit import Transformer
from .windowed import in_windows

PATCH = 4  # spectrogram frames
LENGTH = 1000  # spectrogram frames of 10 s, without the last of 1001
EPS = 1e-6


class AtstNetwork(nn.Module):
    """``[B, 64, F]`` -> tokens ``[B, F // 4, D]``, and no summary; see :class:`AtstFrame`."""

    def __init__(self, depth: int, dim: int, heads: int) -> None:
        super().__init__()
        self.patches = nn.Linear(atst_mel.BANDS * PATCH, dim)
        self.positions = nn.Parameter(torch.empty(1, LENGTH // PATCH, dim))
        self.transformer = Transformer(depth, dim, heads, eps=EPS, qkv_bias=False)
        self.norm = nn.LayerNorm(dim, eps=EPS)
        nn.init.trunc_normal_(self.positions, std=0.02)

    def forward(self, spectrogram: Tensor) -> tuple[Tensor, None]:
        cut = spectrogram.unfold(2, PATCH, PATCH).transpose(1, 2).flatten(2)  # [B, N, 64 * 4]
        x = self.patches(cut) + self.positions[:, : cut.shape[1]]
        return self.norm(self.transformer(x)).float(), None


class AtstFrame(Backbone):
    """Frames are the output tokens, one every 40 ms; each depends on the whole window of 10 s.

    Shorter input uses the first position embeddings, longer input is cut into windows. No summary: the
    input of the published clip classifier is the mean frame.

    Args:
        depth, dim, heads: Sizes of the transformer.
    """

    sample_rate = atst_mel.SAMPLE_RATE
    bands = atst_mel.BANDS
    hop_s = PATCH * atst_mel.HOP / sample_rate
    window_s = hop_s
    offset_s = -atst_mel.HOP / 2 / sample_rate
    min_samples = PATCH * atst_mel.HOP

    def __init__(self, depth: int = 12, dim: int = 768, heads: int = 12) -> None:
        super().__init__()
        self.dim = dim
        self.frontend = atst_mel.AtstMel()
        self.network = AtstNetwork(depth, dim, heads)

    def forward(self, waveform: Tensor) -> Features:
        spectrogram = self.frontend(self.padded(waveform))  # [B, 64, F]
        frames, summary = in_windows(self.network, spectrogram, LENGTH, PATCH)
        return Features(frames, self.hop_s, spectrogram, summary)

    def layer_groups(self) -> list[nn.Module]:
        net = self.network
        *blocks, last = net.transformer.blocks
        stem = nn.ModuleList([net.patches, nn.ParameterList([net.positions])])
        return [stem, *blocks, nn.ModuleList([last, net.norm])]


RELEASE = "https://github.com/fschmid56/PretrainedSED/releases/download/v0.0.1/"
WEAK_CLASSES, STRONG_CLASSES = 527, 447  # labels of clips, labels with onset and offset


def sed_checkpoint(
    name: str,
    build: Callable[..., Backbone],
    filename: str,
    read: Callable[..., Weights],
    head: str | None,
    paper: str,
    dim: int = 768,
    options: Mapping[str, Any] | None = None,
    scratch: Mapping[str, Any] | None = None,
    **published: float,
) -> Checkpoint:
    """The record of a file of fschmid56/PretrainedSED with a classifier ``head`` ("weak", "strong" or none)."""
    classes = {"weak": WEAK_CLASSES, "strong": STRONG_CLASSES}
    return Checkpoint(
        name=name,
        build=build,
        sources=(Source(filename, RELEASE + filename, None, None, partial(read, head=head)),),
        head=None if head is None else partial(nn.Linear, dim, classes[head]),
        clip_head=head != "strong",
        licence="MIT",
        code_licence="MIT",
        origin="Florian Schmid et al., fschmid56/PretrainedSED",
        paper=paper,
        published=published,
        options=options or {},
        scratch=scratch,
    )


_record = partial(sed_checkpoint, build=AtstFrame, read=sed_convert.atst, paper="https://arxiv.org/abs/2306.04186")
CHECKPOINTS = (
    _record("atst_frame_ssl", filename="ATST-F_ssl.pt", head=None),
    _record("atst_frame_weak", filename="ATST-F_weak.pt", head="weak"),
    _record("atst_frame_strong", filename="ATST-F_strong_1.pt", head="strong", psds1=0.458),
)
