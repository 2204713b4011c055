"""Power spectra of a clip, and the end of its band."""

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
_NOTHING_ABOVE = 1.3  # largest bandwidth of a lost band, as a share of the edge: voices fall steeply somewhere, too
_BATCH = 1024  # frames transformed at once: memory does not grow with the length of the clip


@dataclass(frozen=True)
class Band:
    """Attributes:
    bandwidth_hz: Highest frequency whose mean power (Welch, 2048 samples) lies within 80 dB of the strongest one.
    edge_hz: Frequency, 2 kHz or higher, of the steepest permanent fall of the spectrum; half the sample rate if none.
    edge_db: Depth of the fall within 1/64 of the sample rate.
    lost: Share of the band above the edge if the fall is 20 dB or more and nothing lies above it (the bandwidth is at
        most 1.3 times the edge), else 0.0. Microphones and air roll off slowly: steep edges come from lossy coding
        (16 kHz) and resampling (4 kHz in a 44.1 kHz file).
    """

    bandwidth_hz: float
    edge_hz: float
    edge_db: float
    lost: float


class BandMeter:
    """Bandwidth and upper edge of the spectrum of a signal ``[T]`` that is given block by block, twice.

    Args:
        samples: T.
        sample_rate: Hz.
    """

    def __init__(self, samples: int, sample_rate: int) -> None:
        self._nyquist = sample_rate / 2
        length = min(_FFT, samples) if samples >= 2 * _BANDS else _FFT  # a shorter signal has no frame
        self._frames, self._frames_again = Spectra(length, _FFT // 2), Spectra(length, _FFT // 2)
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
        return band_of(float(within[-1] / (total.size - 1) * nyquist), self._levels / self._active.sum(), nyquist)

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


def band_of(bandwidth: float, mean_db: np.ndarray, nyquist: float) -> Band:
    """The steepest fall of a mean spectrum.

    Args:
        bandwidth: As in :class:`Band`.
        mean_db: Levels in dB from 0 to ``nyquist`` Hz, at least 128.
    """
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
    lost = falls[place] >= _CLIFF_DB and bandwidth <= _NOTHING_ABOVE * edge
    return Band(bandwidth, float(edge), float(falls[place]), float(1 - edge / nyquist) if lost else 0.0)


class Spectra:
    """Batches of power spectra ``[n, bins]`` of Hann frames, mean removed; a line of RMS r has the power r**2.

    Args:
        length, hop: Of a frame, in samples.
        top: Number of bins; by default all.
    """

    def __init__(self, length: int, hop: int, top: int | None = None) -> None:
        self._length, self._hop, self._top = length, max(1, hop), top
        self._batch = max(1, _BATCH * _FFT // max(1, length))
        self._carry = Carry(self._batch * self._hop, overlap=max(0, length - self._hop))
        self._window = hann(length)
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
        frames = np.lib.stride_tricks.sliding_window_view(mono, self._length)[:: self._hop]
        for start in range(0, len(frames), self._batch):
            yield power_spectra(frames[start : start + self._batch], self._window)[:, : self._top]


def hann(length: int) -> np.ndarray:
    """The window function of all spectra here, float32 [length]."""
    return np.hanning(length + 1)[:-1].astype(np.float32)


def power_spectra(frames: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Power spectra ``[..., bins]`` of frames ``[..., length]``, mean removed; a line of RMS r has the power r**2."""
    scale = 2.0 / float(window.sum(dtype=np.float64)) ** 2
    spectrum = np.fft.rfft((frames - frames.mean(axis=-1, keepdims=True)) * window, axis=-1)
    return (np.square(spectrum.real) + np.square(spectrum.imag)) * scale
