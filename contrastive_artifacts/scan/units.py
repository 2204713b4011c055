"""The work on one stretch of one recording, so that many workers share a long film.

Workers save the stretches in the folder of the unfinished scan; once all of a recording are there, one worker joins
them to its results. What no worker saved is classified then, so the results do not depend on who did what.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from .. import audio
from ..audio.windows import Window
from ..core.errors import ArtifactsError, one_of_many
from ..core.pool import Crashed
from ..core.ray_pool import Cluster
from .lanes import WindowClassifier
from .options import ScanOptions
from .recordings import Recording, limit_s
from .saved import SavedStretches
from .stretches import STRETCH_S, Channels, Hearing, heard, lanes, pieces
from .summary import FileSummary

ScanRecording = Callable[[Recording], list[FileSummary]]


@dataclass(frozen=True)
class Unit:
    """A stretch to classify.

    Attributes:
        recording: The recording.
        stream: Number among the streams of it that are scanned.
        number: Of the stretch in the stream, in the order of time.
        last: Whether the stretches after it belong to this unit as well.
    """

    recording: Recording
    stream: int
    number: int
    last: bool


def units(recording: Recording) -> list[Unit]:
    """The units of a recording by its stated length; none for one of up to a stretch or of an unknown length."""
    count = math.ceil((recording.duration_s or 0.0) / STRETCH_S)
    if count < 2:
        return []
    numbers = range(count)
    return [Unit(recording, s, n, n == count - 1) for s in range(recording.streams) for n in numbers]


def shared(
    cluster: Cluster,
    scan_recording: ScanRecording,
    classify: Callable[[Unit], None],
    recordings: Sequence[Recording],
) -> Generator[tuple[Recording, list[FileSummary] | Crashed], None, None]:
    """Yields each recording with its rows, in the order in which they are finished.

    Args:
        cluster: The workers.
        scan_recording: Joins a recording of which stretches are saved.
        classify: :func:`classify_unit`, but for its last argument.
        recordings: Longest first.
    """
    jobs: deque[Unit | Recording] = deque()
    remaining: Counter[str] = Counter()
    for recording in recordings:
        parts = units(recording)
        remaining[recording.key] = len(parts)
        jobs += parts or [recording]
    for job, outcome in cluster.results(partial(_work, scan_recording, classify), jobs, _limit_s):
        if isinstance(job, Recording):
            yield job, outcome
            continue
        remaining[job.recording.key] -= 1  # a unit that crashed is tried again in joining
        if not remaining[job.recording.key]:
            jobs.appendleft(job.recording)


def classify_unit(
    open_encoder: Callable[[], WindowClassifier],
    options: ScanOptions,
    saved: Callable[[Recording, int, WindowClassifier], SavedStretches],
    unit: Unit,
) -> None:
    """Classifies a stretch and saves it, if it is not saved yet.

    A file that cannot be read is left to the joining of the recording, which says so.

    Args:
        open_encoder: Gives the encoder of this process, the same one each time.
        options: What is scanned, and how.
        saved: Gives the stretches of a recording, of the stream of an index, by an encoder.
        unit: The stretch.
    """
    encoder = open_encoder()
    try:
        with one_of_many(str(unit.recording.path)):
            info = audio.chosen(unit.recording.path, options.stream, options.streams)[unit.stream]
            reader = _reader(unit.recording, info.stream, open_encoder, options.channels)
            if reader.number > unit.number:
                _reader.cache_clear()
                reader = _reader(unit.recording, info.stream, open_encoder, options.channels)
            stretches = saved(unit.recording, info.stream, encoder)
            number = unit.number
            while (stretch := reader.stretch(number)) is not None:
                run, first, items = stretch
                if stretches.load(first) is None:
                    stretches.save(heard(run, first, items, reader.hearing))
                deque(items, maxlen=0)  # of one that was saved before
                if not unit.last:
                    break
                number += 1
    except ArtifactsError:
        _reader.cache_clear()


class _Reader:
    """A file that is read forward only: a worker gets the stretches of a film in their order, and decodes it once."""

    def __init__(self, path: Path, stream: int, encoder: WindowClassifier, channels: Channels) -> None:
        file = audio.MediaFile(path, stream)
        self.hearing = Hearing(encoder, file.info.sample_rate, lanes(channels, file.info.channels))
        self._pieces = pieces(file.runs(self.hearing.window), self.hearing)
        self.number = 0  # of the next stretch

    def stretch(self, number: int) -> tuple[int, int, Iterator[Window]] | None:
        """Run, first window and windows, which are to be used before the next call; None behind the end."""
        for run, first, items in self._pieces:
            self.number += 1
            if self.number > number:
                return run, first, items
            deque(items, maxlen=0)
        return None


@lru_cache(1)
def _reader(
    recording: Recording, stream: int, open_encoder: Callable[[], WindowClassifier], channels: Channels
) -> _Reader:
    return _Reader(recording.path, stream, open_encoder(), channels)


def _work(scan_recording: ScanRecording, classify: Callable[[Unit], None], job: Unit | Recording) -> Any:
    return classify(job) if isinstance(job, Unit) else scan_recording(job)


def _limit_s(job: Unit | Recording) -> float:
    return limit_s(job.recording if isinstance(job, Unit) else job)
