"""The recordings of an archive: where their results go, how long they are, how long a scan of one may take."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from .. import audio
from ..core import files, pool
from ..core.console import printable
from ..core.errors import ArtifactsError, one_of_many
from ..data.corpora.lengths import stated_s
from .inputs import Inputs
from .options import ScanOptions
from .stretches import lanes
from .summary import FileSummary

GRACE_S = 300.0  # that any recording may take, the start of a process included
_SLOWEST = 2.0  # a scan may take so many times the length of what it scans beside; the default encoder takes 1/70
_LONGEST_NAME = 180  # bytes of a file name, of which results have 255 with their suffixes


@dataclass(frozen=True)
class Recording:
    """A recording to scan.

    Attributes:
        path: The file.
        results: Where its results go, relative to the folder of results; see :func:`.results.result_paths`.
        key: Identifies the file and its content, as far as can be seen without reading it.
        duration_s: As its header says; None if it does not.
        work_s: Seconds of signal that are scanned: of all channels and streams that are scanned by themselves.
        streams: Number of audio streams that are scanned.
        problem: Why its header cannot be read; "" if it can, or was not tried.
    """

    path: Path
    results: str
    key: str
    duration_s: float | None = None
    work_s: float = 0.0
    streams: int = 1
    problem: str = ""


def recording_of(inputs: Inputs, path: Path) -> Recording:
    """A file of the inputs, whose header is not read."""
    relative = Path(inputs.relative(path))
    name = os.fsencode(relative.name)
    if len(name) > _LONGEST_NAME:
        digest = hashlib.blake2b(name, digest_size=6).hexdigest()
        relative = relative.with_name(f"{name[: _LONGEST_NAME - 13].decode(errors='ignore')}-{digest}")
    parts = f"{path}|{path.resolve()}|{files.state(path)}"
    return Recording(path, str(relative), hashlib.blake2b(os.fsencode(parts), digest_size=12).hexdigest())


def with_lengths(recordings: Sequence[Recording], options: ScanOptions, workers: int) -> list[Recording]:
    """The recordings with their lengths or problems, longest first."""
    measured: list[Recording] = []
    with closing(pool.results(partial(_with_length, options), recordings, workers, lambda _: GRACE_S)) as results:
        for recording, outcome in results:
            if isinstance(outcome, pool.Crashed):
                outcome = replace(recording, problem=outcome.problem)
            measured.append(outcome)
    return sorted(measured, key=lambda recording: (-recording.work_s, recording.results))


def _with_length(options: ScanOptions, recording: Recording) -> Recording:
    try:
        with one_of_many(str(recording.path)):
            info = audio.probe(recording.path, options.stream)
            length_s = stated_s(info)
    except ArtifactsError as error:
        return replace(recording, problem=str(error))
    channels = len(lanes(options.channels, info.channels))
    streams = info.streams if options.streams == "all" else 1
    return replace(recording, duration_s=info.duration_s, work_s=length_s * channels * streams, streams=streams)


def limit_s(recording: Recording) -> float:
    """Seconds after which the scan of a recording is given up."""
    return GRACE_S + _SLOWEST * recording.work_s


def failed(recording: Recording, reason: str, stream: int | None = None) -> FileSummary:
    """The row of a recording that could not be scanned."""
    path = printable(str(recording.path))
    title = path if stream is None else f"{path} stream {stream}"
    return FileSummary(path, title, stream, printable(reason))
