"""One channel of several: the mean, or the loudest channel where the mean cancels."""

from __future__ import annotations

import numpy as np

_QUIET = 1e-8  # mean square: -80 dBFS
_CANCELLED = 10.0**-0.6


def mono(waveform: np.ndarray) -> np.ndarray:
    """The mean of the channels: float32 ``[C, T]`` -> ``[T]``."""
    return waveform[0].copy() if waveform.shape[0] == 1 else waveform.mean(axis=0, dtype=np.float32)


def cancels(waveform: np.ndarray) -> bool:
    """Whether the channels are out of phase: their mean has lost most of its energy.

    True if the energy of the mean is more than 6 dB below that of unrelated channels, which is 1 / C of the mean energy
    of the C channels; for stereo that is a correlation below about -0.75. Offsets (DC) do not count, and neither does
    what is quieter than -80 dBFS.

    >>> tone = np.sin(np.arange(1000, dtype=np.float32))
    >>> cancels(np.stack([tone, -tone])), cancels(np.stack([tone, tone])), cancels(np.stack([tone, 0 * tone]))
    (True, False, False)
    """
    return _mixture(waveform).channel is not None


def downmix(waveform: np.ndarray) -> np.ndarray:
    """One channel for all: the mean, or where that :func:`cancels` the loudest channel; ``[C, T]`` -> ``[T]``."""
    return _mixture(waveform).mono(waveform)


def channel_or_mix(waveform: np.ndarray, channel: int | None) -> np.ndarray:
    """One channel of ``[C, T]``, counted from 0, or for None :func:`downmix`: ``[T]``."""
    return downmix(waveform) if channel is None else waveform[channel]


class Mixture:
    """The rule of :func:`downmix` for a recording that is given block by block.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        self._moments = np.zeros((channels + 1, 2))  # sums of squares and of samples; the last row is of the mean
        self._samples = 0

    def add(self, waveform: np.ndarray) -> None:
        """Takes the next block ``[C, n]`` into account."""
        if len(waveform) > 1:
            self._moments += [(float(np.dot(x, x)), float(x.mean()) * x.size) for x in (*waveform, mono(waveform))]
        self._samples += waveform.shape[1]

    @property
    def channel(self) -> int | None:
        """The channel that stands for all where their mean cancels, else None."""
        squares, sums = self._moments.T / self._samples
        *channels, mean = squares - sums**2  # mean square without the offset
        power = sum(channels) / len(channels)
        lost = power > _QUIET and mean * len(channels) < _CANCELLED * power
        return int(np.argmax(channels)) if lost else None

    def mono(self, waveform: np.ndarray) -> np.ndarray:
        """One channel of a block, by the rule as it stands after all blocks that were given: ``[C, n]`` -> ``[n]``."""
        return mono(waveform) if self.channel is None else waveform[self.channel].copy()


def _mixture(waveform: np.ndarray) -> Mixture:
    mixture = Mixture(len(waveform))
    mixture.add(waveform)
    return mixture
