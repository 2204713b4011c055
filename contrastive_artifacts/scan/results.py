"""The files that a scan writes: their names, and all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from .. import audio
from ..core import files
from ..core.errors import ParameterError
from .formats import DEFAULT, FORMATS
from .timeline import Timeline


def stem_beside(recording: str | Path) -> Path:
    """The path of a recording without its suffix, where the results of its scan are written.

    The suffix stays where it is none of a media file ("tape.side A"), and where another media file of the same stem is
    in the folder: ``film.wav`` and ``film.m4a`` get ``film.wav.artifacts.csv`` and ``film.m4a.artifacts.csv``.
    """
    path = Path(recording)
    if path.suffix.lower() not in audio.EXTENSIONS:
        return path
    with suppress(OSError):  # a folder that cannot be listed
        for other in path.parent.iterdir():
            same = other.stem.casefold() == path.stem.casefold() and other.name != path.name
            if same and other.suffix.lower() in audio.EXTENSIONS:
                return path
    return path.with_suffix("")


def check_formats(formats: Sequence[str]) -> None:
    """Checks names of formats before the work.

    Raises:
        UnknownNameError: there is no such format; the message lists close ones.
        ParameterError: none is named, or one twice.
    """
    for name in formats:
        FORMATS[name]
    if not formats or len(set(formats)) < len(formats):
        raise ParameterError(
            f"formats=[{','.join(formats)}]: name one format or more, each once: {', '.join(FORMATS)}."
        )


def result_paths(stem: str | Path, formats: Sequence[str] = DEFAULT) -> dict[str, Path]:
    """Name of a format -> path of its file: ``STEM.artifacts.csv``, ``.json``, ``.txt`` (Audacity) and so on."""
    stem = Path(stem)
    return {name: stem.parent / f"{stem.name}.artifacts.{FORMATS[name].suffix}" for name in formats}


def write_results(timeline: Timeline, stem: str | Path, formats: Sequence[str] = DEFAULT) -> dict[str, Path]:
    """Writes a timeline in several formats, all files or none of them; returns :func:`result_paths`.

    Raises:
        StorageError: they cannot be written; the files of an earlier scan are as before.
    """
    paths = result_paths(stem, formats)
    with files.atomic_paths(list(paths.values())) as temporaries:
        for name, temporary in zip(paths, temporaries, strict=True):
            timeline.write(temporary, name)
    return paths
