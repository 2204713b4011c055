"""Artifacts as a module in the style of torchaudio: a layer of a pipeline, active in training only, like dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .. import artifacts
from .transform import ArtifactTransform


def _uniform() -> float:
    return float(torch.rand((), dtype=torch.float64))


class ArtifactLayer(nn.Module):
    """Renders one of several artifacts into each example, with a probability; does nothing after ``eval()``.

    Rendered on the CPU, without a gradient. Draws come from torch's generator: ``torch.manual_seed`` repeats them.

    Args:
        sample_rate: Of the waveforms, in Hz.
        names, p, severity: As those of :class:`.transform.ArtifactTransform`, drawn for each example.

    Attributes:
        params: Of the last call, per example: what :func:`contrastive_artifacts.replay` takes; None where nothing was
            rendered.

    Raises:
        UnknownNameError, ParameterError: as there.
    """

    def __init__(
        self,
        sample_rate: int,
        names: str | Sequence[str] = artifacts.DEFAULT,
        p: float = 0.5,
        severity: float | tuple[float, float] = (0.0, 1.0),
    ) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.transform = ArtifactTransform(names, p, severity)
        self.transform.uniform = _uniform
        self.params: list[dict[str, Any] | None] = []

    def forward(self, waveforms: Tensor) -> Tensor:
        """``[T]`` or ``[C, T]``, one example, or ``[B, C, T]``, each example by itself -> the same shape and device.

        Raises:
            AudioError: another shape, or none of the artifacts fits so few channels.
        """
        if not self.training:
            return waveforms
        self.params = []
        if waveforms.ndim < 3:
            return self._example(waveforms)
        return torch.stack([self._example(example) for example in waveforms])

    def _example(self, waveform: Tensor) -> Tensor:
        rendered: Tensor = self.transform(waveform, self.sample_rate)
        self.params.append(self.transform.parameters.get("params"))
        return rendered.to(waveform)

    def extra_repr(self) -> str:
        return f"{self.sample_rate} Hz, {self.transform!r}"
