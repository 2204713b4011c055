"""Measures of samples and levels of a clip: extremes, zeros, silence, offset, noise floor, channels out of phase."""

from __future__ import annotations

import numpy as np

from ... import audio
from .blocks import Carry, Runs

FLOOR_DB = -160.0  # level of silence, so that every value is finite
_BLOCK_S = 0.02
_QUIET_DB = -70.0
_PHASE_S = 1.0


class Levels:
    """Takes a clip of C channels block by block.

    Attributes:
        samples: Length so far.
        high, low: Largest and smallest sample of each channel, float32 [C].
    """

    def __init__(self, channels: int, sample_rate: int) -> None:
        self.samples = 0
        self.high, self.low = np.full(channels, -np.inf, np.float32), np.full(channels, np.inf, np.float32)
        self._zeros = 0
        self._sums = np.zeros(channels)
        self._length = max(1, round(_BLOCK_S * sample_rate))
        self._carry, self._levels = Carry(self._length), [np.zeros(0)]
        self._runs, self._silent = Runs(), 0

    def add(self, waveform: np.ndarray) -> None:
        """Takes the next samples ``[C, n]``."""
        self.samples += waveform.shape[1]
        self.high, self.low = np.maximum(self.high, waveform.max(axis=1)), np.minimum(self.low, waveform.min(axis=1))
        zero = waveform == 0
        self._zeros += int(zero.sum())
        self._count_silence(*self._runs.add(zero.all(axis=0)))
        self._sums += waveform.sum(axis=1, dtype=np.float64)
        self._levels.append(_block_levels(self._carry.add(waveform), self._length))

    def figures(self) -> dict[str, float]:
        """``peak_db``, ``zero_share``, ``silence_share``, ``quiet_share``, ``floor_db`` and ``dc_db``."""
        self._count_silence(*self._runs.end())
        assert self._carry.rest is not None
        levels = np.concatenate([*self._levels, _block_levels(self._carry.rest, self._length)])
        sounding, heard = levels[levels > FLOOR_DB], self.samples - self._silent
        offset = float(np.abs(self._sums).max() / heard) if heard else 0.0
        return {
            "peak_db": audio.gain_to_db(float(max(self.high.max(), -self.low.min())), FLOOR_DB),
            "zero_share": self._zeros / (self.samples * len(self._sums)),
            "silence_share": self._silent / self.samples,
            "quiet_share": float((levels < _QUIET_DB).mean()),
            "floor_db": float(np.percentile(sounding, 10)) if sounding.size else FLOOR_DB,
            "dc_db": audio.gain_to_db(offset, FLOOR_DB),
        }

    def _count_silence(self, starts: np.ndarray, stops: np.ndarray) -> None:
        """Counts runs of at least 20 ms; of a shorter clip, one over all of it."""
        lengths = stops - starts
        self._silent += int(lengths[lengths >= min(self._length, self.samples)].sum())


class Phase:
    """The share of time in which the channels of a clip cancel each other in their mean, second by second."""

    def __init__(self, sample_rate: int) -> None:
        self._length = round(_PHASE_S * sample_rate)
        self._carry = Carry(self._length)
        self._samples = self._cancelled = 0

    def add(self, waveform: np.ndarray) -> None:
        """Takes the next samples ``[C, n]``."""
        self._judge(self._carry.add(waveform))

    def share(self) -> float:
        """In [0, 1], of what was given."""
        assert self._carry.rest is not None
        self._judge(self._carry.rest)
        return self._cancelled / self._samples

    def _judge(self, waveform: np.ndarray) -> None:
        for start in range(0, waveform.shape[1], self._length):
            piece = waveform[:, start : start + self._length]
            self._samples += piece.shape[1]
            self._cancelled += piece.shape[1] * audio.cancels(piece)


def _block_levels(waveform: np.ndarray, length: int) -> np.ndarray:
    """Level in dBFS of each block of ``length`` samples, mean over channels; exactly the floor for digital silence."""
    starts = np.arange(0, waveform.shape[1], length)
    if not starts.size:
        return np.zeros(0)
    power = sum(np.add.reduceat(np.square(channel, dtype=np.float64), starts) for channel in waveform)
    power = power / (np.diff(starts, append=waveform.shape[1]) * len(waveform))
    return np.maximum(10 * np.log10(power + 1e-300), FLOOR_DB)
