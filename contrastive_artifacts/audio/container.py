"""Files read by FFmpeg's libraries: films, and every format that libsndfile does not support."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Discard

from ..core.errors import AudioError
from .clock import Clock, of_container
from .demuxing import choose_stream, language_of, open_container
from .frames import Uniform
from .info import CHUNK, RUN_UP_S, AudioInfo, Span, Stream, plausible, warn_of_length

_AHEAD = 8  # frames behind a gap whose time stamps are compared
_LENGTH_TOLERANCE_S = 0.25  # containers count whole codec frames, and delay and padding of the encoder
# Containers whose headers state the length of a stream; others (MPEG, ADTS) leave it to be estimated.
_STATES_LENGTH = ("mov,mp4,m4a,3gp,3g2,mj2", "avi", "asf", "wav", "w64", "aiff", "caf", "flac", "tta", "wv", "mxf")
_Frame = av.AudioFrame | int  # an integer is a number of samples that could not be decoded


class ContainerSource:
    """An open file; see :class:`~.decoding.Source`.

    Args:
        path: The file.
        stream: See :func:`~.decoding.open_source`.
        warn: Log a warning if the stated length turns out wrong.

    Raises:
        AudioError: it holds no audio that can be decoded, is a playlist, or has no such stream.
    """

    def __init__(self, path: Path, stream: Stream = None, warn: bool = True) -> None:
        self.gaps: tuple[Span, ...] = ()
        self._stream, self._warned = stream, not warn
        with ExitStack() as stack:
            container = stack.enter_context(open_container(path))
            audio = choose_stream(path, container, stream)
            frames = _frames(container, audio)
            decoded = _first(path, frames)
            lost, first = sum(decoded[:-1]), decoded[-1]
            rate = first.sample_rate  # the stream states half of it for HE-AAC
            self._clock, self._begin = of_container(container, audio, first, lost)
            length, stated = _length(container, audio, rate, self._begin)
            self._stated = length if stated else None
            self.info = AudioInfo(
                path=path,
                sample_rate=rate,
                channels=len(first.layout.channels),
                samples=length,
                codec=audio.codec_context.name,
                container=container.format.name,
                stream=container.streams.audio.index(audio),
                streams=len(container.streams.audio),
                language=language_of(audio),
                title=audio.metadata.get("title"),
            )
            self._unread: tuple[av.container.InputContainer, Iterator[_Frame]] | None
            self._unread = container, chain(decoded, frames)
            stack.pop_all()  # it stays open

    def chunks(self, start: int, by_time: bool = False) -> Iterator[np.ndarray]:
        self.gaps = ()
        unread, self._unread = self._unread, None
        if unread is None or by_time:
            container = open_container(self.info.path)
            frames = _frames(container, choose_stream(self.info.path, container, self._stream))
        else:
            container, frames = unread
        with container:
            sought = by_time and self._seek(container, start)
            position: int | None = None
            for position, chunk in self._timed(frames, sought, start):
                if position < 0:  # the seek led nowhere: count from the beginning
                    yield from self.chunks(start)
                    return
                skip = max(start - position, 0)
                position += chunk.shape[1]
                if skip < chunk.shape[1]:
                    yield chunk[:, skip:]
        if not sought and position is not None and self._stated is not None and not self._warned:
            self._warned = True
            warn_of_length(self.info, self._stated, position, round(_LENGTH_TOLERANCE_S * self.info.sample_rate))

    def _timed(self, frames: Iterator[_Frame], sought: bool, start: int) -> Iterator[tuple[int, np.ndarray]]:
        """Position and samples of frames, and of the silence between them.

        After a seek, position -1 says that the first frame has no reliable time stamp or lies behind ``start``.
        """
        clock, uniform = self._clock.again(), Uniform(self.info.sample_rate)
        position, lost, first, damaged = 0, 0, True, False
        queue: deque[_Frame] = deque()
        while (frame := queue.popleft() if queue else next(frames, None)) is not None:
            if isinstance(frame, int):
                lost, damaged = lost + frame, True
                clock.skip(frame)
                continue
            time, length = clock.time(frame.pts), frame.samples
            if frame.sample_rate != self.info.sample_rate:
                length = round(length * self.info.sample_rate / frame.sample_rate)
            late = clock.silence(position + lost, time, length)
            if late:
                queue.extend(islice(frames, _AHEAD - len(queue)))
                late = clock.corrected(late, length, [_stamp(clock, item) for item in queue])
            if not first:
                silence = lost + late  # only here: damage at the very end of a file adds no samples
            elif not sought:
                silence = self._begin
            else:
                # Behind a partial packet, the time stamp may be that of the packet.
                silence, position = 0, -1 if time is None or damaged else clock.position(time)
                if not 0 <= position <= start:
                    yield -1, np.zeros((self.info.channels, 0), np.float32)
                    return
            first, lost = False, 0
            if silence:
                self._add_gap(position, position + silence)
            while silence:
                piece = min(silence, CHUNK)
                yield position, np.zeros((self.info.channels, piece), np.float32)
                position, silence = position + piece, silence - piece
            for chunk in uniform(frame):
                yield position, chunk
                position += chunk.shape[1]

    def _add_gap(self, start: int, stop: int) -> None:
        if self.gaps and self.gaps[-1][1] == start:
            start = self.gaps[-1][0]
            self.gaps = self.gaps[:-1]
        self.gaps = (*self.gaps, (start, stop))

    def _seek(self, container: av.container.InputContainer, start: int) -> bool:
        """Moves to at least a run-up before sample ``start``; False if the container is still at its beginning."""
        if start <= round(RUN_UP_S * self.info.sample_rate):
            return False
        audio = choose_stream(self.info.path, container, self._stream)
        tick = audio.time_base or Fraction(1, self.info.sample_rate)
        try:
            container.seek(int((self._clock.seconds(start) - Fraction(RUN_UP_S)) / tick), stream=audio)
        except av.FFmpegError:
            return False
        return True


def _frames(container: av.container.InputContainer, audio: av.AudioStream) -> Iterator[_Frame]:
    """Frames of one audio stream."""
    for stream in container.streams:
        if stream.index != audio.index:
            stream.discard = Discard.all
    packets = container.demux(audio)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (av.FFmpegError, IndexError):  # IndexError: a damaged file that seems to have further streams
            return  # truncated or damaged: the frames so far are valid
        try:
            frames = packet.decode()
        except av.FFmpegError:
            rate = audio.codec_context.sample_rate
            yield round(packet.duration * packet.time_base * rate) if packet.duration and packet.time_base else 0
            continue
        yield from frames


def _stamp(clock: Clock, frame: _Frame) -> tuple[int | None, int]:
    """Time stamp and length of a frame in samples."""
    return (None, frame) if isinstance(frame, int) else (clock.time(frame.pts), frame.samples)


def _first(path: Path, frames: Iterator[_Frame]) -> list[Any]:
    """The frames up to the first one that can be decoded."""
    decoded: list[_Frame] = []
    for frame in frames:
        decoded.append(frame)
        if not isinstance(frame, int):
            return decoded
    raise AudioError(f"{path}: not one sample of its audio stream can be decoded; copy or export it again.")


def _length(
    container: av.container.InputContainer, audio: av.AudioStream, rate: int, begin: int
) -> tuple[int | None, bool]:
    """Length in samples, with the silence before the stream, and whether a header states it."""
    whole = round(Fraction(container.duration, av.time_base) * rate) if container.duration else None
    if audio.duration and audio.time_base:
        length = begin + round(audio.duration * audio.time_base * rate)
        return plausible(length), container.format.name in _STATES_LENGTH
    alone = len(container.streams) == 1 and container.format.name == "matroska,webm"
    return None if whole is None else plausible(whole), alone
