"""The course of a recording: how the energy of eight bands moves every 10 ms, much alike in all copies of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import fft

from ... import audio

RATE = 8000  # Hz
FRAME_S = 0.01
BANDS = 8
SPEEDS = (1.0, 1.005, 0.995, 25 / 24, 24 / 25)  # the last: film at 25 instead of 24 pictures a second, and back
_BLOCK_S = 30.0  # a whole number of frames
_FLOOR = 1e-9  # of the mean square: -90 dBFS
_PLACES, _PLACE_S, _LEAST_FRAMES = 24, 8.0, 50
_LEAST_CHANGE = 1e-3  # mean square of a place that sounds
_LEAST_HEIGHT = 0.3  # of a correlation; chance gives less than .2
_WIDEST = 0.01  # deviation from one of the speeds: .5 %, and the error of a place
_AGREE_S = 0.05  # distance from a line
_CLEAR = 0.8  # share of the places; no other speed is tried


class Course(NamedTuple):
    """Changes of the log energy from frame to frame, float32 ``[BANDS, N]``, and the length of the recording."""

    changes: np.ndarray
    seconds: float


def course(path: str | Path, stream: audio.Stream) -> Course:
    """The course of a recording; 12 MB an hour.

    Raises:
        AudioError: it cannot be read.
    """
    file = audio.MediaFile(path, stream)
    rate = file.info.sample_rate
    parts, stop = [], 0
    for position, block in file.blocks(round(_BLOCK_S * rate)):
        parts.append(_energies(audio.resample(audio.downmix(block), rate, RATE)))
        stop = position + block.shape[1]
    energies = np.log(np.concatenate(parts, axis=1) + _FLOOR)
    return Course(np.diff(energies, axis=1, prepend=energies[:, :1]), stop / rate)


def _energies(waveform: np.ndarray) -> np.ndarray:
    """Mean squares by band, ``[BANDS, frames]``; bands are equally wide on a logarithmic scale from 100 Hz to 4 kHz."""
    size = round(FRAME_S * RATE)
    frames = waveform[: len(waveform) // size * size].reshape(-1, size)
    power = np.square(np.abs(fft.rfft(frames * np.hanning(size).astype(np.float32), axis=1)))
    edges = np.round(np.geomspace(1, power.shape[1], BANDS + 1)).astype(int)
    edges = np.maximum.accumulate(np.maximum(edges, np.arange(1, BANDS + 2)))
    return np.stack([power[:, low:high].sum(1) for low, high in pairwise(edges.tolist())]) / size**2


@dataclass(frozen=True)
class Line:
    """``seconds in B = offset_s + speed * seconds in A``.

    Attributes:
        offset_s, speed: Of the line.
        agreeing_s: Where the places of A begin that lie on it, in seconds.
        places: Number of places that sound.
    """

    offset_s: float
    speed: float
    agreeing_s: tuple[float, ...]
    places: int

    def inverse(self) -> Line:
        """The line from B to A."""
        there = tuple(self.offset_s + self.speed * seconds for seconds in self.agreeing_s)
        return Line(-self.offset_s / self.speed, 1 / self.speed, there, self.places)


def fitted_line(a: Course, b: Course) -> Line | None:
    """The line that most places of the shorter copy lie on; None where fewer than half of those that sound do."""
    if a.seconds > b.seconds:
        line = fitted_line(b, a)
        return line and line.inverse()
    best: Line | None = None
    for speed in SPEEDS:
        line = _line(*_matches(a.changes, b.changes, speed), speed)
        if line and (best is None or len(line.agreeing_s) > len(best.agreeing_s)):
            best = line
        if best and len(best.agreeing_s) > _CLEAR * best.places:
            break
    return best


def _matches(a: np.ndarray, b: np.ndarray, speed: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Seconds in A and in B of the places whose match in B is clear, and the number of places that sound."""
    length = min(round(_PLACE_S / FRAME_S), a.shape[1] // 2)
    length_b = round(length * speed)
    if length < _LEAST_FRAMES or length_b > b.shape[1]:
        return np.zeros(0), np.zeros(0), 0
    size = fft.next_fast_len(b.shape[1], real=True)
    spectra = fft.rfft(b, size, axis=1)
    running = np.concatenate([[0.0], np.cumsum(np.square(b, dtype=np.float64).sum(0))])
    energies = running[length_b:] - running[:-length_b]
    starts = np.unique(np.linspace(0, a.shape[1] - length, _PLACES).astype(int)).tolist()
    places_a, places_b, sounding = [], [], 0
    for start in starts:
        place = _stretched(a[:, start : start + length], length_b)
        energy = float(np.square(place, dtype=np.float64).sum())
        if energy < _LEAST_CHANGE * length_b:
            continue
        sounding += 1
        products = fft.irfft(spectra * np.conj(fft.rfft(place, size, axis=1)), size, axis=1)[:, : energies.size].sum(0)
        heights = products / np.sqrt(np.maximum(energy * energies, 1e-12))
        best = int(heights.argmax())
        if heights[best] >= _LEAST_HEIGHT:
            places_a.append(start * FRAME_S)
            places_b.append(best * FRAME_S)
    return np.array(places_a), np.array(places_b), sounding


def _stretched(frames: np.ndarray, length: int) -> np.ndarray:
    if frames.shape[1] == length:
        return frames
    at = np.linspace(0, frames.shape[1] - 1, length)
    return np.stack([np.interp(at, np.arange(frames.shape[1]), row) for row in frames]).astype(np.float32)


def _line(a: np.ndarray, b: np.ndarray, places: int, speed: float) -> Line | None:
    """The line through two of the matches that most others lie on, fitted to all of these by least squares."""
    agreeing = np.zeros(len(a), bool)
    for i, j in combinations(range(len(a)), 2):
        slope = (b[j] - b[i]) / (a[j] - a[i])
        near = np.abs(b[i] + slope * (a - a[i]) - b) <= _AGREE_S
        if abs(slope / speed - 1) <= _WIDEST and near.sum() > agreeing.sum():
            agreeing = near
    if agreeing.sum() < max(2, places / 2):
        return None
    slope, offset = np.polyfit(a[agreeing], b[agreeing], 1)
    return Line(float(offset), float(slope), tuple(a[agreeing].tolist()), places)
