"""The waveform and the spectrogram of a whole recording, coarse enough for a page, in one pass over its blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from .. import audio

_HOP_S = 0.01  # of the finest waveform column; a spectrogram column is _FRAME of them
_FRAME = 5
_MOST_COLUMNS = 1 << 16  # of the waveform: 3 hours in columns of .16 s; there are half as many at least
_MOST_FRAMES = 1 << 13  # of the spectrogram
_BANDS = 64
_LOWEST_HZ = 40.0
_RANGE_DB = 90.0


@dataclass(frozen=True)
class Overview:
    """Waveform and spectrogram of a recording, over all of its channels.

    Attributes:
        hop: Samples of a column of the waveform; the last column may be shorter.
        peak: Largest absolute sample; 1.0 is full scale.
        low, high: int8 of each column: its least and largest sample, of which ``peak`` is 127.
        frame: Samples of a column of the spectrogram.
        bands: Number of its bands, logarithmic from ``lowest_hz`` to ``highest_hz``.
        levels: uint8 ``[bands, columns]``, the highest band first: 255 for a full-scale sine, 0 for 90 dB below it.
        lowest_hz, highest_hz: Ends of the frequency axis.
    """

    hop: int
    peak: float
    low: bytes
    high: bytes
    frame: int
    bands: int
    levels: bytes
    lowest_hz: float
    highest_hz: float


class OverviewMeter:
    """Takes a recording of any length block by block; memory does not grow with it, the columns do.

    Args:
        sample_rate: Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._hop = max(1, round(_HOP_S * sample_rate))
        self._frame = _FRAME * self._hop
        self._window = np.hanning(self._frame + 1)[:-1].astype(np.float32)
        self._lowest, self._highest = min(_LOWEST_HZ, sample_rate / 4), sample_rate / 2
        edges = np.geomspace(self._lowest, self._highest, _BANDS + 1) * self._frame / sample_rate
        self._bins = np.minimum(np.floor(edges[:-1]).astype(int), self._frame // 2)
        self._low, self._high = _Columns(np.min, _MOST_COLUMNS), _Columns(np.max, _MOST_COLUMNS)
        self._power = _Columns(np.mean, _MOST_FRAMES)
        self._rest: np.ndarray | None = None  # samples of the frame that is not complete
        self._position = 0

    def watch(self, blocks: Iterable[tuple[int, np.ndarray]]) -> Iterator[tuple[int, np.ndarray]]:
        """Passes blocks ``(position, [C, n])`` on and takes them on the way; what is missing before one is silent."""
        for position, block in blocks:
            while self._position < position:
                self.add(np.zeros((len(block), min(1 << 20, position - self._position)), np.float32))
            self.add(block)
            yield position, block

    def add(self, block: np.ndarray) -> None:
        """Takes the next samples ``[C, n]``."""
        self._position += block.shape[1]
        samples = block if self._rest is None else np.concatenate([self._rest, block], axis=1)
        whole = samples.shape[1] - samples.shape[1] % self._frame
        self._rest = samples[:, whole:].copy()
        if whole:
            self._measure(samples[:, :whole])

    def overview(self) -> Overview:
        """The overview of what was given, once at its end.

        Raises:
            ValueError: no sample was given.
        """
        if self._rest is None:
            raise ValueError("There is no overview of no samples.")
        if rest := self._rest.shape[1]:
            self._measure(np.pad(self._rest, ((0, 0), (0, self._frame - rest))))
        count = -(-self._position // (self._hop * self._low.step))
        low, high = self._low.columns()[:count], self._high.columns()[:count]
        peak = float(max(high.max(), -low.min()))
        scale = 127 / peak if peak > 0 else 0.0
        frames = -(-self._position // (self._frame * self._power.step))
        levels = 255 * (1 + 10 * np.log10(self._power.columns()[:frames] + 1e-15) / _RANGE_DB)
        return Overview(
            hop=self._hop * self._low.step,
            peak=peak,
            low=np.rint(low * scale).astype(np.int8).tobytes(),
            high=np.rint(high * scale).astype(np.int8).tobytes(),
            frame=self._frame * self._power.step,
            bands=_BANDS,
            levels=np.ascontiguousarray(np.clip(levels, 0, 255).astype(np.uint8).T[::-1]).tobytes(),
            lowest_hz=self._lowest,
            highest_hz=self._highest,
        )

    def _measure(self, samples: np.ndarray) -> None:
        """Takes whole frames ``[C, n * frame]``. Powers of channels are averaged: of inverted ones nothing is lost."""
        columns = samples.reshape(len(samples), -1, self._hop)
        self._low.add(columns.min(axis=(0, 2)))
        self._high.add(columns.max(axis=(0, 2)))
        frames = samples.reshape(len(samples), -1, self._frame)
        spectrum = np.fft.rfft(frames * self._window, axis=2)
        power = np.square(np.abs(spectrum)).mean(axis=0) * (2 / float(self._window.sum())) ** 2
        bands = np.stack([power[:, a : max(a + 1, b)].max(axis=1) for a, b in self._ranges(power.shape[1])], axis=1)
        self._power.add(bands)

    def _ranges(self, bins: int) -> Iterator[tuple[int, int]]:
        yield from zip(self._bins, [*self._bins[1:], bins], strict=True)


class _Columns:
    """Columns ``[n, ...]`` of which neighbours are joined whenever there are ``most`` of them.

    Args:
        join: Reduces the columns of a group along an axis.
        most: Even number.
    """

    def __init__(self, join: Callable[..., np.ndarray], most: int) -> None:
        self._join, self._most = join, most
        self.step = 1  # columns as they were given that one holds
        self._parts: list[np.ndarray] = []
        self._count = 0
        self._rest: np.ndarray | None = None

    def add(self, values: np.ndarray) -> None:
        """Takes the next columns."""
        values = values if self._rest is None else np.concatenate([self._rest, values])
        whole = len(values) - len(values) % self.step
        self._rest = values[whole:]
        if whole:
            self._parts.append(self._grouped(values[:whole], self.step))
            self._count += whole // self.step
        while self._count >= self._most:
            self._halve()

    def columns(self) -> np.ndarray:
        """All columns; the last one may hold less than the others."""
        rest = [] if self._rest is None or not len(self._rest) else [self._join(self._rest, axis=0)[None]]
        return np.concatenate([*self._parts, *rest])

    def _halve(self) -> None:
        joined = np.concatenate(self._parts)
        even = len(joined) - len(joined) % 2
        assert self._rest is not None
        # A column without a neighbour waits with the rest: as often as it holds columns, so that means are as before.
        self._rest = np.concatenate([np.repeat(joined[even:], self.step, axis=0), self._rest])
        self._parts, self._count = [self._grouped(joined[:even], 2)], even // 2
        self.step *= 2

    def _grouped(self, values: np.ndarray, size: int) -> np.ndarray:
        return self._join(values.reshape(-1, size, *values.shape[1:]), axis=1)


def joined_columns(low: bytes, high: bytes, most: int) -> tuple[bytes, bytes]:
    """The waveform of an :class:`Overview` in at most that many columns."""
    least, largest = np.frombuffer(low, np.int8), np.frombuffer(high, np.int8)
    if not least.size:
        return low, high
    starts = np.unique(np.linspace(0, least.size, most, endpoint=False).astype(int))
    return np.minimum.reduceat(least, starts).tobytes(), np.maximum.reduceat(largest, starts).tobytes()


def peak_dbfs(overview: Overview) -> float:
    """Level of the largest sample in dBFS, -160 or more."""
    return audio.gain_to_db(overview.peak, floor_db=-160.0)
