"""Measures of the spectrum of a clip: the end of its band, and mains hum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

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


def band(mono: np.ndarray, sample_rate: int) -> Band:
    """Bandwidth and upper edge of the spectrum of ``[T]``."""
    nyquist = sample_rate / 2
    length = min(_FFT, mono.size)
    if length < 2 * _BANDS or not np.ptp(mono):
        return Band(nyquist if mono.any() else 0.0, nyquist, 0.0, 0.0)
    batches = [(power.sum(axis=0), power.sum(axis=1)) for power in _power_frames(mono, length, _FFT // 2)]
    total, frame_power = sum(batch[0] for batch in batches), np.concatenate([batch[1] for batch in batches])
    within = np.flatnonzero(total >= total.max() * 10 ** (-_BELOW_PEAK_DB / 10))
    bandwidth = float(within[-1] / (total.size - 1) * nyquist)
    # Mean of levels in dB: an occasional bird song makes no edge, the low-pass of a codec makes one in every frame.
    active = frame_power >= frame_power.max() * 10 ** (-_ACTIVE_DB / 10)
    mean_db, done = np.zeros(total.size), 0
    for power in _power_frames(mono, length, _FFT // 2):
        mean_db += (10 * np.log10(power[active[done : done + len(power)]] + 1e-18)).sum(axis=0)
        done += len(power)
    mean_db /= active.sum()
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


def hum(mono: np.ndarray, sample_rate: int) -> Hum:
    """Steady lines at multiples of 50 or 60 Hz in ``[T]``; none in clips shorter than half a second."""
    if mono.size < sample_rate // 2:
        return Hum(0.0, _MAINS_HZ[0], -160.0)
    length = int(sample_rate)  # one second: bins of 1 Hz; a shorter clip is padded with zeros
    top = min(length // 2, _HARMONICS * _MAINS_HZ[1] + _AWAY_HZ[1]) + 1
    frames = _power_frames(mono, length, length // 2, top)
    power = np.concatenate(list(frames))  # [frames, hertz]
    sounding = power[power.sum(axis=1) > 1e-20]
    if not len(sounding):
        return Hum(0.0, _MAINS_HZ[0], -160.0)
    candidates = [_lines(sounding, mains, top) for mains in _MAINS_HZ]
    return max(candidates, key=lambda candidate: candidate.prominence_db)


def _lines(power: np.ndarray, mains: int, top: int) -> Hum:
    prominences, levels = [], []
    near, far = _AWAY_HZ
    for line in range(mains, min(_HARMONICS * mains, top - 1 - far) + 1, mains):
        around = np.concatenate(
            [power[:, line - far : line - near + 1], power[:, line + near : line + far + 1]], axis=1
        )
        strongest = power[:, line - 1 : line + 2].max(axis=1)
        background = np.median(around, axis=1)
        prominences.append(float(np.median(10 * np.log10((strongest + _LINE_FLOOR) / (background + _LINE_FLOOR)))))
        levels.append(float(np.median(strongest)))
    ranked = sorted(prominences, reverse=True)
    steady = sum(level for level, prominence in zip(levels, prominences, strict=True) if prominence >= 10)
    level_db = 10 * np.log10(steady) if steady > 1e-16 else -160.0
    return Hum(max(prominences[0], ranked[1] if len(ranked) > 1 else 0.0), mains, float(level_db))


def _power_frames(mono: np.ndarray, length: int, hop: int, top: int | None = None) -> Iterator[np.ndarray]:
    """Batches of power spectra ``[n, bins]`` of Hann frames, mean removed; a line of RMS r has the power r**2."""
    if mono.size < length:
        mono = np.pad(mono, (0, length - mono.size))
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    scale = 2.0 / float(window.sum(dtype=np.float64)) ** 2
    frames = np.lib.stride_tricks.sliding_window_view(mono, length)[:: max(1, hop)]
    batch = max(1, _BATCH * _FFT // length)
    for start in range(0, len(frames), batch):
        part = frames[start : start + batch]
        part = (part - part.mean(axis=1, keepdims=True)) * window
        spectrum = np.fft.rfft(part, axis=1)[:, :top]
        yield (np.square(spectrum.real) + np.square(spectrum.imag)) * scale
