"""The common form of all versions of the detail figures."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

import numpy as np
from torch import Tensor

FRAME_S = 0.016
Array = TypeVar("Array", Tensor, np.ndarray)


class DetailFigures(NamedTuple, Generic[Array]):
    """Detail figures of B windows; of a single window, without the first axis."""

    frames: Array  # [B, N, F], N frames of FRAME_S seconds
    clip: Array  # [B, C], of the window as a whole


def deviation(x: Tensor, dim: int) -> Tensor:
    """Standard deviation over ``dim`` with a finite gradient where the values do not vary."""
    return (x.var(dim=dim, unbiased=False) + 1e-6).sqrt()
