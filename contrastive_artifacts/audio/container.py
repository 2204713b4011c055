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
from av.stream import Discard, Disposition

from ..core.errors import AudioError
from .clock import Clock, of_container
from .headers import FilePart
from .info import AudioInfo, Span, Stream, plausible, warn_of_length

_CHUNK = 1 << 18  # samples of silence yielded in one step
_RUN_UP_S = 1.0  # decoded and discarded before a position that was reached by seeking: codecs have memory
_AHEAD = 8  # frames behind a gap whose time stamps are compared
_LENGTH_TOLERANCE_S = 0.25  # containers count whole codec frames, and delay and padding of the encoder
# Containers whose headers state the length of a stream; others (MPEG, ADTS) leave it to be estimated.
_STATES_LENGTH = ("mov,mp4,m4a,3gp,3g2,mj2", "avi", "asf", "wav", "w64", "aiff", "caf", "flac", "tta", "wv", "mxf")
# The demuxers that may be used: none that opens other files, as those of playlists do.
_DEMUXERS = (
    *("aac", "ac3", "aiff", "amr", "amrnb", "amrwb", "ape", "asf", "ast", "au", "avi", "caf", "dsf", "dts", "dtshd"),
    *("dv", "eac3", "ea", "f4v", "flac", "flv", "gsm", "gxf", "iff", "ircam", "ivf", "kux", "loas", "lxf", "matroska"),
    *("mlp", "mov", "mp3", "mpc", "mpc8", "mpeg", "mpegts", "mxf", "nistsphere", "nsv", "nut", "ogg", "oma", "paf"),
    *("qcp", "rm", "roq", "shn", "smjpeg", "smk", "sol", "sox", "swf", "tak", "truehd", "tta", "ty", "vivo", "voc"),
    *("w64", "wav", "webm", "wsd", "wtv", "wv", "xa", "xwma", "bink", "thp", "film_cpk", "avr", "svx", "wve"),
)
_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"v=0")  # how they begin, for the message
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
            container = stack.enter_context(_open(path))
            audio = _choose(path, container, stream)
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
                language=_language(audio),
                title=audio.metadata.get("title"),
            )
            self._unread: tuple[av.container.InputContainer, Iterator[_Frame]] | None
            self._unread = container, chain(decoded, frames)
            stack.pop_all()  # it stays open

    def chunks(self, start: int, by_time: bool = False) -> Iterator[np.ndarray]:
        self.gaps = ()
        unread, self._unread = self._unread, None
        if unread is None or by_time:
            container = _open(self.info.path)
            frames = _frames(container, _choose(self.info.path, container, self._stream))
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
                piece = min(silence, _CHUNK)
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
        if start <= round(_RUN_UP_S * self.info.sample_rate):
            return False
        audio = _choose(self.info.path, container, self._stream)
        tick = audio.time_base or Fraction(1, self.info.sample_rate)
        try:
            container.seek(int((self._clock.seconds(start) - Fraction(_RUN_UP_S)) / tick), stream=audio)
        except av.FFmpegError:
            return False
        return True


class Uniform:
    """Converts frames to float32 ``[C, n]``, all at one sample rate and the channel layout of the first frame."""

    def __init__(self, sample_rate: int, layout: av.AudioLayout | None = None) -> None:
        self._rate = sample_rate
        self._layout = layout
        self._converter: av.AudioResampler | None = None
        self._kind: tuple[str, str, int] | None = None

    def __call__(self, frame: av.AudioFrame) -> list[np.ndarray]:
        if self._layout is None:
            self._layout = frame.layout
        if frame.sample_rate == self._rate and frame.layout.name == self._layout.name:
            return [_to_float(frame)] if frame.samples else []
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._converter is None or kind != self._kind:
            self._converter = av.AudioResampler(format="fltp", layout=self._layout, rate=self._rate)
            self._kind = kind
        frame.pts = None  # with time stamps the converter would insert or remove samples
        return [_to_float(part) for part in self._converter.resample(frame) if part.samples]


def packet_samples(path: Path, sample_rate: int) -> int:
    """Length of all packets of the first audio stream in samples, without decoding; 0 if it cannot be read."""
    ticks = 0
    try:
        with _open(path) as container:
            audio = container.streams.audio[0]
            for packet in container.demux(audio):
                ticks += packet.duration or 0
            return round(ticks * (audio.time_base or 0) * sample_rate)
    except (av.FFmpegError, IndexError):
        return 0


def holds_after(path: Path, position: int, sample_rate: int) -> bool:
    """Whether a packet of the first audio stream ends after sample ``position``, by its time stamp."""
    try:
        with _open(path) as container:
            audio = container.streams.audio[0]
            tick = audio.time_base or Fraction(1, sample_rate)
            begin = Fraction(position, sample_rate) - Fraction(_RUN_UP_S)
            if begin > 0:
                container.seek(int(begin / tick), stream=audio)
            for packet in container.demux(audio):
                if packet.pts is not None and (packet.pts + (packet.duration or 0)) * tick * sample_rate > position:
                    return True
    except (av.FFmpegError, IndexError):
        pass
    return False


def _to_float(frame: av.AudioFrame) -> np.ndarray:
    if frame.format.name in ("s64", "s64p"):  # no numpy conversion in PyAV
        frame = av.AudioResampler(format="dblp", layout=frame.layout, rate=frame.sample_rate).resample(frame)[0]
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, len(frame.layout.channels)).T
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):  # beyond float32: becomes infinite, which the caller reports with its position
            return samples.astype(np.float32)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128.0) / 128.0
    return samples.astype(np.float32) / np.float32(2.0 ** (8 * samples.dtype.itemsize - 1))


def _open(path: Path) -> av.container.InputContainer:
    """Opens a container; nothing that it refers to is opened."""
    name = str(path.absolute())  # absolute, so that no name is taken for a protocol
    options = {"protocol_whitelist": "file", "format_whitelist": ",".join(_DEMUXERS)}
    file: str | FilePart = name
    try:
        name.encode()
    except UnicodeEncodeError:  # a name of other bytes than UTF-8, which PyAV cannot pass on
        file = FilePart(path, 0, path.stat().st_size)
    try:
        return av.open(file, "r", options=options, metadata_errors="replace")
    except av.FFmpegError:
        with path.open("rb") as opened:
            head = opened.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n")
        if head.startswith(_PLAYLISTS) or b"<MPD" in head:
            raise AudioError(f"{path} is a playlist, not media: it only names other files; name those.") from None
        raise


def _choose(path: Path, container: av.container.InputContainer, stream: Stream) -> av.AudioStream:
    """The audio stream of an index or a language; by default the first one marked as default, else the first."""
    streams = container.streams.audio
    if not streams:
        raise AudioError(f"{path} has no audio stream; name a file with sound.")
    if stream is None:
        usable = [s for s in streams if s.codec_context is not None] or streams
        chosen = [s for s in usable if s.disposition & Disposition.default] or [*usable]
    elif isinstance(stream, str):
        chosen = [s for s in streams if (_language(s) or "").lower() == stream.lower()]
    else:
        chosen = list(streams[stream : stream + 1]) if stream >= 0 else []
    if not chosen:
        known = ", ".join(f"{i} ({_language(s) or 'no language'})" for i, s in enumerate(streams))
        raise AudioError(f"{path} has no audio stream {stream!r}; it has {known}.")
    if chosen[0].codec_context is None:
        raise AudioError(f"{path}: there is no decoder for its audio stream; convert it to wav or flac.")
    return chosen[0]


def _language(stream: av.AudioStream) -> str | None:
    return None if stream.language in (None, "", "und") else stream.language


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
