"""Scans a file in a process of its own: a decoder that crashes, hangs or fills the memory becomes a named error."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .. import audio
from ..core import files, pool
from ..core.errors import AudioError
from .options import ScanOptions
from .results import result_paths
from .rules import parse_rules
from .saved import SavedStretches
from .timeline import Timeline

STILL_S = 300.0  # that a process may take without getting further, its start included
MOST_BYTES = 4 << 30  # of memory that a process may use; scans use a quarter of it


@dataclass(frozen=True)
class OneFile:
    """A file to scan, and what is checked before.

    Attributes:
        path: The file.
        stem: Of its results, see :func:`.results.result_paths`.
        options: What is scanned, and how.
        rules: For the result, see :func:`.rules.parse_rules`.
        still_s: Seconds without progress after which the process is ended.
        most_bytes: Memory above which the process is ended, where the system has ``/proc``.
    """

    path: Path
    stem: Path
    options: ScanOptions
    rules: str | None = None
    still_s: float = STILL_S
    most_bytes: int = MOST_BYTES

    @property
    def unfinished(self) -> Path:
        """The folder of the stretches of a scan that was not finished."""
        return self.stem.with_name(f"{self.stem.name}.artifacts.unfinished")


@dataclass(frozen=True)
class ScannedStream:
    """An audio stream of the file: its properties, the stem of its results, and its timeline."""

    info: audio.AudioInfo
    stem: Path
    timeline: Timeline


def scan_in_child(
    file: OneFile, open_encoder: Callable[[], Any], identity: Callable[[Any], Sequence[str]]
) -> tuple[tuple[str, ...], list[ScannedStream]]:
    """Scans a file in a child process, which goes on where an earlier one was ended.

    Args:
        file: What is scanned.
        open_encoder: Opens the encoder in the child process; must be picklable.
        identity: What tells that encoder and its probe from others; must be picklable.

    Returns:
        The labels of the encoder, and a result for each audio stream that is scanned. Once they are written, remove
        :attr:`OneFile.unfinished`.

    Raises:
        AudioError: as :func:`.scan.scan`; or the process crashed, made no progress or used too much memory.
        ParameterError: settings that do not fit each other or the encoder.
        TargetError: results cannot be written.
    """
    work = partial(_scanned, open_encoder, identity)
    with closing(pool.results(work, [file], 1, lambda _: math.inf, file.most_bytes)) as results:
        _, outcome = next(results)
    if isinstance(outcome, pool.Crashed):
        problem = outcome.problem
        if signal.SIGALRM.name in problem:
            problem = f"it made no progress for {file.still_s:.0f} s and was given up"
        raise AudioError(
            f"{file.path} could not be scanned: {problem}. The same command again goes on where it was; if it ends "
            "there again, convert the file to WAV with another program and scan that."
        )
    return outcome


def _scanned(
    open_encoder: Callable[[], Any], identity: Callable[[Any], Sequence[str]], file: OneFile
) -> tuple[tuple[str, ...], list[ScannedStream]]:
    with _alarm(file.still_s) as advanced:
        infos = audio.chosen(file.path, file.options.stream, file.options.streams)
        several = len(infos) > 1
        stems = [file.stem.with_name(f"{file.stem.name}.stream{i.stream}") if several else file.stem for i in infos]
        for result in (result for stem in stems for result in result_paths(stem, file.options.formats).values()):
            files.check_file("out", result)
        encoder = open_encoder()
        parse_rules(file.rules, encoder.labels[1:])
        about = (os.path.realpath(file.path), files.state(file.path), *identity(encoder), file.options.channels)
        streams = []
        for info, stem in zip(infos, stems, strict=True):
            saved = SavedStretches(file.unfinished, *about, info.stream)
            timeline = file.options.timeline(file.path, encoder, info.stream, saved, advanced, progress=True)
            streams.append(ScannedStream(info, stem, timeline))
        return tuple(encoder.labels), streams


@contextmanager
def _alarm(still_s: float) -> Iterator[Callable[[float], None]]:
    """The system ends this process where the function that is given is not called for ``still_s`` seconds.

    Unlike a thread, the system can do so while a decoder holds the interpreter.
    """

    def advanced(_: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, still_s)

    signal.setitimer(signal.ITIMER_REAL, still_s)
    try:
        yield advanced
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
