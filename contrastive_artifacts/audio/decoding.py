"""Decoders: libsndfile for wave, FLAC, Ogg and MP3, FFmpeg's libraries for everything else.

Both give the properties of a file (:class:`AudioInfo`) and its samples from a position on. In wave and FLAC files the
decoder seeks to the position; everything else is decoded from its start, because a decoder of a lossy format that
starts in the middle gives different samples (and MPEG program streams do not support seeking). For a quick look into a
long film, seeking by time stamps is available.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Protocol

import av
import numpy as np
import soundfile
from av.stream import Discard

from ..core.errors import AudioError

MAX_CHANNELS = 8
SOUND_EXTENSIONS = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64"})
EXTENSIONS = SOUND_EXTENSIONS | {
    *(".m4a", ".aac", ".ac3", ".mp2", ".mka", ".wma"),
    *(".mp4", ".m4v", ".mkv", ".webm", ".mov", ".avi", ".mpg", ".mpeg", ".vob", ".ts", ".m2ts", ".mts", ".flv"),
}
_CHUNK = 1 << 18  # largest number of samples decoded in one step: bounds the memory of blocks()
_EXACT_SEEK = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW")  # libsndfile subtypes without a decoder state
_RUN_UP_S = 1.0  # decoded and discarded before a position that was reached by seeking: codecs have memory
_UNKNOWN_LENGTH = 1 << 60  # libsndfile states lengths beyond this for streams that state none


@dataclass(frozen=True)
class AudioInfo:
    """Properties of the first audio stream of a file.

    Args:
        path: The file.
        sample_rate: Hz, as decoded.
        channels: 1 to 8.
        samples: Length per channel, or ``None`` if the container does not state it. The stated length (mp4, mkv, ...)
            can differ from the decoded length by a codec frame, by more in a truncated file.
        codec: Name of the codec ("pcm_16", "aac").
        container: Name of the container ("wav", "mov,mp4,m4a,3gp,3g2,mj2").
    """

    path: Path
    sample_rate: int
    channels: int
    samples: int | None
    codec: str
    container: str

    @property
    def duration_s(self) -> float | None:
        return None if self.samples is None else self.samples / self.sample_rate


_Frame = av.AudioFrame | int  # an integer is a number of samples that could not be decoded


class Source(Protocol):
    """An open file: its properties, and its samples from sample ``start`` on in chunks float32 ``[C, n]``, n >= 1.

    With ``by_time``, sample ``start`` is located by the time stamps of the file instead of by counting. The first call
    of ``chunks`` uses the file as it was opened for ``info``; further calls open it again.
    """

    info: AudioInfo

    def chunks(self, start: int, by_time: bool = False) -> Iterator[np.ndarray]: ...


def open_source(path: Path) -> Source:
    """Opens a file with the decoder that can read it.

    Raises:
        AudioError: no such file, or nothing in it can be decoded as audio.
    """
    if not path.exists():
        raise AudioError(f"{path} does not exist; check the path.")
    if not path.is_file():
        raise AudioError(f"{path} is not a file; name one audio or video file.")
    if path.stat().st_size == 0:
        raise AudioError(f"{path} is empty (0 bytes); copy or export it again.")
    if path.suffix.lower() in SOUND_EXTENSIONS:
        try:
            return _Sound(path)
        except soundfile.LibsndfileError:
            pass  # a codec or container that libsndfile does not support, perhaps under a wrong suffix
    return _Container(path)


class _Sound:
    """A file read by libsndfile."""

    def __init__(self, path: Path) -> None:
        with ExitStack() as stack:
            sound = stack.enter_context(soundfile.SoundFile(path))
            samples = sound.frames if sound.frames < _UNKNOWN_LENGTH else None
            codec, container = sound.subtype.lower(), sound.format.lower()
            self.info = _checked(AudioInfo(path, sound.samplerate, sound.channels, samples, codec, container))
            self._unread: soundfile.SoundFile | None = sound
            stack.pop_all()  # it stays open

    def chunks(self, start: int, by_time: bool = False) -> Iterator[np.ndarray]:
        position = 0
        try:
            unread, self._unread = self._unread, None
            with unread or soundfile.SoundFile(self.info.path) as sound:
                exact = sound.subtype.startswith(_EXACT_SEEK)
                if exact or by_time:
                    if start >= sound.frames:
                        return
                    position = sound.seek(start if exact else max(0, start - round(_RUN_UP_S * sound.samplerate)))
                while len(chunk := sound.read(_CHUNK, dtype="float32", always_2d=True)):
                    skip = max(start - position, 0)
                    position += len(chunk)
                    if skip < len(chunk):
                        yield chunk[skip:].T
            return
        except soundfile.LibsndfileError:
            pass  # damaged: libsndfile drops the whole chunk, FFmpeg gives the intact frames
        yield from _Container(self.info.path).chunks(max(start, position), by_time)


class _Container:
    """A file read by FFmpeg's libraries."""

    def __init__(self, path: Path) -> None:
        try:
            with ExitStack() as stack:
                container = stack.enter_context(_open_container(path))
                self.info, frames = self._describe(path, container)
                self._unread: tuple[av.container.InputContainer, Iterator[_Frame]] | None = container, frames
                stack.pop_all()  # it stays open
        except av.FFmpegError as error:
            raise AudioError(
                f"{path} cannot be read as audio ({error.strerror}); copy it again or convert it to wav or flac."
            ) from error

    def chunks(self, start: int, by_time: bool = False) -> Iterator[np.ndarray]:
        position: int | None = 0
        lost, uniform = 0, _Uniform(self.info.sample_rate)
        unread, self._unread = self._unread, None
        if unread is None or by_time:
            container = _open_container(self.info.path)
            frames = _frames(container)
        else:
            container, frames = unread
        with container:
            if by_time and self._seek(container, start):
                position = None  # known from the first frame
            for frame in frames:
                if position is None:
                    position = None if isinstance(frame, int) else self._position(container, frame)
                    if position is None or position > start:  # no time stamps, or wrong ones
                        yield from self.chunks(start)
                        return
                if isinstance(frame, int):
                    lost += frame
                    continue
                for chunk in uniform(frame):
                    if lost:  # added only here: a damage at the very end of a file adds no samples
                        chunk = np.pad(chunk, ((0, 0), (lost, 0)))
                        lost = 0
                    skip = max(start - position, 0)
                    position += chunk.shape[1]
                    if skip < chunk.shape[1]:
                        yield chunk[:, skip:]

    def _seek(self, container: av.container.InputContainer, start: int) -> bool:
        """Moves to at least a run-up before sample ``start``; False if the container is still at its beginning."""
        stream = container.streams.audio[0]
        seconds = Fraction(start, self.info.sample_rate) - Fraction(_RUN_UP_S)
        if seconds <= 0 or not stream.time_base:
            return False
        try:
            container.seek((stream.start_time or 0) + int(seconds / stream.time_base), stream=stream)
        except av.FFmpegError:
            return False
        return True

    def _position(self, container: av.container.InputContainer, frame: av.AudioFrame) -> int | None:
        """Index of the first sample of a frame by its time stamp; None without one."""
        stream = container.streams.audio[0]
        if frame.pts is None or not frame.time_base:
            return None
        begin = (stream.start_time or 0) * (stream.time_base or 0)
        return round((frame.pts * frame.time_base - begin) * self.info.sample_rate)

    @staticmethod
    def _describe(path: Path, container: av.container.InputContainer) -> tuple[AudioInfo, Iterator[_Frame]]:
        """Properties of the file, for which its first frame is decoded, and an iterator over all of its frames."""
        if not container.streams.audio:
            raise AudioError(f"{path} has no audio stream; name a file with sound.")
        stream = container.streams.audio[0]
        frames = _frames(container)
        decoded: list[_Frame] = []
        for frame in frames:
            decoded.append(frame)
            if not isinstance(frame, int):
                break
        else:
            raise AudioError(f"{path}: not one sample of its audio stream can be decoded; copy or export it again.")
        rate = frame.sample_rate  # the stream states half of it for HE-AAC
        if stream.duration and stream.time_base:
            samples = round(stream.duration * stream.time_base * rate)
        elif container.duration:
            samples = round(Fraction(container.duration, av.time_base) * rate)
        else:
            samples = None
        codec, format_name = stream.codec_context.name, container.format.name
        info = _checked(AudioInfo(path, rate, len(frame.layout.channels), samples, codec, format_name))
        return info, chain(decoded, frames)


class _Uniform:
    """Converts frames to float32 ``[C, n]``, all at the sample rate and channel layout of the first frame."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._layout: av.AudioLayout | None = None
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


def _to_float(frame: av.AudioFrame) -> np.ndarray:
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, len(frame.layout.channels)).T
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):  # beyond float32: becomes infinite, which the caller reports with its position
            return samples.astype(np.float32)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128.0) / 128.0
    return samples.astype(np.float32) / np.float32(2.0 ** (8 * samples.dtype.itemsize - 1))


def _open_container(path: Path) -> av.container.InputContainer:
    # Absolute, so that no name is taken for a protocol; only "file", so that a playlist cannot open the network.
    return av.open(str(path.absolute()), options={"protocol_whitelist": "file"}, metadata_errors="replace")


def _frames(container: av.container.InputContainer) -> Iterator[_Frame]:
    """Frames of the first audio stream."""
    audio = container.streams.audio[0]
    for stream in container.streams:
        if stream.index != audio.index:
            stream.discard = Discard.all
    packets = container.demux(audio)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.FFmpegError:
            return  # truncated or damaged: the frames so far are valid
        try:
            frames = packet.decode()
        except av.FFmpegError:
            rate = audio.codec_context.sample_rate
            yield round(packet.duration * packet.time_base * rate) if packet.duration and packet.time_base else 0
            continue
        yield from frames


def _checked(info: AudioInfo) -> AudioInfo:
    if not 1 <= info.channels <= MAX_CHANNELS:
        raise AudioError(f"{info.path} has {info.channels} channels; extract 1 to {MAX_CHANNELS} of them first.")
    return info
