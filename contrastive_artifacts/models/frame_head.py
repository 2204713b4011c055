"""The frame head: localises artifacts inside a window, in cells of some tens of milliseconds."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .backbones import Backbone, Features

CONTEXT = 5  # cells that the logits of one cell depend on
EDGE = 1e-6  # share of a cell that rounding may take from the last one


class FrameHead(nn.Module):
    """Logits of every state in every cell of ``hop_s`` seconds: ``[B, N, K]``.

    The input of a cell: the backbone's frames, interpolated at the middle of the cell (they are often far longer than
    it); the log-mel bands and the detail figures inside the cell; and h, which describes the whole window.

    Args:
        backbone: Gives the sizes and times of its frames and bands.
        hidden: Width of h.
        states: K.
        hop_s: Length of a cell in seconds; cells follow each other without gaps from the first sample on.
        dropout: Dropout probability of the inputs.
        details: Number of detail figures per frame, at ``details_per_s`` frames per second.
    """

    def __init__(
        self, backbone: Backbone, hidden: int, states: int, hop_s: float, dropout: float, details: int,
        details_per_s: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.details_per_s = details_per_s
        self.hop_s, self.sample_rate, self.least = hop_s, backbone.sample_rate, backbone.min_samples
        self.first_s = backbone.offset_s + backbone.window_s / 2  # middle of the first frame of the backbone
        width, detail = max(8, hidden // 4), 3 * details
        self.branches = nn.ModuleList(
            nn.Sequential(norm, nn.Dropout(dropout), nn.Linear(size, width), nn.GELU())
            for size, norm in (
                (backbone.dim, nn.LayerNorm(backbone.dim)),
                (4 * backbone.bands, nn.LayerNorm(4 * backbone.bands)),
                (detail, nn.BatchNorm1d(detail, affine=False)),  # figures of different scales
                (hidden, nn.LayerNorm(hidden)),
            )
        )
        self.mix = nn.Sequential(nn.Conv1d(4 * width, width, CONTEXT, padding=CONTEXT // 2), nn.GELU())
        self.types = nn.Linear(width, states)

    def cells(self, samples: int) -> int:
        """N for a window of ``samples`` samples: the whole cells in it, at least one."""
        return max(1, int(samples / (self.hop_s * self.sample_rate) + EDGE))

    def forward(self, features: Features, samples: int, h: Tensor, details: Tensor) -> Tensor:
        """Logits of all cells.

        Args:
            features: Output of the backbone.
            samples: Length of the window in samples at the backbone's rate.
            h: [B, hidden].
            details: Detail figures [B, frames, details].
        """
        count = self.cells(samples)
        spectrogram = features.spectrogram
        mels_per_s = spectrogram.shape[2] * self.sample_rate / max(samples, self.least)
        bands = _inside(spectrogram, count, self.hop_s * mels_per_s)  # [B, M, N, frames in a cell]
        steps = _inside(_steps(spectrogram), count, self.hop_s * mels_per_s)
        figures = _inside(details.transpose(1, 2), count, self.hop_s * self.details_per_s)
        middles = (torch.arange(count, device=h.device) + 0.5) * self.hop_s
        parts = (
            between(features.frames, (middles - self.first_s) / features.hop_s),
            torch.cat([bands.mean(3), bands.amin(3), bands.amax(3), steps.amax(3)], 1).transpose(1, 2),
            torch.cat([figures.mean(3), figures.amin(3), figures.amax(3)], 1).transpose(1, 2),
            h[:, None].expand(-1, count, -1),
        )
        encoded = [
            branch(part.flatten(0, 1)).unflatten(0, part.shape[:2])
            for branch, part in zip(self.branches, parts, strict=True)
        ]
        return self.types(self.mix(torch.cat(encoded, dim=2).transpose(1, 2)).transpose(1, 2))


def between(frames: Tensor, places: Tensor) -> Tensor:
    """Linear interpolation of frames ``[B, N, D]`` at fractional positions ``places`` [P], clamped to 0 .. N - 1.

    >>> between(torch.tensor([[[0.0], [10.0]]]), torch.tensor([-1.0, 0.25, 9.0])).flatten()
    tensor([ 0.0000,  2.5000, 10.0000])
    """
    places = places.clamp(0, frames.shape[1] - 1)
    low = places.long()
    high = (low + 1).clamp(max=frames.shape[1] - 1)
    share = (places - low).to(frames.dtype)[:, None]
    return frames[:, low] * (1 - share) + frames[:, high] * share


def _inside(x: Tensor, count: int, length: float) -> Tensor:
    """``[B, C, F]`` -> ``[B, C, N, w]``: the w frames in each of ``count`` cells of ``length`` frames.

    w is ``length`` rounded up, counted from the frame that holds the beginning of the cell.
    """
    width = max(1, math.ceil(length - EDGE))
    first = [int(n * length + EDGE) for n in range(count)]
    places = torch.tensor(first, device=x.device)[:, None] + torch.arange(width, device=x.device)
    return x[:, :, places.clamp(max=x.shape[2] - 1)]


def _steps(x: Tensor) -> Tensor:
    """Absolute difference from the frame before, 0 for the first: same shape."""
    return nn.functional.pad(x.diff(dim=2).abs(), (1, 0))
