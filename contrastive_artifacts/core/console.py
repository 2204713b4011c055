"""What the scripts share: text, tables and progress on the terminal."""

from __future__ import annotations

import logging
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import rich.progress
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.table import Table

_DIRECTIONAL = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # make text run backwards on the screen

Item = TypeVar("Item")


class _Console(Console):
    """Prints text literally: names of files may hold rich markup ("[live]") and control characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(soft_wrap=True, markup=False, emoji=False, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(printable(item) if isinstance(item, str) else item for item in objects), **options)

    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError  # rich would exit with 1 from here


class LogHandler(RichHandler):
    """Writes log messages to stderr, literally."""

    def __init__(self) -> None:
        super().__init__(console=Console(stderr=True), show_path=False, show_time=False)
        self.setFormatter(_Formatter("%(message)s"))


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def printable(text: str) -> str:
    """Text with control characters, directional overrides and bytes that are not UTF-8 escaped; line ends stay.

    >>> printable("a\\x1b[31m.wav")
    'a\\\\x1b[31m.wav'
    """
    return "".join(_escaped(c) if _is_control(c) else c for c in text)


def _is_control(c: str) -> bool:
    return c not in "\n\t" and (unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in _DIRECTIONAL)


def _escaped(c: str) -> str:
    return c.encode("unicode_escape").decode()


# A pipe has no width of its own: tables are written to it in full.
console = _Console(width=None if sys.stdout.isatty() else 160)
stderr = _Console(stderr=True)


def track(items: Iterable[Item], title: str, total: float | None = None) -> Iterator[Item]:
    """Shows a progress bar on stderr, if that is a terminal, while the items are iterated over."""
    hidden = not stderr.is_terminal
    yield from rich.progress.track(
        items, escape(printable(title)), total, console=stderr, transient=True, disable=hidden
    )


@contextmanager
def counted(title: str, total: float) -> Iterator[Callable[[float], None]]:
    """The same for work that reports itself: gives a function that takes how much was done since it was last called."""
    with rich.progress.Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task(escape(printable(title)), total=total)
        yield lambda done: bar.advance(task, done)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Prints rows of cells under a title."""
    grid = Table(*columns, title=printable(title), title_justify="left")
    for row in rows:
        grid.add_row(*(printable(str(cell)) for cell in row))
    console.print(grid)
