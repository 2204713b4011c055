"""The files that a scan writes: their names, and all of them at once."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from .. import audio
from ..core import files
from .timeline import Timeline

SUFFIXES = ("csv", "json", "txt", "vtt", "html")


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


def result_paths(stem: str | Path) -> dict[str, Path]:
    """Suffix -> path of each file: ``STEM.artifacts.csv``, ``.json``, ``.txt`` (Audacity), ``.vtt`` and ``.html``."""
    stem = Path(stem)
    return {suffix: stem.parent / f"{stem.name}.artifacts.{suffix}" for suffix in SUFFIXES}


def write_results(timeline: Timeline, stem: str | Path) -> dict[str, Path]:
    """Writes a timeline in every format, all files or none of them; returns :func:`result_paths`.

    Raises:
        StorageError: they cannot be written; the files of an earlier scan are as before.
    """
    paths = result_paths(stem)
    writers = (timeline.to_csv, timeline.to_json, timeline.to_audacity, timeline.to_webvtt, timeline.to_html)
    with files.atomic_paths(list(paths.values())) as temporaries:
        for write, temporary in zip(writers, temporaries, strict=True):
            write(temporary)
    return paths
