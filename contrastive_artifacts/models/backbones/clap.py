"""The audio encoder of LAION's CLAP: HTS-AT, a Swin transformer over ten seconds of log-mel, trained with captions.

Architecture: ``ClapAudioModel`` of transformers (Apache-2.0), without changes; arXiv 2211.06687 (CLAP),
arXiv 2202.00874 (HTS-AT).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from ...core.errors import ParameterError
from ..frontends import clap_mel
from . import clap_convert, huggingface
from .contract import Backbone, Features
from .spec import Checkpoint, Source

Norm = Literal["frozen", "batch"]
NORMS = get_args(Norm)
WINDOW_SAMPLES = 10 * clap_mel.SAMPLE_RATE  # the only length that the network takes
WINDOW_MELS = 1 + WINDOW_SAMPLES // clap_mel.HOP
STRETCHED = 1024  # spectrogram frames after the interpolation inside the network
PATCH = 4


class CLAP(Backbone):
    """Frames are the last feature map averaged over its two frequencies; the summary is the mean of that map.

    The network takes exactly ten seconds. Shorter input is repeated a whole number of times and then zero-padded, as
    published; frames after its end are dropped, but the summary includes them, as published. Longer input is cut into
    windows of ten seconds, while the published extractor takes one window at random.

    Inside the network, the four quarters of a window are stacked along frequency, so frames near their ends (every
    2.5 s) also depend on another quarter.

    Args:
        width: Channels of the first Swin stage; each further stage has twice as many.
        depths: Number of blocks of each Swin stage.
        heads: Number of attention heads of each Swin stage.
        mel: Filters of the front-end, see :class:`ClapMel`.
        norm: Batch norm of the spectrogram: "frozen" at the published statistics, or "batch" (random weights).

    Raises:
        ParameterError: another ``norm``.
    """

    network: Any
    sample_rate = clap_mel.SAMPLE_RATE
    bands = clap_mel.BANDS
    offset_s = 0.0

    def __init__(
        self,
        width: int,
        depths: Sequence[int],
        heads: Sequence[int],
        mel: clap_mel.Mel = "slaney",
        norm: Norm = "frozen",
    ) -> None:
        super().__init__()
        if norm not in NORMS:
            raise ParameterError(f"norm={norm!r} is none of {', '.join(NORMS)}.")
        self.frontend = clap_mel.ClapMel(mel)
        library = huggingface.transformers()
        config = library.ClapAudioConfig(
            patch_embeds_hidden_size=width,
            depths=list(depths),
            num_attention_heads=list(heads),
            hidden_size=width << (len(depths) - 1),
            hidden_dropout_prob=0.0,
            enable_fusion=False,
        )
        self.network = library.ClapAudioModel(config).audio_encoder
        if norm == "frozen":
            huggingface.rest_norms(self.network)
        self.dim = width << (len(depths) - 1)
        self.frame_samples = WINDOW_SAMPLES // (STRETCHED // (PATCH << (len(depths) - 1)))
        self.min_samples = self.frame_samples
        self.hop_s = self.window_s = self.frame_samples / self.sample_rate

    def forward(self, waveform: Tensor) -> Features:
        windows = self.padded(waveform).split(WINDOW_SAMPLES, dim=1)
        if windows[-1].shape[1] < self.min_samples and len(windows) > 1:
            rest = self.min_samples - windows[-1].shape[1]
            windows = (*windows[:-1], nn.functional.pad(windows[-1], (0, rest)))
        parts = [self._window(window) for window in windows]
        lengths = [window.shape[1] for window in windows]
        summaries = [length * summary for (_, _, summary), length in zip(parts, lengths, strict=True)]
        return Features(
            torch.cat([frames for frames, _, _ in parts], dim=1),
            self.hop_s,
            # The last spectrogram frame of a window is the first one of the next window.
            torch.cat([mel[..., : self._mels(n)] for (_, mel, _), n in zip(parts, lengths, strict=True)], dim=2),
            sum(summaries[1:], summaries[0]) / sum(lengths),
        )

    def _window(self, window: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Frames ``[B, N, D]``, ten seconds of spectrogram ``[B, 64, 1001]`` and the summary ``[B, D]``."""
        spectrogram = self.frontend(repeat_pad(window))
        outputs = self.network(spectrogram.transpose(1, 2).unsqueeze(1))
        frames = outputs.last_hidden_state.mean(2).transpose(1, 2).float()  # map [B, D, 2, frames]
        return frames[:, : math.ceil(window.shape[1] / self.frame_samples)], spectrogram, outputs.pooler_output.float()

    @staticmethod
    def _mels(samples: int) -> int:
        return min(WINDOW_MELS - 1, 1 + samples // clap_mel.HOP)

    def layer_groups(self) -> list[nn.Module]:
        layers = [layer for stage in self.network.layers for layer in _parts(stage)]
        stem = nn.ModuleList([self.network.batch_norm, self.network.patch_embed])
        return [stem, *layers[:-1], nn.ModuleList([layers[-1], self.network.norm])]


def _parts(stage: Any) -> list[nn.Module]:
    """The blocks of a Swin stage; the last one together with the downsampling layer."""
    *blocks, last = stage.blocks
    return [*blocks, last if stage.downsample is None else nn.ModuleList([last, stage.downsample])]


def repeat_pad(waveform: Tensor) -> Tensor:
    """``[B, T]`` -> ``[B, 480000]``: repeated a whole number of times, then zeros."""
    repeated = waveform.repeat(1, WINDOW_SAMPLES // waveform.shape[1])
    return nn.functional.pad(repeated, (0, WINDOW_SAMPLES - repeated.shape[1]))


TINY: dict[str, Any] = {"width": 96, "depths": (2, 2, 6, 2), "heads": (4, 8, 16, 32)}
BASE: dict[str, Any] = {"width": 128, "depths": (2, 2, 12, 2), "heads": (4, 8, 16, 32)}


def _checkpoint(name: str, repository: str, sizes: dict[str, Any], mel: clap_mel.Mel = "slaney") -> Checkpoint:
    url = f"https://huggingface.co/laion/{repository}/resolve/main/model.safetensors"
    return Checkpoint(
        name=name,
        build=partial(CLAP, **sizes, mel=mel),
        options={"norm": "frozen"},
        scratch={"norm": "batch"},
        sources=(Source(f"{repository}.safetensors", url, None, None, clap_convert.convert),),
        licence="Apache-2.0",
        code_licence="Apache-2.0",
        origin=f"LAION, laion/{repository}",
        paper="https://arxiv.org/abs/2211.06687",
        published={},
    )


CHECKPOINTS = (
    _checkpoint("clap", "clap-htsat-unfused", TINY),
    _checkpoint("clap_fused", "clap-htsat-fused", TINY, mel="htk"),
    _checkpoint("clap_general", "larger_clap_general", BASE),
    _checkpoint("clap_music", "larger_clap_music", BASE),
    _checkpoint("clap_music_speech", "larger_clap_music_and_speech", BASE),
)
