"""Input of any length for networks of a fixed one: consecutive windows of the length they were published for."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Network = Callable[[Tensor], tuple[Tensor, Tensor | None]]


def in_windows(
    network: Network, spectrogram: Tensor, frames: int, least: int, stride: int | None = None
) -> tuple[Tensor, Tensor | None]:
    """``network`` over windows of at most ``frames`` spectrogram frames, as if it took input of any length.

    Input that fits goes through as it is. Longer input is cut so that the patches of all windows lie on the one grid
    that a single pass over everything would have: a window begins ``stride`` after the last patch of the window before
    it, which with overlapping patches is a few frames before that window ends. The last window is shorter, but holds
    a patch. Windows do not hear each other.

    Args:
        network: ``[B, M, F]`` -> tokens over time ``[B, N, D]``, one per patch position, and the summary ``[B, S]``
            or ``None``.
        spectrogram: ``[B, M, F]``; fewer frames than ``least`` are padded with zeros on the right.
        frames: Published length.
        least: Spectrogram frames under one patch.
        stride: Spectrogram frames from patch to patch; ``None`` for ``least`` (patches side by side).

    Returns:
        The windows' tokens one after the other, and the mean of their summaries weighted by their number of tokens.
    """
    stride = least if stride is None else stride
    spectrogram = F.pad(spectrogram, (0, max(0, least - spectrogram.shape[-1])))
    length = spectrogram.shape[-1]
    if length <= frames:
        return network(spectrogram)
    step = ((frames - least) // stride + 1) * stride
    starts = range(0, length - least + 1, step)
    outputs = [network(spectrogram[..., start : start + frames]) for start in starts]
    tokens = torch.cat([part for part, _ in outputs], dim=1)
    summaries = [part.shape[1] * summary for part, summary in outputs if summary is not None]
    return tokens, sum(summaries[1:], summaries[0]) / tokens.shape[1] if summaries else None
