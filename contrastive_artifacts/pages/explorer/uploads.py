"""Sounds that users send: media files in memory, checked before they are heard."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from urllib.parse import unquote

import numpy as np

from ... import audio
from ...core.errors import AudioError
from .pieces import Slice

LONGEST_S = 600.0  # of an uploaded sound: some formats hold hours of silence in a few bytes
PAGE_S = 60.0  # of a query that are shown and played at once
_MOST_SAMPLES = 1 << 26  # per channel, at any rate
_SNIFFED = 16  # first bytes of a file; if all are text it is no media, but perhaps a playlist that names other files


@contextmanager
def media_file(data: bytes, name: str) -> Iterator[Path]:
    """A media file in memory as a temporary file, because the decoders read files only.

    Raises:
        AudioError: the data is no media; errors of reading it call it ``name``.
    """
    if not data:
        raise AudioError(f"{name} is empty (0 bytes); choose another file.")
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in data[:_SNIFFED]):
        raise AudioError(f"{name} is a text file; choose an audio or video file.")
    suffix = PurePath(name).suffix.lower()
    with tempfile.NamedTemporaryFile(prefix="explore-", suffix=suffix if suffix in audio.EXTENSIONS else "") as file:
        file.write(data)
        file.flush()
        try:
            yield Path(file.name)
        except AudioError as error:
            raise AudioError(str(error).replace(file.name, name)) from None


def checked(path: Path, name: str) -> tuple[Slice, int, int]:
    """The first minute of a file that is not too long, its number of samples and that of its channels.

    The length stated in the file is not trusted: it is decoded block by block until it is too long.

    Raises:
        AudioError: the file is no audio, or longer than ten minutes; the message calls it ``name``.
    """
    file = audio.MediaFile(path)
    rate = file.info.sample_rate
    most, shown = min(round(LONGEST_S * rate), _MOST_SAMPLES), round(PAGE_S * rate)
    first: list[np.ndarray] = []
    samples = 0
    for at, block in file.blocks(rate):
        samples = at + block.shape[1]
        if samples > most:
            raise AudioError(f"{name} is longer than {most / rate / 60:.3g} minutes; send the relevant part.")
        if at < shown:
            first.append(block[:, : shown - at])
    beginning = np.concatenate(first, axis=1)
    return Slice(beginning, rate, 0, (0, beginning.shape[1])), samples, file.info.channels


def shown_name(name: str) -> str:
    """The last part of a percent-encoded path, without control characters, to be shown to users."""
    plain = unquote(name, errors="replace").replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in plain if c.isprintable())[:120].strip() or "sound"
