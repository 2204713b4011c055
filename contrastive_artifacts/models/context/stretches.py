"""A stretch of a recording as the context module takes it: its patches, and figures of it as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from ..slow import LEAST_S, SLOW_FIGURES, slow_figures


class Stretch(NamedTuple):
    """``vectors [N, D]``: its patches in order; ``slow [S]``: its slow figures, NaN where they are not known."""

    vectors: np.ndarray
    slow: np.ndarray


def slow_of(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """float32 ``[S]`` slow figures of mono ``[T]``; NaN of a stretch too short to have any."""
    if len(waveform) < LEAST_S * sample_rate:
        return np.full(len(SLOW_FIGURES), np.nan, np.float32)
    return slow_figures(waveform, sample_rate)


def collate(stretches: Sequence[Stretch]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """B >= 1 stretches of any lengths -> patches float32 ``[B, max N, D]`` with zeros behind, mask ``[B, max N]``, slow
    ``[B, S]``."""
    most = max(len(s.vectors) for s in stretches)
    # Torch's memory is aligned, NumPy's need not be, and matrix products may round by alignment.
    patches = torch.zeros(len(stretches), most, stretches[0].vectors.shape[1])
    mask = torch.zeros(len(stretches), most, dtype=torch.bool)
    slow = torch.zeros(len(stretches), len(stretches[0].slow))
    for i, (vectors, figures) in enumerate(stretches):
        patches[i, : len(vectors)] = torch.from_numpy(np.array(vectors, np.float32))
        mask[i, : len(vectors)] = True
        slow[i] = torch.from_numpy(np.array(figures, np.float32))
    return patches, mask, slow
