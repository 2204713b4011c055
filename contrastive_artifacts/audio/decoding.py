"""Opens a file with the decoder that can read it: libsndfile for sound files, FFmpeg's libraries for everything else.

Both give the properties of a file (:class:`~.info.AudioInfo`) and its samples from a position on. In wave and FLAC
files the decoder seeks to the position; everything else is decoded from its start, because a decoder of a lossy format
that starts in the middle gives different samples (and MPEG program streams do not support seeking). For a quick look
into a long film, seeking by time stamps is available.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import av
import numpy as np
import soundfile

from ..core.errors import AudioError
from .container import ContainerSource
from .info import AudioInfo, Span, Stream, reader_errors
from .sound_file import SoundFileSource

SOUND_EXTENSIONS = frozenset(  # libsndfile is asked first
    {
        *(".wav", ".bwf", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au"),
        *(".snd", ".caf"),
    }
)
EXTENSIONS = SOUND_EXTENSIONS | {
    *(".m4a", ".m4b", ".aac", ".ac3", ".eac3", ".dts", ".thd", ".mp2", ".mka", ".weba", ".wma", ".wv", ".tta", ".ape"),
    *(".tak", ".mpc", ".shn", ".dsf", ".spx", ".amr"),
    *(".mp4", ".m4v", ".mkv", ".webm", ".mov", ".avi", ".mpg", ".mpeg", ".vob", ".ts", ".m2ts", ".mts", ".flv", ".f4v"),
    *(".3gp", ".3g2", ".asf", ".wmv", ".ogv", ".ogm", ".mxf", ".gxf", ".dv", ".nut", ".wtv", ".rm", ".rmvb", ".divx"),
}


class Source(Protocol):
    """An open file: its properties, and its samples from sample ``start`` on in chunks float32 ``[C, n]``, n >= 1.

    With ``by_time``, sample ``start`` is located by seeking to its time instead of by decoding from the beginning. The
    first call of ``chunks`` uses the file as it was opened for ``info``; further calls open it again. ``gaps`` are the
    ranges without data, filled with silence, as far as the last call of ``chunks`` has come.
    """

    info: AudioInfo
    gaps: tuple[Span, ...]

    def chunks(self, start: int, by_time: bool = False) -> Iterator[np.ndarray]: ...


def open_source(path: Path, stream: Stream = None) -> Source:
    """Opens a file with the decoder that can read it.

    Args:
        path: The file.
        stream: Index among its audio streams, or a language tag; by default the stream marked as default, else the
            first.

    Raises:
        AudioError: no such file or stream, or nothing in it can be decoded as audio.
    """
    with reader_errors(path):
        if not path.exists():
            raise AudioError(f"{path} does not exist; check the path.")
        if not path.is_file():
            raise AudioError(f"{path} is not a file; name one audio or video file.")
        if path.stat().st_size == 0:
            raise AudioError(f"{path} is empty (0 bytes); copy or export it again.")
        if path.suffix.lower() in SOUND_EXTENSIONS and stream in (None, 0):
            try:
                source = SoundFileSource(path)
            except soundfile.LibsndfileError:  # not supported, or another format under a wrong suffix
                return ContainerSource(path, stream)
            if source.info.samples == 0 and not source.measured:  # empty, or a size that was never written
                with suppress(AudioError, av.FFmpegError):
                    return ContainerSource(path, stream)
            return source
        return ContainerSource(path, stream)
