"""Reads media files of any of :data:`EXTENSIONS`, as a whole or in blocks, at the file's native sample rate.

Time is an integer sample index that follows the clock of a player: sample index / sample rate is the time at which a
player plays the sample, counted from the start of the file. Where the audio of a film starts later than the picture and
where packets were lost, silence takes the place of the missing samples (:attr:`MediaFile.gaps`). Time stamps that
deviate by less than 50 ms or a codec frame are taken for jitter and ignored. A jump back is taken for a restart of the
clock, and so is one of more than 10 s forward in a transport or program stream. A range that is read alone equals the
same range of the whole file, in every format.

Everything that can be decoded is read. Where a header states another length, a warning is logged with both.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np

from ..core.errors import AudioError, ParameterError
from ..core.location import location
from .decoding import EXTENSIONS as EXTENSIONS
from .decoding import Source, open_source
from .info import MAX_CHANNELS as MAX_CHANNELS
from .info import AudioInfo as AudioInfo
from .info import Span, reader_errors
from .info import Stream as Stream
from .waveform import unusable

_log = logging.getLogger("contrastive_artifacts")
_RUN_GAP_S = 0.1  # a shorter gap does not end a run of data


def probe(path: str | Path, stream: Stream = None) -> AudioInfo:
    """Properties of an audio stream; decodes at most the first frame.

    Args:
        path: The file, or its address on another file system (:func:`.location.location`).
        stream: See :func:`read`.

    Raises:
        AudioError: no such file or stream, or nothing in it can be decoded as audio.
    """
    return open_source(location(path), stream).info


def check_streams(stream: Stream, streams: str) -> None:
    """Raises ParameterError where ``streams`` is neither "one" nor "all", or "all" together with a ``stream``."""
    if streams not in ("one", "all") or (streams == "all" and stream is not None):
        raise ParameterError(f"stream={stream!r}, streams={streams!r}: give either stream=INDEX or streams=all.")


def chosen(path: str | Path, stream: Stream = None, streams: str = "one") -> list[AudioInfo]:
    """The audio streams of a file that a user wants: their properties, with their indexes.

    Args:
        path: The file.
        stream: See :func:`read`.
        streams: "one", or "all" for each audio stream; one that cannot be decoded is left out with a warning.

    Raises:
        AudioError: as :func:`probe`.
        ParameterError: as :func:`check_streams`.
    """
    check_streams(stream, streams)
    first = probe(path, stream)
    if streams == "one":
        return [first]
    infos = []
    for index in range(first.streams):
        try:
            infos.append(first if index == first.stream else probe(path, index))
        except AudioError as error:
            _log.warning("%s: audio stream %d is left out: %s", path, index, error)
    return infos


def read(path: str | Path, start: int = 0, stop: int | None = None, stream: Stream = None) -> tuple[np.ndarray, int]:
    """Samples ``[start, stop)`` of an audio stream and the rate in Hz.

    Equals the same slice of the whole file in every format; a ``stop`` beyond the end means the end. Of a truncated or
    damaged file the decodable part is read; a packet that cannot be decoded becomes silence of its length.

    Args:
        path: The file.
        start, stop: Range of samples.
        stream: Index among the audio streams of the file, or a language tag ("eng"); by default the stream marked as
            default, else the first.

    Returns:
        float32 ``[C, stop - start]``, full scale 1.0 (float files may exceed it), and the native sample rate.

    Raises:
        AudioError: the file cannot be decoded, holds no sample in the range, or holds NaN or infinite values.
    """
    return _joined(open_source(location(path), stream), start, stop)


def glimpse(path: str | Path, start: int, stop: int, stream: Stream = None) -> tuple[np.ndarray, int]:
    """As :func:`read`, but fast anywhere in a long film: for display and playback, not for measurements.

    In lossy formats the decoder seeks by time stamps instead of decoding from the start. The samples can differ from
    those of :func:`read` within the memory of the codec, and be shifted by the error of the time stamps (up to 50 ms or
    a codec frame; more where several recordings were joined in one MPEG stream).

    Raises:
        AudioError: as :func:`read`.
    """
    return _joined(open_source(location(path), stream), start, stop, by_time=True)


def _joined(source: Source, start: int, stop: int | None, by_time: bool = False) -> tuple[np.ndarray, int]:
    with reader_errors(source.info.path):
        chunks = list(_range(source, start, stop, by_time))
        if not chunks:
            raise _nothing(source.info, start)
        waveform = np.ascontiguousarray(chunks[0] if len(chunks) == 1 else np.concatenate(chunks, axis=1))
        _require_audio(waveform, start, source.info.path)
        return waveform, source.info.sample_rate


class MediaFile:
    """An open file: its properties and its samples. The first use of :meth:`blocks` does not open it again.

    Args:
        path: The file.
        stream: See :func:`read`.

    Raises:
        AudioError: no such file or stream, or nothing in it can be decoded as audio.
    """

    def __init__(self, path: str | Path, stream: Stream = None) -> None:
        self._source = open_source(location(path), stream)

    @property
    def info(self) -> AudioInfo:
        return self._source.info

    @property
    def gaps(self) -> tuple[Span, ...]:
        """Ranges ``[start, stop)`` without data, filled with silence, as far as :meth:`blocks` has come.

        The time before the audio starts, lost packets, and packets that cannot be decoded.
        """
        return self._source.gaps

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
                _require_audio(block, position, self.info.path)
                yield position, block
                position += length
            count -= whole
            pending = [joined[:, whole:].copy()] if count else []
        if count:
            block = np.ascontiguousarray(np.concatenate(pending, axis=1))
            _require_audio(block, position, self.info.path)
            yield position, block
        elif position == start:
            raise _nothing(self.info, start)

    def runs(self, length: int) -> Iterator[Iterator[tuple[int, np.ndarray]]]:
        """The blocks of each run of data between :attr:`gaps`, as iterators to be used one after the other.

        Gaps shorter than 0.1 s, such as single lost packets, do not end a run. A file without longer gaps is one run,
        whose blocks are those of :meth:`blocks`.

        Raises:
            AudioError, ParameterError: as :meth:`blocks`.
        """
        for _, parts in groupby(self._parts(length), key=itemgetter(0)):
            yield ((position, block) for _, position, block in parts)

    def _parts(self, length: int) -> Iterator[tuple[int, int, np.ndarray]]:
        """Number of the run, position and samples of each part of a block that lies between gaps."""
        shortest = round(_RUN_GAP_S * self.info.sample_rate)
        for position, block in self.blocks(length):
            gaps = [gap for gap in self.gaps if gap[1] - gap[0] >= shortest]
            start, stop = position, position + block.shape[1]
            first = bisect_right(gaps, start, key=itemgetter(1))  # of the gaps that end after the start
            for number in range(first, len(gaps)):
                gap_start, gap_stop = gaps[number]
                if gap_start >= stop:
                    break
                if gap_start > start:
                    yield number, start, block[:, start - position : gap_start - position]
                start = min(gap_stop, stop)
            if start < stop:
                number = bisect_right(gaps, start, key=itemgetter(1))
                yield number, start, block[:, start - position :]


def blocks(
    path: str | Path, length: int, start: int = 0, stop: int | None = None, stream: Stream = None
) -> Iterator[tuple[int, np.ndarray]]:
    """:meth:`MediaFile.blocks` of a file that is opened when the first block is requested."""
    yield from MediaFile(path, stream).blocks(length, start, stop)


def _range(source: Source, start: int, stop: int | None, by_time: bool = False) -> Iterator[np.ndarray]:
    """Chunks of the samples ``[start, stop)``."""
    if start < 0 or (stop is not None and stop <= start):
        raise ParameterError(f"The range [{start}, {stop}) is empty or negative; samples count from 0.")
    remaining = None if stop is None else stop - start
    with reader_errors(source.info.path):
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


def _require_audio(waveform: np.ndarray, position: int, path: Path) -> None:
    fault = unusable(waveform, position)
    if fault:
        raise AudioError(f"{path} holds {fault}; replace them (by 0 or by interpolation) and save it again.")
