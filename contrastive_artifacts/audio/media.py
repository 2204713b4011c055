"""Reads media files of any of :data:`EXTENSIONS`, as a whole or in blocks, at the file's native sample rate.

Time is an integer sample index that counts decoded samples from the first one. A range that is read alone equals the
same range of the whole file, in every format.
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
    """Properties of the first audio stream; decodes at most the first frame.

    Raises:
        AudioError: no such file, or nothing in it can be decoded as audio.
    """
    return open_source(Path(path)).info


def read(path: str | Path, start: int = 0, stop: int | None = None) -> tuple[np.ndarray, int]:
    """Samples ``[start, stop)`` of the first audio stream and the rate in Hz.

    Equals the same slice of the whole file in every format; a ``stop`` beyond the end means the end. Of a truncated or
    damaged file the decodable part is read; a packet that cannot be decoded becomes silence of its length.

    Returns:
        float32 ``[C, stop - start]``, full scale 1.0 (float files may exceed it), and the native sample rate.

    Raises:
        AudioError: the file cannot be decoded, holds no sample in the range, or holds NaN or infinite values.
    """
    return _joined(open_source(Path(path)), start, stop)


def glimpse(path: str | Path, start: int, stop: int) -> tuple[np.ndarray, int]:
    """As :func:`read`, but fast anywhere in a long film: for display and playback, not for measurements.

    In lossy formats the decoder seeks by time stamps instead of decoding from the start. The samples can differ from
    those of :func:`read` within the memory of the codec, and be shifted by the error of the time stamps (a codec frame
    in MPEG streams, more behind damage).

    Raises:
        AudioError: as :func:`read`.
    """
    return _joined(open_source(Path(path)), start, stop, by_time=True)


def _joined(source: Source, start: int, stop: int | None, by_time: bool = False) -> tuple[np.ndarray, int]:
    chunks = list(_range(source, start, stop, by_time))
    if not chunks:
        raise _nothing(source.info, start)
    waveform = np.ascontiguousarray(chunks[0] if len(chunks) == 1 else np.concatenate(chunks, axis=1))
    _require_finite(waveform, start, source.info.path)
    return waveform, source.info.sample_rate


class MediaFile:
    """An open file: its properties and its samples. The first use of :meth:`blocks` does not open it again.

    Raises:
        AudioError: no such file, or nothing in it can be decoded as audio.
    """

    def __init__(self, path: str | Path) -> None:
        self._source = open_source(Path(path))

    @property
    def info(self) -> AudioInfo:
        return self._source.info

    def blocks(self, length: int, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Consecutive blocks ``(position, float32 [C, length])``, the last one shorter; joined they equal :func:`read`.

        Memory does not grow with the length of the file. Arguments are checked when the first block is requested.

        Raises:
            AudioError: as :func:`read`; NaN is reported when its block is reached.
            ParameterError: ``length`` is not positive, or the range is empty.
        """
        if length < 1:
            raise ParameterError(f"A block of {length} samples is too short; use a length of 1 or more.")
        pending: list[np.ndarray] = []  # chunks of `count` samples together that are not a block yet
        count, position = 0, start
        for chunk in _range(self._source, start, stop):
            pending.append(chunk)
            count += chunk.shape[1]
            if count < length:
                continue
            joined = np.concatenate(pending, axis=1)
            whole = count - count % length
            for offset in range(0, whole, length):
                block = np.ascontiguousarray(joined[:, offset : offset + length])
                _require_finite(block, position, self.info.path)
                yield position, block
                position += length
            count -= whole
            pending = [joined[:, whole:].copy()] if count else []
        if count:
            block = np.ascontiguousarray(np.concatenate(pending, axis=1))
            _require_finite(block, position, self.info.path)
            yield position, block
        elif position == start:
            raise _nothing(self.info, start)


def blocks(path: str | Path, length: int, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
    """:meth:`MediaFile.blocks` of a file that is opened when the first block is requested."""
    yield from MediaFile(path).blocks(length, start, stop)


def _range(source: Source, start: int, stop: int | None, by_time: bool = False) -> Iterator[np.ndarray]:
    """Chunks of the samples ``[start, stop)``."""
    if start < 0 or (stop is not None and stop <= start):
        raise ParameterError(f"The range [{start}, {stop}) is empty or negative; samples count from 0.")
    remaining = None if stop is None else stop - start
    for chunk in source.chunks(start, by_time):
        if remaining is not None and chunk.shape[1] >= remaining:
            yield chunk[:, :remaining]
            return
        if remaining is not None:
            remaining -= chunk.shape[1]
        yield chunk


def _nothing(info: AudioInfo, start: int) -> AudioError:
    if start:
        return AudioError(f"{info.path} has no samples from {start} on; its stated length is {info.samples}.")
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
