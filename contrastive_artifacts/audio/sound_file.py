"""Files read by libsndfile: wave, FLAC, Ogg, MP3, AIFF and relatives.

libsndfile ends at the length that a header states or that it guesses. What a file holds after that is read too:
by the corrected length of wave and AIFF data, by the further links of a chained Ogg file, and by FFmpeg in MP3 and FLAC
files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import av
import numpy as np
import soundfile

from ..core.location import is_address
from . import headers
from .container import ContainerSource
from .demuxing import holds_after, packet_samples
from .frames import Uniform
from .info import CHUNK, RUN_UP_S, AudioInfo, Span, plausible, warn_of_length

_EXACT_SEEK = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW")  # libsndfile subtypes without a decoder state
_CHUNKED = ("WAV", "WAVEX", "RF64", "AIFF")
_MP3_SLACK = 4608  # samples; delay and padding of an encoder are less than 4 frames


class SoundFileSource:
    """An open file; see :class:`~.decoding.Source`.

    Attributes:
        measured: Whether ``info.samples`` follows from the size of the file.
    """

    gaps: tuple[Span, ...] = ()
    measured = False

    def __init__(self, path: Path) -> None:
        self._data: headers.PcmData | None = None  # set if the size in the header is wrong
        self._raw: dict[str, object] = {}
        self._warned = False
        with ExitStack() as stack:
            sound = stack.enter_context(soundfile.SoundFile(_file(path)))
            self._format = sound.format
            self._stated = samples = plausible(sound.frames)
            if sound.format in _CHUNKED and (data := headers.pcm_data(path)) is not None:
                self._stated = None if data.stated is None else data.stated // data.block
                samples = self._correct(sound, data, samples)
            elif sound.format == "OGG" and headers.looks_chained(path):
                samples = _length_of_links(path)
            codec, container = sound.subtype.lower(), sound.format.lower()
            self.info = AudioInfo(path, sound.samplerate, sound.channels, samples, codec, container)
            self._unread: soundfile.SoundFile | None = None if self._data else sound
            stack.pop_all() if self._unread else stack.close()

    def chunks(self, start: int, by_time: bool = False) -> Iterator[np.ndarray]:
        position = 0
        try:
            unread, self._unread = self._unread, None
            with unread or self._open() as sound:
                exact = sound.subtype.startswith(_EXACT_SEEK)
                if exact or by_time:
                    first = start if exact else max(0, start - round(RUN_UP_S * sound.samplerate))
                    position = sound.seek(first) if start < sound.frames else sound.frames
                for chunk in _decoded(sound) if position < sound.frames else ():
                    skip = max(start - position, 0)
                    position += len(chunk)
                    if skip < len(chunk):
                        yield chunk[skip:].T
        except soundfile.LibsndfileError:  # damaged: libsndfile drops the whole chunk, FFmpeg gives the intact frames
            yield from self._by_ffmpeg(start, position)
            return
        yield from self._after(start, position)

    def _correct(self, sound: soundfile.SoundFile, data: headers.PcmData, samples: int | None) -> int | None:
        """The length of wave and AIFF data; remembers how to read it if libsndfile is wrong about it."""
        if not sound.subtype.startswith(_EXACT_SEEK):
            return samples
        self.measured = True
        length = (data.stop - data.start) // data.block
        if length != samples:
            little = sound.endian == "LITTLE" or (sound.endian == "FILE" and sound.format != "AIFF")
            self._data = data
            self._raw = {
                "samplerate": sound.samplerate,
                "channels": sound.channels,
                "format": "RAW",
                "subtype": sound.subtype,
                "endian": "LITTLE" if little else "BIG",
            }
        return length

    def _open(self) -> soundfile.SoundFile:
        if self._data is None:
            return soundfile.SoundFile(_file(self.info.path))
        return soundfile.SoundFile(headers.FilePart(self.info.path, self._data.start, self._data.stop), **self._raw)

    def _after(self, start: int, position: int) -> Iterator[np.ndarray]:
        """The samples that the file holds from ``position`` on, where libsndfile ended."""
        if self._format == "OGG":
            for link in headers.ogg_links(self.info.path)[1:]:
                for chunk in _link(self.info, link):
                    skip = max(start - position, 0)
                    position += chunk.shape[1]
                    if skip < chunk.shape[1]:
                        yield chunk[:, skip:]
        elif self._more(position):
            yield from self._by_ffmpeg(start, position)
            return
        self._warn(position, _MP3_SLACK if self._format == "MP3" else 0)

    def _more(self, position: int) -> bool:
        """Whether FFmpeg finds packets after ``position``."""
        if self._format == "MP3":
            return packet_samples(self.info.path, self.info.sample_rate) > position + _MP3_SLACK
        if self._format == "FLAC":
            return holds_after(self.info.path, position, self.info.sample_rate)
        return False

    def _by_ffmpeg(self, start: int, position: int) -> Iterator[np.ndarray]:
        source = ContainerSource(self.info.path, warn=False)
        first = position = max(start, position)
        for chunk in source.chunks(first):
            position += chunk.shape[1]
            self.gaps = tuple(gap for gap in source.gaps if gap[1] > first)
            yield chunk
        if position > first:
            self._warn(position, _MP3_SLACK if self._format == "MP3" else 0)

    def _warn(self, decoded: int, tolerance: int) -> None:
        if not self._warned:
            self._warned = True
            warn_of_length(self.info, self._stated, decoded, tolerance)


def _file(path: Path) -> bytes | headers.FilePart:
    """What libsndfile opens: the name of a local file, else the file."""
    return headers.FilePart(path, 0, path.stat().st_size) if is_address(path) else os.fsencode(path)


def _decoded(sound: soundfile.SoundFile) -> Iterator[np.ndarray]:
    while len(chunk := sound.read(CHUNK, dtype="float32", always_2d=True)):
        yield chunk


def _length_of_links(path: Path) -> int | None:
    length = rate = 0
    for start, stop in headers.ogg_links(path):
        with soundfile.SoundFile(headers.FilePart(path, start, stop)) as sound:
            rate = rate or sound.samplerate
            length += round(sound.frames * rate / sound.samplerate)
    return plausible(length)


def _link(info: AudioInfo, link: Span) -> Iterator[np.ndarray]:
    """The samples of one link of a chained Ogg file, at the rate and channels of the first link."""
    with soundfile.SoundFile(headers.FilePart(info.path, *link)) as sound:
        same = (sound.samplerate, sound.channels) == (info.sample_rate, info.channels)
        uniform = Uniform(info.sample_rate, av.AudioLayout(_layout(info.channels)))
        for chunk in _decoded(sound):
            if same:
                yield chunk.T
                continue
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(chunk.T), "fltp", _layout(sound.channels))
            frame.sample_rate = sound.samplerate
            yield from uniform(frame)


def _layout(channels: int) -> str:
    return {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}[channels]
