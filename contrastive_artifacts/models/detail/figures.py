"""What statistics of a waveform's detail look like, whatever computes them."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

import numpy as np
from torch import Tensor

FRAME_S = 0.016
Array = TypeVar("Array", Tensor, np.ndarray)


class DetailFigures(NamedTuple, Generic[Array]):
    """``frames [B, N, F]``: one row every FRAME_S seconds; ``clip [B, C]``: of the whole. For one waveform, no B."""

    frames: Array
    clip: Array


def deviation(x: Tensor, dim: int) -> Tensor:
    """Standard deviation over ``dim`` whose gradient stays finite where nothing varies."""
    return (x.var(dim=dim, unbiased=False) + 1e-6).sqrt()
