"""Frames at regular places of a recording that is given piece by piece."""

from __future__ import annotations

import numpy as np


class Frames:
    """Frames ``[C, length]`` that begin at every multiple of ``every`` samples; those that fit as a whole.

    Args:
        length, every: In samples, ``length <= every``.
    """

    def __init__(self, length: int, every: int) -> None:
        self._length, self._every = length, every
        self._position = self._start = 0  # of the next piece, of the next frame
        self._parts: list[np.ndarray] = []  # of the next frame

    def add(self, piece: np.ndarray) -> list[np.ndarray]:
        """The frames that end in the next samples ``[C, n]``."""
        frames, stop = [], self._position + piece.shape[1]
        while self._start < stop:
            first, last = self._start - self._position, self._start + self._length - self._position
            self._parts.append(piece[:, max(0, first) : last].copy())
            if last > piece.shape[1]:
                break
            frames.append(np.concatenate(self._parts, axis=1))
            self._parts, self._start = [], self._start + self._every
        self._position = stop
        return frames
