"""Finds clips of the same recording, at any offset and level, also after lossy coding or resampling.

The encoder of this package is trained to ignore the content of a sound, so it cannot find copies. Candidates are
therefore nearest neighbours by level-independent statistics of a spectrogram of 32 bands. Each candidate pair is
confirmed by the cross-correlation of its whitened waveforms, which stays below .2 for independent sounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from scipy import fft

from ... import audio
from ...core.journal import Journal
from ...core.vectors import unit_rows
from .blocks import Blocks

RATE = 8000  # Hz at which clips are compared: a copy band-limited to 4 kHz still equals its original
LONGEST_S = 30.0  # from the beginning of a clip
_LEAST_S = 0.5  # of overlap, and a third of the shorter clip
_FRAME, _HOP = 256, 128  # 32 and 16 ms
_BANDS = 32
_TOP = 97  # upper bin of the bands, 3 kHz: a copy low-passed at 3.4 kHz stays close to its original
_BLOCK = 1024  # rows of the similarity matrix in memory
_FADE = 160  # samples, 20 ms
VERSION = 1  # of the similarity; stored ones of another version are computed again
_CACHED = 512  # whitened waveforms in memory while pairs are confirmed, at most 1 MB each


@dataclass(frozen=True)
class Pair:
    """Positions of two clips, and the correlation of their overlap, in [0, 1]."""

    first: int
    second: int
    similarity: float


def reduced(blocks: Blocks) -> np.ndarray:
    """float32 ``[T']``: the first 30 s of a clip, mixed to one channel, at 8 kHz."""
    return audio.resample(audio.downmix(blocks.head(LONGEST_S)), blocks.rate, RATE)


def content(low: np.ndarray) -> np.ndarray:
    """Spectral statistics of a :func:`reduced` waveform, independent of level and order in time: float32 ``[96]``.

    Mean, standard deviation and maximum over time of the level in dB in 32 bands from 60 Hz to 3 kHz, relative to the
    overall maximum and limited to 60 dB below it.
    """
    padded = np.pad(low, (0, max(0, _FRAME - low.size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP] * np.hanning(_FRAME).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(frames, axis=1)))
    edges = np.unique(np.round(np.geomspace(2, _TOP, _BANDS + 12)).astype(int))[-_BANDS - 1 :]
    bands = np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1)
    db = 10 * np.log10(bands + 1e-12)
    db = np.maximum(db - db.max(), -60.0)
    sounding = db[db.max(axis=1) > -55.0]
    return np.concatenate([sounding.mean(axis=0), sounding.std(axis=0), sounding.max(axis=0)]).astype(np.float32)


def candidates(vectors: np.ndarray, nearest: int = 5) -> Iterator[tuple[int, int]]:
    """Sorted pairs ``(i, j)``, i < j, of each row of ``[N, D]`` with its nearest rows by cosine, columns standardised.

    The similarity matrix is computed in blocks of 1024 rows; time grows with N squared (50,000 rows take a minute on
    one core).
    """
    scaled = vectors - vectors.mean(axis=0)
    scaled /= np.maximum(scaled.std(axis=0), 1e-3)
    scaled = unit_rows(scaled)
    pairs = set()
    for start in range(0, len(scaled), _BLOCK):
        cosine = scaled[start : start + _BLOCK] @ scaled.T
        rows = np.arange(len(cosine))
        cosine[rows, start + rows] = -np.inf
        count = min(nearest, len(scaled) - 1)
        for row, others in enumerate(np.argpartition(-cosine, count - 1, axis=1)[:, :count] if count else []):
            pairs |= {(min(start + row, int(other)), max(start + row, int(other))) for other in others}
    yield from sorted(pairs)


def whiten(low: np.ndarray) -> np.ndarray:
    """Divides the spectrum of a waveform ``[T]`` by its smoothed magnitude; RMS near 1, zeros for silence.

    Without whitening, low frequencies dominate the correlation, and they correlate by chance. Peaks are limited to 4
    times the RMS, so that one click in each of two clips does not make them similar.
    """
    steep = np.diff(low, prepend=low[:1])
    fade = min(_FADE, steep.size // 2)
    steep[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)  # a hard edge at either end would be a click
    steep[steep.size - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    size = fft.next_fast_len(2 * low.size, real=True)
    spectrum = fft.rfft(steep, size)
    magnitude = np.abs(spectrum)
    width = max(3, round(40.0 * size / RATE) | 1)  # 40 Hz
    sums = np.cumsum(np.pad(magnitude, (width // 2 + 1, width // 2), mode="reflect"), dtype=np.float64)
    smooth = (sums[width:] - sums[:-width])[: magnitude.size] / width
    white = fft.irfft(spectrum / np.maximum(smooth, 1e-3 * smooth.max() + 1e-12), size)[: low.size]
    level = float(np.sqrt(np.mean(np.square(white))))
    return np.clip(white / level, -4, 4).astype(np.float32) if level > 1e-9 else np.zeros_like(low)


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Largest absolute correlation coefficient of two whitened waveforms over all offsets, within their overlap.

    Offsets with an overlap of less than half a second, or of less than a third of the shorter waveform, are ignored.
    """
    if not (a.any() and b.any()):
        return 0.0
    size = fft.next_fast_len(a.size + b.size, real=True)
    cross = fft.irfft(fft.rfft(a, size) * np.conj(fft.rfft(b, size)), size)
    lags = np.arange(-(b.size - 1), a.size)  # a[t + lag] is compared with b[t]
    energy_a, energy_b = (np.concatenate([[0.0], np.cumsum(np.square(x, dtype=np.float64))]) for x in (a, b))
    start, stop = np.maximum(lags, 0), np.minimum(a.size, b.size + lags)
    shared = (energy_a[stop] - energy_a[start]) * (energy_b[stop - lags] - energy_b[start - lags])
    least = min(max(_LEAST_S * RATE, min(a.size, b.size) / 3), min(a.size, b.size))
    # An overlap in a silent part of a clip has no energy to compare.
    usable = (stop - start >= least) & (shared > 0.01 * energy_a[-1] * energy_b[-1])
    if not usable.any():
        return 0.0
    return float(min(1.0, (np.abs(cross[lags[usable]]) / np.sqrt(shared[usable])).max()))


class Similarities:
    """Similarities of pairs of clips that were compared before, by the hashes of their samples.

    Args:
        journal: Where they are stored; without one, only in memory.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        self._journal = journal
        entries = journal.entries if journal else []
        self._known = {tuple(e["pair"]): float(e["similarity"]) for e in entries if e["version"] == VERSION}

    def of(self, first: str, second: str, compute: Callable[[], float]) -> float:
        """The similarity of two clips, computed once."""
        pair = (min(first, second), max(first, second))
        if pair not in self._known:
            self._known[pair] = round(compute(), 6)
            if self._journal:
                self._journal.add({"pair": pair, "similarity": self._known[pair], "version": VERSION})
        return self._known[pair]


def find_pairs(
    hashes: Sequence[str],
    vectors: np.ndarray,
    load: Callable[[int], np.ndarray],
    least: float,
    known: Similarities | None = None,
    nearest: int = 5,
) -> list[Pair]:
    """Pairs of clips of the same recording.

    Args:
        hashes: Hash of the samples of each clip; clips with equal hashes are pairs with similarity 1.
        vectors: float32 ``[N, D]``, :func:`content` of each clip.
        load: Position -> :func:`reduced` waveform; called again if the whitened waveform is no longer in memory.
        least: Smallest similarity of a pair.
        known: Similarities from earlier searches, to which those of this one are added.
        nearest: Number of candidates per clip.
    """
    first: dict[str, int] = {}
    exact = {position: first.setdefault(digest, position) for position, digest in enumerate(hashes)}
    pairs = [Pair(other, position, 1.0) for position, other in exact.items() if other != position]
    single = np.array(sorted(first.values()))
    white = lru_cache(maxsize=_CACHED)(lambda position: whiten(load(position)))
    known = known or Similarities()
    for i, j in candidates(vectors[single], nearest):
        a, b = int(single[i]), int(single[j])
        correlation = known.of(hashes[a], hashes[b], partial(_compared, white, a, b))
        if correlation >= least:
            pairs.append(Pair(a, b, correlation))
    return pairs


def _compared(white: Callable[[int], np.ndarray], a: int, b: int) -> float:
    return similarity(white(a), white(b))


def originals(pairs: Sequence[Pair], worth: Sequence[float]) -> Mapping[int, Pair]:
    """The duplicates among the clips: position -> the pair that it forms with the clip to keep.

    Of a pair, the clip of higher worth is kept (the earlier one if equal). A clip that overlaps only with duplicates is
    not a duplicate itself: of three overlapping crops in a row, the outer two can be kept.
    """
    pairs_of: dict[int, list[Pair]] = {}
    for pair in pairs:
        pairs_of.setdefault(pair.first, []).append(pair)
        pairs_of.setdefault(pair.second, []).append(pair)
    duplicates: dict[int, Pair] = {}
    keep: set[int] = set()
    for position in sorted(pairs_of, key=lambda p: (-worth[p], p)):
        with_originals = [pair for pair in pairs_of[position] if (pair.first + pair.second - position) in keep]
        if with_originals:
            duplicates[position] = max(with_originals, key=lambda pair: pair.similarity)
        else:
            keep.add(position)
    return duplicates
