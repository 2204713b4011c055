"""Pieces of two copies of a recording, compared sample by sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import fft

from ... import audio
from ...artifacts.dsp.resample_at import read_at
from ...audio import gain_to_db
from ...audio.lag import place_of
from .course import Line

_PIECE_S = 2.0  # of A
_SEARCH_S = 0.06  # on both sides of where the course expects it in B
_FINE_RATE = 16000  # Hz, at which its place is searched
_OCTAVES_HZ = (63, 125, 250, 500, 1000, 2000, 4000, 8000, 16000)
_FLOOR_DB = -160.0
_BLOCK_S = 10.0
Copy = tuple[str | Path, audio.Stream]


@dataclass(frozen=True)
class Piece:
    """Two seconds of A and their place in B.

    Attributes:
        at_s, there_s: Where the piece begins in A and in B, in seconds.
        likeness: Correlation of the two, in [0, 1].
        gain: Factor from B to A; negative where the polarity is inverted.
        difference_db: Level of A minus the matched B, relative to A.
        octaves_a_db, octaves_b_db: Centre in Hz -> level in that octave in dBFS, of B after matching; octaves below
            half of both rates.
    """

    at_s: float
    there_s: float
    likeness: float
    gain: float
    difference_db: float
    octaves_a_db: dict[int, float]
    octaves_b_db: dict[int, float]


def cut_out(a: Copy, b: Copy, line: Line) -> list[tuple[Cut, Cut]]:
    """Two seconds of A at each place that the line knows, and the part of B in which they lie.

    What one of the copies does not hold in full is left out.
    """
    at = list(line.agreeing_s)
    there = [line.offset_s + line.speed * seconds - _SEARCH_S for seconds in at]
    cuts_a = dict(_cuts(a, at, _PIECE_S))
    cuts_b = dict(_cuts(b, there, _PIECE_S * line.speed + 2 * _SEARCH_S))
    return [(cuts_a[number], cuts_b[number]) for number in sorted(cuts_a.keys() & cuts_b.keys())]


class Cut(NamedTuple):
    """A part of a recording: its mix float32 [n], the rate in Hz, and where it begins."""

    samples: np.ndarray
    rate: int
    start_s: float


def _cuts(copy: Copy, starts_s: Sequence[float], seconds: float) -> Iterator[tuple[int, Cut]]:
    """Number and samples of each range that the recording holds in full, in one pass."""
    file = audio.MediaFile(*copy)
    rate = file.info.sample_rate
    length = round(seconds * rate)
    starts = [round(start_s * rate) for start_s in starts_s]
    remaining = [(start, number) for number, start in sorted(enumerate(starts), key=lambda pair: pair[1]) if start >= 0]
    pending = np.zeros((0, 0), np.float32)
    for position, block in file.blocks(round(_BLOCK_S * rate)):
        pending = np.concatenate([pending, block], axis=1) if pending.size else block
        end = position + block.shape[1]
        first = end - pending.shape[1]
        while remaining and remaining[0][0] + length <= end:
            start, number = remaining.pop(0)
            samples = audio.downmix(pending[:, start - first : start - first + length])
            yield number, Cut(samples, rate, start / rate)
        if not remaining:
            return
        pending = pending[:, max(0, min(remaining[0][0], end) - first) :]


def piece(a: Cut, b: Cut, speed: float) -> Piece:
    """Finds A in B, where a second of A lasts ``speed`` seconds, and compares both at the lower of their rates."""
    count = round(_PIECE_S * _FINE_RATE)
    inner = audio.resample(a.samples, a.rate, _FINE_RATE)[:count]
    outer = _at_speed(audio.resample(b.samples, b.rate, _FINE_RATE), 0.0, speed)
    place, likeness = place_of(inner, outer)
    there_s = b.start_s + place / _FINE_RATE * speed
    rate = min(a.rate, b.rate)
    of_a = audio.resample(a.samples, a.rate, rate)
    lag = (there_s - b.start_s) * rate
    of_b = _at_speed(audio.resample(b.samples, b.rate, rate), lag, speed)[: of_a.size]
    of_a = of_a[: of_b.size]
    energy = float(np.dot(of_b, of_b))
    gain = float(np.dot(of_a, of_b)) / energy if energy else 0.0
    left, whole = audio.rms(of_a - gain * of_b), audio.rms(of_a)
    return Piece(
        at_s=a.start_s,
        there_s=there_s,
        likeness=abs(likeness),
        gain=gain,
        difference_db=gain_to_db(left / whole, _FLOOR_DB) if whole else 0.0,
        octaves_a_db=_octaves(of_a, rate),
        octaves_b_db=_octaves(gain * of_b, rate),
    )


def _at_speed(samples: np.ndarray, start: float, speed: float) -> np.ndarray:
    """The samples from a fractional position on, read so that a second of B lasts as long as that of A."""
    count = int((samples.size - 1 - start) / speed)
    return read_at(samples[None], start + speed * np.arange(count), min(1.0, 1 / speed))[0]


def _octaves(samples: np.ndarray, rate: int) -> dict[int, float]:
    power = np.square(np.abs(fft.rfft(samples * np.hanning(samples.size)))) * (8 / 3) * 2 / samples.size**2
    edges = np.array([_OCTAVES_HZ[0], *(centre * 2 for centre in _OCTAVES_HZ)]) / np.sqrt(2)
    bins = np.round(edges * samples.size / rate).astype(int)
    return {
        centre: gain_to_db(float(np.sqrt(power[low:high].sum())), _FLOOR_DB)
        for centre, (low, high) in zip(_OCTAVES_HZ, pairwise(bins.tolist()), strict=True)
        if high < power.size
    }
