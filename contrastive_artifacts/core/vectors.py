"""Vectors of length 1, whose inner products are cosines."""

from __future__ import annotations

from typing import Any

import numpy as np


def unit_rows(x: np.ndarray, dtype: Any = np.float32) -> np.ndarray:
    """L2-normalised along the last axis; a vector of zeros stays as it is, at similarity 0 to everything.

    Args:
        x: Float [..., D].
        dtype: Of the result, which is C-contiguous.

    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]), np.float64)
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.ascontiguousarray(x / np.maximum(length, 1e-12), dtype=dtype)
