"""Detail figures, version 1: statistics of the waveform at the backbone's rate that do not depend on its level.

A log-mel spectrogram hardly shows them. Hard clipping gathers samples at the ends of the amplitude histogram; a click
is a step that the second difference (a fixed whitening filter) raises above the sound; a digital dropout is a run of
samples near zero. Crest factor and histogram are those of clipping detectors (Kraght 2000, AES 109).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .clip import EDGES
from .figures import FRAME_S, DetailFigures

FEATURES = 7  # per frame
DETAIL_SIZE = 2 * len(EDGES) + 5 * FEATURES
FLOOR = 1e-7


class Detail(nn.Module):
    """``[B, T]`` at ``sample_rate`` -> ``[B, DETAIL_SIZE]``, values of the order of 1, finite for silence too.

    Per frame of 16 ms: level, crest factor, share of samples within 5 % of the peak of the frame, share within 1 % of
    the peak of the window, share near digital silence, and crest factor and level of the second difference; for each
    the mean, deviation, minimum, maximum and largest step over time. For the window: the share of samples beyond each
    of EDGES, positive and then negative.
    """

    size, features = DETAIL_SIZE, FEATURES

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.frame = round(FRAME_S * sample_rate)
        self.frames_per_s = sample_rate / self.frame

    def forward(self, waveform: Tensor) -> Tensor:
        return self.pooled(self.figures(waveform))

    def figures(self, waveform: Tensor) -> DetailFigures[Tensor]:
        """Figures of the frames, and shares of samples beyond the edges."""
        x = self._padded(waveform)
        return DetailFigures(self.frames(waveform), torch.cat([self._edges(x), self._edges(-x)], dim=1))

    @staticmethod
    def pooled(figures: DetailFigures[Tensor]) -> Tensor:
        per_frame, edges = figures
        steps = per_frame.diff(dim=1).abs().amax(1)
        deviation = per_frame.std(dim=1, unbiased=False)
        parts = [per_frame.mean(1), deviation, per_frame.amin(1), per_frame.amax(1), steps]
        return torch.cat([edges, *parts], dim=1)

    def frames(self, waveform: Tensor) -> Tensor:
        """Figures of all frames: ``[B, T]`` -> ``[B, N, FEATURES]``, N >= 2."""
        x = self._padded(waveform)
        frames = x.unfold(1, self.frame, self.frame)
        second = nn.functional.pad(x.diff(n=2, dim=1), (1, 1)).unfold(1, self.frame, self.frame)
        top, loudness = x.abs().amax(1)[:, None, None], x.square().mean(1).sqrt()[:, None] + FLOOR
        peak, level = frames.abs().amax(2), frames.square().mean(2).sqrt()
        second_peak, second_level = second.abs().amax(2), second.square().mean(2).sqrt()
        middle = (second_level.shape[1] - 1) // 2  # by sorting, as ONNX has no median()
        second_loudness = second_level.sort(dim=1).values[:, middle : middle + 1] + FLOOR
        return torch.stack(
            [
                torch.log10(level / loudness + 1e-4),
                torch.log10((peak + FLOOR) / (level + FLOOR)),
                _share(frames.abs() >= 0.95 * peak[..., None]),
                _share(frames.abs() >= 0.99 * top),
                (frames.abs() <= 1e-4 * loudness[..., None]).float().mean(2),
                torch.log10((second_peak + FLOOR) / (second_level + FLOOR)),
                torch.log10(second_peak / second_loudness + 1e-3),
            ],
            dim=2,
        )

    def _padded(self, waveform: Tensor) -> Tensor:
        x = waveform.float()
        return nn.functional.pad(x, (0, max(0, 2 * self.frame - x.shape[1])))

    @staticmethod
    def _edges(x: Tensor) -> Tensor:
        top = x.amax(1, keepdim=True).clamp(min=FLOOR)
        return torch.stack([_share(x >= edge * top) for edge in EDGES], dim=1)


def _share(hits: Tensor) -> Tensor:
    """Share of hits over the last axis on a logarithmic scale: -1 for one in 10^4 or fewer, 1 for all."""
    return 1 + torch.log10(hits.float().mean(-1).clamp(min=1e-4)) / 2
