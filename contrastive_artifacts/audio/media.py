"""Media files in, samples out: any of :data:`EXTENSIONS`, whole or in blocks, at the file's own rate.

Time is an integer sample index that counts decoded samples from the first one. A part that is read alone equals that
part of the whole, in every format.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..core.errors import AudioError, ParameterError
from .decoding import EXTENSIONS as EXTENSIONS
from .decoding import MAX_CHANNELS as MAX_CHANNELS
from .decoding import AudioInfo as AudioInfo
from .decoding import Source, open_source


def probe(path: str | Path) -> AudioInfo:
    """What the file says about its first audio stream; decodes no more than the first frame.

    Raises:
        AudioError: no such file, or nothing in it can be decoded as audio.
    """
    return open_source(Path(path)).info


def read(path: str | Path, start: int = 0, stop: int | None = None) -> tuple[np.ndarray, int]:
    """Samples ``[start, stop)`` of the first audio stream and the rate in Hz.

    Equals the same slice of the whole file in every format; a ``stop`` beyond the end means the end. Of a truncated or
    damaged file the decodable part is read; a packet that cannot be decoded counts with its length, as silence.

    Returns:
        float32 ``[C, stop - start]``, full scale 1.0 (float files may exceed it), and the native sample rate.

    Raises:
        AudioError: the file cannot be decoded, holds no sample in the range, or holds NaN or infinite values.
    """
    return _joined(open_source(Path(path)), start, stop)


def glimpse(path: str | Path, start: int, stop: int) -> tuple[np.ndarray, int]:
    """As :func:`read`, but at once wherever in a long film: to look and listen, not to measure.

    Lossy formats are sought by their time stamps instead of being decoded from the start. The samples can differ from
    those of :func:`read` as far as the codec remembers, and can lie off by what the time stamps are off (a codec frame
    in MPEG streams, more behind damage).

    Raises:
        AudioError: as :func:`read`.
    """
    return _joined(open_source(Path(path)), start, stop, by_time=True)


def _joined(source: Source, start: int, stop: int | None, by_time: bool = False) -> tuple[np.ndarray, int]:
    pieces = list(_window(source, start, stop, by_time))
    if not pieces:
        raise _nothing(source.info, start)
    waveform = np.ascontiguousarray(pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1))
    _require_finite(waveform, start, source.info.path)
    return waveform, source.info.sample_rate


class MediaFile:
    """An open file: what it says, and its samples. The first use of :meth:`blocks` does not open it again.

    Raises:
        AudioError: no such file, or nothing in it can be decoded as audio.
    """

    def __init__(self, path: str | Path) -> None:
        self._source = open_source(Path(path))

    @property
    def info(self) -> AudioInfo:
        return self._source.info

    def blocks(self, length: int, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """``(position, float32 [C, length])`` one after the other, the last one shorter; together :func:`read`.

        Memory stays flat however long the file is. Arguments are checked when the first block is asked for.

        Raises:
            AudioError: as :func:`read`; NaN is reported with the block where it stands.
            ParameterError: ``length`` is not positive, or the range is empty.
        """
        if length < 1:
            raise ParameterError(f"A block of {length} samples is too short; use a length of 1 or more.")
        held: list[np.ndarray] = []
        count, position = 0, start
        for piece in _window(self._source, start, stop):
            held.append(piece)
            count += piece.shape[1]
            if count < length:
                continue
            joined = np.concatenate(held, axis=1)
            whole = count - count % length
            for offset in range(0, whole, length):
                block = np.ascontiguousarray(joined[:, offset : offset + length])
                _require_finite(block, position, self.info.path)
                yield position, block
                position += length
            count -= whole
            held = [joined[:, whole:].copy()] if count else []
        if count:
            block = np.ascontiguousarray(np.concatenate(held, axis=1))
            _require_finite(block, position, self.info.path)
            yield position, block
        elif position == start:
            raise _nothing(self.info, start)


def blocks(path: str | Path, length: int, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
    """:meth:`MediaFile.blocks` of a file that is opened when the first block is asked for."""
    yield from MediaFile(path).blocks(length, start, stop)


def _window(source: Source, start: int, stop: int | None, by_time: bool = False) -> Iterator[np.ndarray]:
    if start < 0 or (stop is not None and stop <= start):
        raise ParameterError(f"The range [{start}, {stop}) is empty or negative; samples count from 0.")
    left = None if stop is None else stop - start
    for piece in source.chunks(start, by_time):
        if left is not None and piece.shape[1] >= left:
            yield piece[:, :left]
            return
        if left is not None:
            left -= piece.shape[1]
        yield piece


def _nothing(info: AudioInfo, start: int) -> AudioError:
    if start:
        return AudioError(f"{info.path} has no samples from {start} on; it says that it has {info.samples}.")
    return AudioError(f"{info.path} holds 0 samples; copy or export it again.")


def _require_finite(waveform: np.ndarray, position: int, path: Path) -> None:
    finite = np.isfinite(waveform)
    if finite.all():
        return
    first = int(np.argmin(finite.all(axis=0)))
    raise AudioError(
        f"{path} holds {finite.size - int(finite.sum())} NaN or infinite values, the first at sample "
        f"{position + first}; replace them (by 0 or by interpolation) and save it again."
    )
