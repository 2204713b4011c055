"""Counts the isolated clicks of a clip."""

from __future__ import annotations

import numpy as np

from .blocks import Carry

_CLICK = 25.0  # times the median second difference around it
_CLICK_S = 0.0005
_BLOCK_S = 0.01
_APART_S = 0.002  # closer outliers belong to one click
_LEAST = 8  # samples of a clip


class Clicks:
    """Outliers of the second difference of ``[T]``, at most .5 ms long, where the signal is given block by block.

    An outlier exceeds 25 times the median of its block of 10 ms and of the blocks before and after. A crackling fire or
    a ticking clock contains clicks by nature.
    """

    def __init__(self, sample_rate: int) -> None:
        self._length = max(_LEAST, round(_BLOCK_S * sample_rate))
        self._longest, self._apart = max(2, round(_CLICK_S * sample_rate)), round(_APART_S * sample_rate)
        self._samples, self._carry = Carry(1, overlap=2), Carry(self._length, overlap=self._length)
        self._before = np.zeros(1)  # median of the last block that was judged
        self._position = 0  # of the first second difference that was not judged
        self._open: tuple[int, int] | None = None  # first and last outlier of the click that may go on
        self._count = 0

    def add(self, mono: np.ndarray) -> None:
        """Takes the next samples ``[n]``."""
        bends = self._carry.add(np.abs(np.diff(self._samples.add(mono), n=2)))
        if bends.size:
            medians = self._medians(bends)
            self._judge(bends[: -self._length], medians[:-1], medians[-1:])

    def count(self) -> int:
        """The clicks of what was given."""
        rest = self._carry.rest
        if rest is not None and self._position + rest.size + 2 >= _LEAST:
            blocks = -(-rest.size // self._length)
            padded = np.pad(rest, (0, blocks * self._length - rest.size), mode="edge")
            self._judge(rest, self._medians(padded), np.zeros(1))
        self._close()
        return self._count

    def _medians(self, bends: np.ndarray) -> np.ndarray:
        return np.median(bends.reshape(-1, self._length), axis=1).astype(np.float64)

    def _judge(self, bends: np.ndarray, medians: np.ndarray, after: np.ndarray) -> None:
        """Looks for outliers in whole blocks; ``after`` is the median of the block behind them."""
        around = np.concatenate([self._before, medians, after])
        limits = _CLICK * np.maximum(np.maximum(around[1:-1], np.maximum(around[2:], around[:-2])), 1e-4)
        places = np.flatnonzero(bends > np.repeat(limits, self._length)[: bends.size]) + self._position
        self._before, self._position = medians[-1:], self._position + bends.size
        if not places.size:
            return
        first = np.flatnonzero(np.diff(places, prepend=-self._apart - 1) > self._apart)
        begins, ends = places[first], places[np.append(first[1:], places.size) - 1]
        if self._open is not None and begins[0] - self._open[1] <= self._apart:
            begins[0] = self._open[0]
        else:
            self._close()
        self._count += int((ends[:-1] - begins[:-1] <= self._longest).sum())
        self._open = int(begins[-1]), int(ends[-1])

    def _close(self) -> None:
        if self._open is not None:
            self._count += self._open[1] - self._open[0] <= self._longest
            self._open = None
