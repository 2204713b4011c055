"""The progress of a scan of many recordings: files, hours, times real time, time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.progress import BarColumn, Progress, TextColumn

from ..core.console import stderr


@contextmanager
def archive_progress(count: int, total_s: float) -> Iterator[Callable[[float], None]]:
    """A bar on stderr, if that is a terminal; gives a function that takes the seconds of each finished recording.

    Args:
        count: Number of recordings.
        total_s: Seconds of all recordings, as far as their headers say.
    """
    columns = (TextColumn("scan"), BarColumn(), TextColumn("{task.fields[text]}"))
    started, files, seconds = time.monotonic(), 0, 0.0
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("", total=count, text=progress_text(0, count, 0.0, total_s, 0.0))

        def advance(duration_s: float) -> None:
            nonlocal files, seconds
            files, seconds = files + 1, seconds + duration_s
            text = progress_text(files, count, seconds, total_s, time.monotonic() - started)
            bar.update(task, completed=files, text=text)

        yield advance


def progress_text(files: int, count: int, seconds: float, total_s: float, elapsed_s: float) -> str:
    """What is said of ``files`` of ``count`` recordings with ``seconds`` of ``total_s``, after ``elapsed_s``.

    >>> progress_text(3, 10, 1800, 7200, 60)
    '3/10 files  0.50/2.00 h  30.0x real time  0:03:00 left'
    """
    text = f"{files}/{count} files  {seconds / 3600:.2f}/{total_s / 3600:.2f} h"
    if seconds <= 0 or elapsed_s <= 0:
        return text
    speed = seconds / elapsed_s
    left = timedelta(seconds=round(max(0.0, total_s - seconds) / speed))
    return f"{text}  {speed:.1f}x real time  {left} left"
