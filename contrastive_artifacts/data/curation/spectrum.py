"""Measures of the spectrum of a clip: the end of its band, and mains hum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from .blocks import Carry

_FFT = 2048
_BELOW_PEAK_DB = 80.0
_ACTIVE_DB = 60.0  # frames further below the loudest one are ignored
_BANDS = 128  # from 0 to half the sample rate
_LEAST_EDGE_HZ = 2000.0  # below, a steep end can be the end of a tone
_CLIFF_DB = 20.0
_MAINS_HZ = (50, 60)
_HARMONICS = 8
_AWAY_HZ = (4, 20)
_LINE_FLOOR = 1e-12  # power: -120 dBFS, above the sidelobes of the window
_BATCH = 1024  # frames transformed at once: memory does not grow with the length of the clip


@dataclass(frozen=True)
class Band:
    """Attributes:
    bandwidth_hz: Highest frequency whose mean power (Welch, 2048 samples) lies within 80 dB of the strongest one.
    edge_hz: Frequency, 2 kHz or higher, of the steepest permanent fall of the spectrum; half the sample rate if none.
    edge_db: Depth of the fall within 1/64 of the sample rate.
    lost: Share of the band above the edge if the fall is 20 dB or more, else 0.0. Microphones and air roll off slowly:
        steep edges come from lossy coding (16 kHz) and resampling (4 kHz in a 44.1 kHz file).
    """

    bandwidth_hz: float
    edge_hz: float
    edge_db: float
    lost: float


@dataclass(frozen=True)
class Hum:
    """Attributes:
    prominence_db: Level of lines at multiples of the mains frequency above the spectrum 4 to 20 Hz next to them: the
        median over the seconds of the clip, so that single notes do not count, and of the first eight multiples the
        fundamental or the second strongest, whichever is higher. About 5 dB in noise.
    mains_hz: 50 or 60, whichever has the higher prominence.
    level_db: RMS of the lines among these eight with a prominence of 10 dB or more, dBFS; -160 if there are none.
    """

    prominence_db: float
    mains_hz: int
    level_db: float


class BandMeter:
    """Bandwidth and upper edge of the spectrum of a signal ``[T]`` that is given block by block, twice.

    Args:
        samples: T.
        sample_rate: Hz.
    """

    def __init__(self, samples: int, sample_rate: int) -> None:
        self._nyquist = sample_rate / 2
        length = min(_FFT, samples) if samples >= 2 * _BANDS else _FFT  # a shorter signal has no frame
        self._frames, self._frames_again = _Frames(length, _FFT // 2), _Frames(length, _FFT // 2)
        self._total, self._powers, self._done = np.zeros(length // 2 + 1, np.float32), [np.zeros(0, np.float32)], 0
        self._extremes = (np.inf, -np.inf)
        self._levels = np.zeros(length // 2 + 1)
        self._active: np.ndarray | None = None  # which frames are loud enough; known after the first time

    def add(self, mono: np.ndarray) -> None:
        """Takes the next samples ``[n]`` of the first time."""
        self._extremes = min(self._extremes[0], float(mono.min())), max(self._extremes[1], float(mono.max()))
        self._sum(self._frames.add(mono))

    def add_again(self, mono: np.ndarray) -> None:
        """Takes the next samples of the second time; all were given before."""
        if self._active is None:
            self._sum(self._frames.end())
            powers = np.concatenate(self._powers)
            self._active = powers >= powers.max(initial=0.0) * 10 ** (-_ACTIVE_DB / 10)
        self._sum_levels(self._frames_again.add(mono), self._active)

    def band(self) -> Band:
        """The measures, after the second time."""
        assert self._active is not None
        self._sum_levels(self._frames_again.end(), self._active)
        nyquist, total = self._nyquist, self._total
        if not self._active.size or self._extremes[0] == self._extremes[1]:
            return Band(nyquist if any(self._extremes) else 0.0, nyquist, 0.0, 0.0)
        within = np.flatnonzero(total >= total.max() * 10 ** (-_BELOW_PEAK_DB / 10))
        return _with_edge(float(within[-1] / (total.size - 1) * nyquist), self._levels / self._active.sum(), nyquist)

    def _sum(self, batches: Iterable[np.ndarray]) -> None:
        for power in batches:
            self._total += power.sum(axis=0)
            self._powers.append(power.sum(axis=1))

    def _sum_levels(self, batches: Iterable[np.ndarray], active: np.ndarray) -> None:
        # Mean of levels in dB: an occasional bird song makes no edge, the low-pass of a codec makes one in every frame.
        for power in batches:
            loud = power[active[self._done : self._done + len(power)]]
            self._levels += (10 * np.log10(loud + 1e-18)).sum(axis=0)
            self._done += len(power)


def _with_edge(bandwidth: float, mean_db: np.ndarray, nyquist: float) -> Band:
    """The steepest fall of a mean spectrum in dB, from 0 to ``nyquist`` Hz."""
    width = nyquist / _BANDS
    starts = np.linspace(0, mean_db.size, _BANDS + 1).astype(int)[:-1]
    levels = np.add.reduceat(mean_db, starts) / np.diff(starts, append=mean_db.size)
    above = np.maximum.accumulate(levels[::-1])[::-1]  # highest level from a band upwards
    falls = levels[:-3] - above[3:]
    falls[: max(1, int(_LEAST_EDGE_HZ / width))] = 0.0
    place = int(np.argmax(falls))
    if falls[place] <= 0:
        return Band(bandwidth, nyquist, 0.0, 0.0)
    # Linear interpolation between the two bands around the middle of the fall.
    middle = levels[place] - falls[place] / 2
    after = place + 1 + int(np.argmax(levels[place + 1 : place + 4] < middle))
    drop = levels[after - 1] - levels[after]
    edge = width * (after - 0.5 + (float((levels[after - 1] - middle) / drop) if drop > 0 else 0.5))
    edge = min(edge, nyquist)
    lost = 1 - edge / nyquist if falls[place] >= _CLIFF_DB else 0.0
    return Band(bandwidth, float(edge), float(falls[place]), float(lost))


class HumMeter:
    """Steady lines at multiples of 50 or 60 Hz in a signal that is given block by block; none within half a second."""

    def __init__(self, samples: int, sample_rate: int) -> None:
        length = int(sample_rate)  # one second: bins of 1 Hz; a shorter clip is padded with zeros
        self._top = min(length // 2, _HARMONICS * _MAINS_HZ[1] + _AWAY_HZ[1]) + 1
        self._frames = _Frames(length, length // 2, self._top)
        self._lines: dict[int, list[np.ndarray]] = {mains: [] for mains in _MAINS_HZ}
        self._too_short = samples < sample_rate // 2

    def add(self, mono: np.ndarray) -> None:
        """Takes the next samples ``[n]``."""
        self._take(self._frames.add(mono))

    def hum(self) -> Hum:
        """The measures of what was given."""
        self._take(() if self._too_short else self._frames.end(pad=True))
        if not any(len(part) for part in self._lines[_MAINS_HZ[0]]):
            return Hum(0.0, _MAINS_HZ[0], -160.0)
        candidates = [_hum(np.concatenate(parts), mains) for mains, parts in self._lines.items()]
        return max(candidates, key=lambda candidate: candidate.prominence_db)

    def _take(self, batches: Iterable[np.ndarray]) -> None:
        for power in batches:
            sounding = power[power.sum(axis=1) > 1e-20]
            for mains, parts in self._lines.items():
                parts.append(_lines(sounding, mains, self._top))


def _lines(power: np.ndarray, mains: int, top: int) -> np.ndarray:
    """Power of each line and of the spectrum around it, ``[frames, lines, 2]``."""
    near, far = _AWAY_HZ
    columns = []
    for line in range(mains, min(_HARMONICS * mains, top - 1 - far) + 1, mains):
        around = np.concatenate(
            [power[:, line - far : line - near + 1], power[:, line + near : line + far + 1]], axis=1
        )
        columns.append(np.stack([power[:, line - 1 : line + 2].max(axis=1), np.median(around, axis=1)], axis=1))
    return np.stack(columns, axis=1)


def _hum(lines: np.ndarray, mains: int) -> Hum:
    strongest, background = lines[..., 0], lines[..., 1]
    over = np.median(10 * np.log10((strongest + _LINE_FLOOR) / (background + _LINE_FLOOR)), axis=0).tolist()
    levels = np.median(strongest, axis=0).tolist()
    ranked = sorted(over, reverse=True)
    steady = sum(level for level, prominence in zip(levels, over, strict=True) if prominence >= 10)
    level_db = 10 * np.log10(steady) if steady > 1e-16 else -160.0
    return Hum(max(over[0], ranked[1] if len(ranked) > 1 else 0.0), mains, float(level_db))


class _Frames:
    """Batches of power spectra ``[n, bins]`` of Hann frames, mean removed; a line of RMS r has the power r**2.

    Args:
        length, hop: Of a frame, in samples.
        top: Number of bins; by default all.
    """

    def __init__(self, length: int, hop: int, top: int | None = None) -> None:
        self._length, self._hop, self._top = length, max(1, hop), top
        self._batch = max(1, _BATCH * _FFT // max(1, length))
        self._carry = Carry(self._batch * self._hop, overlap=max(0, length - self._hop))
        self._window = np.hanning(length + 1)[:-1].astype(np.float32)
        self._any = False

    def add(self, mono: np.ndarray) -> Iterator[np.ndarray]:
        """The spectra of whole batches."""
        yield from self._spectra(self._carry.add(mono))

    def end(self, pad: bool = False) -> Iterator[np.ndarray]:
        """The last spectra; with ``pad``, a signal shorter than a frame is filled up with zeros."""
        rest = self._carry.rest
        assert rest is not None
        if pad and not self._any and rest.size < self._length:
            rest = np.pad(rest, (0, self._length - rest.size))
        yield from self._spectra(rest)

    def _spectra(self, mono: np.ndarray) -> Iterator[np.ndarray]:
        if mono.size < self._length:
            return
        self._any = True
        scale = 2.0 / float(self._window.sum(dtype=np.float64)) ** 2
        frames = np.lib.stride_tricks.sliding_window_view(mono, self._length)[:: self._hop]
        for start in range(0, len(frames), self._batch):
            part = frames[start : start + self._batch]
            part = (part - part.mean(axis=1, keepdims=True)) * self._window
            spectrum = np.fft.rfft(part, axis=1)[:, : self._top]
            yield (np.square(spectrum.real) + np.square(spectrum.imag)) * scale
