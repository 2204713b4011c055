"""Digital clipping: runs of equal samples at the peak of a recording."""

from __future__ import annotations

import numpy as np

from ...data.curation.blocks import Runs
from .finding import Finding

KIND = "digital clipping"
_NEAR_PEAK = 0.98  # of the largest sample of the same sign and channel
_RUN = 3  # samples
_MERGE_S = 0.05
_STEP = 3 * 2.0**-15  # least step beside a run: a crest that was rounded to 16 bits has one of at most two units
_LEAST_PEAK = 0.003  # -50 dBFS: below, rounding alone makes runs of equal samples


class Clipping:
    """Runs of three or more equal samples within 2 % of the peak of their sign and channel, and higher than both sides.

    Runs less than 50 ms apart, of either sign, are one finding. The crest of a low tone that was rounded to 16 bits has
    equal samples too, but falls from there by one or two units of its last digit; clipped sound falls by more. The
    samples must be exactly equal, so what was clipped before lossy coding is not found, unlike by the measure of
    curation, which goes over a clip again when its peak is known.
    """

    def __init__(self, channels: int, sample_rate: int) -> None:
        self._apart = round(_MERGE_S * sample_rate)
        self._sides = [(_Side(self._apart), _Side(self._apart)) for _ in range(channels)]

    def add(self, piece: np.ndarray) -> None:
        """Takes the next samples ``[C, n]``."""
        for (upper, lower), samples in zip(self._sides, piece, strict=True):
            upper.add(samples, 1.0)
            lower.add(samples, -1.0)

    def findings(self) -> list[Finding]:
        """One per group of runs; its value is the number of its clipped samples."""
        return [
            Finding(int(start), int(stop), KIND, float(count), "samples", channel)
            for channel, sides in enumerate(self._sides)
            for start, stop, count, _ in _joined(np.concatenate([side.groups() for side in sides]), self._apart)
        ]


class _Side:
    """The runs of one sign of one channel, as groups ``[n, 4]``: start, stop, clipped samples, largest level."""

    def __init__(self, apart: int) -> None:
        self._apart, self._top, self._position = apart, 0.0, 0
        self._runs = Runs()  # of samples that equal the one before them
        self._last = np.full(2, np.nan, np.float32)  # the two samples before the piece
        self._before = 0.0  # step up to the run that is open at the end of a piece
        self._groups = np.zeros((0, 4))

    def add(self, samples: np.ndarray, sign: float) -> None:
        top = float(samples.max() if sign > 0 else -samples.min())
        self._top = max(self._top, top)
        if top < _NEAR_PEAK * self._top and self._runs.open is None:
            self._runs.skip(samples.size)
        else:
            self._search(np.concatenate([self._last, samples]) * np.float32(sign))
        self._last, self._position = np.concatenate([self._last, samples])[-2:], self._position + samples.size

    def groups(self) -> np.ndarray:
        """The groups at the peak of all that was given; a run that goes on to the end has no fall after it."""
        if self._top < _LEAST_PEAK:
            return np.zeros((0, 4))
        return self._groups[self._groups[:, 3] >= _NEAR_PEAK * self._top]

    def _search(self, side: np.ndarray) -> None:
        """Takes the next samples, with the two before them; sample n of the recording is ``side[n + offset]``."""
        offset = 2 - self._position
        equal = (side[2:] == side[1:-1]) & (side[2:] >= np.float32(_NEAR_PEAK * self._top))
        if self._runs.open is None and not equal.any():
            self._runs.skip(equal.size)
            return
        starts, stops = self._runs.add(equal)
        starts = starts - 1  # the first of the equal samples
        first = np.maximum(starts + offset, 1)
        before = np.where(starts + offset < 1, self._before, side[first] - side[first - 1])
        after = side[stops - 1 + offset] - side[stops + offset]
        lengths = stops - starts
        clipped = (lengths >= _RUN) & (np.fmin(before, after) > 0) & (np.fmax(before, after) >= _STEP)
        if self._runs.open is not None and self._runs.open >= self._position:
            place = self._runs.open - 1 + offset
            self._before = float(np.nan_to_num(side[place] - side[place - 1]))
        if clipped.any():
            runs = np.stack([starts, stops, lengths, side[stops - 1 + offset]], axis=1)[clipped]
            groups = self._groups[self._groups[:, 3] >= _NEAR_PEAK * self._top]
            self._groups = _joined(np.concatenate([groups, runs]), self._apart)


def _joined(groups: np.ndarray, apart: int) -> np.ndarray:
    """Groups ``[n, 4]`` in order, those less than ``apart`` samples from each other as one."""
    if not len(groups):
        return groups
    groups = groups[np.argsort(groups[:, 0], kind="stable")]
    stops = np.maximum.accumulate(groups[:, 1])
    (firsts,) = np.nonzero(np.concatenate([[True], groups[1:, 0] - stops[:-1] >= apart]))
    counts = np.add.reduceat(groups[:, 2], firsts)
    levels = np.maximum.reduceat(groups[:, 3], firsts)
    return np.stack([groups[firsts, 0], np.maximum.reduceat(groups[:, 1], firsts), counts, levels], axis=1)
