"""What every backbone offers to the encoder above it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ...core.errors import ParameterError


@dataclass(frozen=True)
class Features:
    """Frames of a batch.

    Args:
        frames: ``[B, N, D]``.
        hop_s: Seconds from one frame to the next.
        spectrogram: ``[B, M, F]``, the front-end's log-mel: M bands over F spectrogram frames.
        summary: ``[B, S]``, the published vector of the whole clip where the network has one of its own (class token).
    """

    frames: Tensor
    hop_s: float
    spectrogram: Tensor
    summary: Tensor | None = None


class Backbone(nn.Module, ABC):
    """A front-end and the network that was trained on it; a wrong spectrogram cannot be paired with the weights.

    Attributes:
        frontend: Waveform ``[B, T]`` -> log-mel input of the network, as published with the weights.
        sample_rate: Rate of the input in Hz.
        dim: D, the length of one frame vector.
        bands: M, the bands of the front-end's spectrogram.
        hop_s: Seconds between frames.
        window_s: Seconds of audio that one frame stands for (nominal; layers with global context see more).
        offset_s: Where the window of frame 0 begins, relative to the first sample: frame ``n`` stands for
            ``[offset_s + n * hop_s, offset_s + n * hop_s + window_s)``.
        min_samples: Shorter input is zero-padded on the right to this length.
        convolutional: Whether the network is ``blocks``, a sequence of :class:`ConvUnit` from images to maps, which
            :func:`freeze` can pack.
        record: Plain JSON that :func:`contrastive_artifacts.models.backbones.build` makes the same architecture from.
    """

    frontend: nn.Module
    sample_rate: int
    dim: int
    bands: int
    hop_s: float
    window_s: float
    offset_s: float
    min_samples: int
    convolutional: bool = False
    record: dict[str, Any]

    @abstractmethod
    def forward(self, waveform: Tensor) -> Features:
        """Frames of a waveform ``[B, T]`` in [-1, 1] at ``sample_rate``.

        Raises:
            ParameterError: the waveform is not a floating-point ``[B, T]`` with T >= 1.
        """

    @abstractmethod
    def layer_groups(self) -> list[nn.Module]:
        """Modules from bottom to top that hold every parameter once: what to unfreeze, or to train slower, first."""

    def padded(self, waveform: Tensor) -> Tensor:
        """The waveform in float32, zero-padded on the right to ``min_samples`` where it is shorter."""
        if waveform.ndim != 2 or waveform.shape[-1] == 0 or not waveform.is_floating_point():
            raise ParameterError(
                f"A backbone takes floating-point waveforms [batch, samples], got {waveform.dtype} of shape "
                f"{tuple(waveform.shape)}; mix down to mono and resample to {self.sample_rate} Hz first."
            )
        return nn.functional.pad(waveform.float(), (0, max(0, self.min_samples - waveform.shape[-1])))
