"""The interface of all backbones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ...core.errors import ParameterError


@dataclass(frozen=True)
class Features:
    """Output of a backbone for a batch.

    Args:
        frames: ``[B, N, D]``.
        hop_s: Seconds from one frame to the next.
        spectrogram: ``[B, M, F]``, log-mel of the front-end: M bands, F spectrogram frames.
        summary: ``[B, S]``, the network's own vector of the whole input (class token), if it has one.
    """

    frames: Tensor
    hop_s: float
    spectrogram: Tensor
    summary: Tensor | None = None


class Backbone(nn.Module, ABC):
    """A network together with the front-end that it was trained with, so that they cannot be combined wrongly.

    Attributes:
        frontend: Waveform ``[B, T]`` -> log-mel input of the network, as published with the weights.
        sample_rate: Sample rate of the input in Hz.
        dim: D, the width of a frame.
        bands: M, the number of bands of the front-end.
        hop_s: Seconds from one frame to the next.
        window_s: Seconds of audio that a frame covers (nominal: layers with global context use more).
        offset_s: Beginning of frame 0 in seconds, relative to the first sample: frame ``n`` covers
            ``[offset_s + n * hop_s, offset_s + n * hop_s + window_s)``.
        min_samples: Shorter input is zero-padded on the right to this length.
        convolutional: Whether the network is ``blocks``, a sequence of :class:`ConvUnit` from images to maps, which
            :func:`freeze` can pack.
        record: Plain JSON from which :func:`contrastive_artifacts.models.backbones.build` creates the same
            architecture.
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
        """Modules from bottom to top that hold each parameter once; each is frozen or trained at its own rate."""

    def padded(self, waveform: Tensor) -> Tensor:
        """The waveform in float32, zero-padded on the right to at least ``min_samples``.

        Raises:
            ParameterError: as :meth:`forward`.
        """
        if waveform.ndim != 2 or waveform.shape[-1] == 0 or not waveform.is_floating_point():
            raise ParameterError(
                f"A backbone takes floating-point waveforms [batch, samples], got {waveform.dtype} of shape "
                f"{tuple(waveform.shape)}; mix down to mono and resample to {self.sample_rate} Hz first."
            )
        return nn.functional.pad(waveform.float(), (0, max(0, self.min_samples - waveform.shape[-1])))
