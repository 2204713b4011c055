"""Input of any length for networks with a fixed length: consecutive windows of the published length."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Network = Callable[[Tensor], tuple[Tensor, Tensor | None]]


def in_windows(
    network: Network, spectrogram: Tensor, frames: int, least: int, stride: int | None = None
) -> tuple[Tensor, Tensor | None]:
    """Applies ``network`` to windows of at most ``frames`` spectrogram frames.

    Input of up to ``frames`` frames is one window. Longer input is cut so that the patches of all windows are on the
    same grid as those of a single pass: each window begins ``stride`` after the last patch of the window before, which
    with overlapping patches is some frames before the end of that window. The last window may be shorter, but holds at
    least one patch. There is no exchange between windows.

    Args:
        network: ``[B, M, F]`` -> tokens over time ``[B, N, D]``, one per patch position, and the summary ``[B, S]``
            or ``None``.
        spectrogram: ``[B, M, F]``; zero-padded on the right to at least ``least`` frames.
        frames: Published length in spectrogram frames.
        least: Spectrogram frames in a patch.
        stride: Spectrogram frames from patch to patch; ``None`` for ``least`` (no overlap).

    Returns:
        The tokens of all windows in order, and the mean of their summaries, weighted by their numbers of tokens.
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
