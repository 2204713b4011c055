"""Counts the flat-topped runs of a clip."""

from __future__ import annotations

import numpy as np

from .blocks import Runs

_NEAR_PEAK = 0.98
_RUN = 4  # samples
_CORNER = 0.25  # slope before a plateau times its length, relative to the peak; .08 for a sine of any frequency


class Clipping:
    """Plateaus at the peak that begin or end with a corner, in each channel of a clip that is given block by block.

    A plateau is four or more samples in a row within 2 % of the largest sample of its sign (not equal to it, because
    lossy coding bends plateaus). The corner distinguishes it from the round crest of a low tone: the slope before or
    after the run times its length, relative to the peak, is .08 for any sine and more than .25 for a sine clipped by
    2 dB or more. Square waves, as in chip music, count as clipped.

    Args:
        high, low: Largest and smallest sample of each channel of the whole clip.
    """

    def __init__(self, high: np.ndarray, low: np.ndarray) -> None:
        self._sides = [
            [_Side(sign, float(peak)) for sign, peak in ((1, top), (-1, -bottom)) if peak > 0]
            for top, bottom in zip(high, low, strict=True)
        ]

    def add(self, waveform: np.ndarray) -> None:
        """Takes the next samples ``[C, n]``."""
        for sides, channel in zip(self._sides, waveform, strict=True):
            for side in sides:
                side.add(channel)

    def most(self) -> int:
        """The number of plateaus of the worst channel."""
        return max(sum(side.count() for side in sides) for sides in self._sides)


class _Side:
    """The plateaus of one sign of one channel."""

    def __init__(self, sign: int, top: float) -> None:
        self._sign, self._top, self._count = np.float32(sign), top, 0
        self._runs, self._position = Runs(), 0
        self._last = np.full(1, np.nan, np.float32)  # the sample before the block; none before the first
        self._before = np.float32(0)  # slope before the run that is open at the end of a block

    def add(self, channel: np.ndarray) -> None:
        side = np.concatenate([self._last, channel * self._sign])  # sample n of the block is side[n + 1]
        starts, stops = self._runs.add(side[1:] >= _NEAR_PEAK * self._top)
        first = starts - self._position
        inside = np.maximum(first, 0)
        before = np.where(first < 0, self._before, side[inside + 1] - side[inside])
        after = side[stops - self._position] - side[stops - self._position + 1]
        self._judge(stops - starts, np.fmax(before, after))
        if self._runs.open is not None and self._runs.open >= self._position:
            place = self._runs.open - self._position
            self._before = np.nan_to_num(side[place + 1] - side[place])
        self._last, self._position = side[-1:], self._position + channel.size

    def count(self) -> int:
        starts, stops = self._runs.end()
        whole = stops - starts == self._position  # a clip of one value is no plateau
        self._judge((stops - starts)[~whole], np.full((~whole).sum(), self._before))
        return self._count

    def _judge(self, lengths: np.ndarray, slopes: np.ndarray) -> None:
        self._count += int(((lengths >= _RUN) & (slopes * lengths >= _CORNER * self._top)).sum())
