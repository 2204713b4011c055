"""The input of a context module: the patches and the slow figures of a long window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from ..slow import LEAST_S, SLOW_FIGURES, slow_figures


class Stretch(NamedTuple):
    """A window of up to a minute as the input of a context module."""

    vectors: np.ndarray  # [N, D], its patches in order
    slow: np.ndarray  # [S], its slow figures, NaN where they are unknown


def slow_of(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Slow figures float32 ``[S]`` of mono ``[T]``; NaN if it is shorter than LEAST_S."""
    if len(waveform) < LEAST_S * sample_rate:
        return np.full(len(SLOW_FIGURES), np.nan, np.float32)
    return slow_figures(waveform, sample_rate)


def collate(stretches: Sequence[Stretch]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A batch of B >= 1 stretches with any numbers of patches.

    Returns:
        Patches float32 ``[B, max N, D]``, padded with zeros; mask ``[B, max N]``, True for patches; slow ``[B, S]``.
    """
    longest = max(len(s.vectors) for s in stretches)
    # Memory of torch: it is aligned, that of NumPy may not be, and the rounding of matrix products can depend on it.
    patches = torch.zeros(len(stretches), longest, stretches[0].vectors.shape[1])
    mask = torch.zeros(len(stretches), longest, dtype=torch.bool)
    slow = torch.zeros(len(stretches), len(stretches[0].slow))
    for i, (vectors, figures) in enumerate(stretches):
        patches[i, : len(vectors)] = torch.from_numpy(np.array(vectors, np.float32))
        mask[i, : len(vectors)] = True
        slow[i] = torch.from_numpy(np.array(figures, np.float32))
    return patches, mask, slow
