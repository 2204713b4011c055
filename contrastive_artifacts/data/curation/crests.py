"""Whether flat crests of a clip crowd at one level, as of sound that was clipped and then coded or resampled."""

from __future__ import annotations

import numpy as np

from .blocks import Carry

_AROUND_S = 0.0005  # a crest is the largest sample within this time before and after it
_NEAREST = 4  # samples around a crest, at least
_SIDE_S = 0.005  # to the ends of a crest, at most: a tone of 20 Hz
_TOP = 0.8  # of its height: what belongs to a crest
_FLAT = 0.934  # mean of a crest by its height; .932 for a sine, .933 for a parabola, less with noise on it
_WIDTHS = 10, 20  # bins of a crowd
_BIN = -np.log(0.95) / _WIDTHS[0]  # of the logarithm of a height: a crowd is 5 or 10 % wide
_SPARE = 10  # bins above the largest sample: a parabola exceeds its samples
_BINS = 160  # down to .44 of the largest sample
_LEAST = 10  # crests of a crowd
_ABOVE = 0.25  # crests above a crowd, at most, for each of its own
_AT_ONCE = 1 << 12  # crests, so that memory stays small where every other sample is one
_SILENT = 1e-3  # steps of 16 bits lie 3 % apart at this peak


class Crests:
    """How much flat crests crowd at a level, in each channel of a clip that is read block by block.

    Lossy coding and resampling bend the plateaus of clipped sound until no samples of equal height are left (see
    :class:`.clipping.Clipping`), but crests that were cut off still end at about one level, while those of undamaged
    sound are the fewer the higher they are. So the crests of one sign in a range of 5 % (10 %) are compared with those
    in the 5 % (10 %) below it, wherever few crests lie above. Tones of constant level crowd as well, and so does the
    output of a limiter; their crests are round.

    Args:
        high, low: Largest and smallest sample of each channel of the whole clip.
        sample_rate: Hz.
    """

    def __init__(self, high: np.ndarray, low: np.ndarray, sample_rate: int) -> None:
        self._around = max(_NEAREST, round(_AROUND_S * sample_rate))
        self._side = max(_NEAREST + 1, round(_SIDE_S * sample_rate))
        self._peaks = np.stack([high, -low]).astype(np.float64)  # [2, C]
        self._carry = Carry(1, overlap=2 * self._side)
        self._counts, self._flatness = np.zeros((2, *self._peaks.shape, _BINS))

    def add(self, waveform: np.ndarray) -> None:
        """Takes the next samples ``[C, n]``."""
        samples = self._carry.add(waveform)
        if samples.shape[-1]:
            for (sign, channel), peak in np.ndenumerate(self._peaks):
                if peak >= _SILENT:
                    self._add(samples[channel] * np.float32(1 - 2 * sign), peak, (sign, channel))

    def most(self) -> float:
        """The standard deviations by which the crests of a range exceed those below it: the largest of all channels.

        0 where no range of flat crests has more of them than the one below it.
        """
        return max(self._crowding(width) for width in _WIDTHS)

    def _crowding(self, width: int) -> float:
        counts, flatness = (
            np.cumsum(np.pad(of, ((0, 0), (0, 0), (1, 0))), -1) for of in (self._counts, self._flatness)
        )
        above, to_end, to_below = counts[..., : -2 * width], counts[..., width:-width], counts[..., 2 * width :]
        within, below = to_end - above, to_below - to_end
        flat = flatness[..., width:-width] - flatness[..., : -2 * width] >= _FLAT * within
        excess = (within - below) / np.sqrt(within + below + 1)
        crowds = flat & (within >= _LEAST) & (above <= _ABOVE * within)
        return float(excess.max(initial=0, where=crowds))

    def _add(self, row: np.ndarray, peak: float, place: tuple[int, ...]) -> None:
        """Adds the crests of ``row`` that have ``_side`` samples before and after them."""
        high = np.flatnonzero(row[self._side : -self._side] > peak * np.exp(-_BIN * (_BINS - _SPARE))) + self._side
        tops = high[(row[high] > row[high - 1]) & (row[high] >= row[high + 1])]  # the first sample of a plateau
        sums = np.cumsum(np.append(0.0, row), dtype=np.float64)
        for part in np.array_split(tops, 1 + len(tops) // _AT_ONCE):
            around = np.lib.stride_tricks.sliding_window_view(row, 2 * self._around + 1)[part - self._around]
            crests = part[row[part] >= around.max(axis=1)]
            heights = _heights(row, crests)
            flatness, ended = self._shapes(row, sums, crests, heights)
            bins = ((np.log(peak) - np.log(heights)) / _BIN + _SPARE).astype(np.int64)
            within = ended & (bins >= 0) & (bins < _BINS)
            np.add.at(self._counts[place], bins[within], 1)
            np.add.at(self._flatness[place], bins[within], flatness[within])

    def _shapes(
        self, row: np.ndarray, sums: np.ndarray, crests: np.ndarray, heights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The mean of each crest by its height, and whether it ends within ``_side`` samples on both sides."""
        around = np.lib.stride_tricks.sliding_window_view(row, 2 * self._side + 1)[crests - self._side]
        below = around < _TOP * heights[:, None]
        before, after = below[:, self._side :: -1].argmax(1), below[:, self._side :].argmax(1)
        means = (sums[crests + after] - sums[crests - before + 1]) / np.maximum(after + before - 1, 1)
        return means / heights, (before > 0) & (after > 0)


def _heights(row: np.ndarray, crests: np.ndarray) -> np.ndarray:
    """The vertices of the parabolas through the crests and their neighbours."""
    before, top, after = (row[crests + step].astype(np.float64) for step in (-1, 0, 1))
    bend = 2 * top - before - after
    heights: np.ndarray = top + np.divide((after - before) ** 2, 8 * bend, out=np.zeros_like(top), where=bend > 0)
    return heights
