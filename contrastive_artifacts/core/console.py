"""What the scripts share: tables on the terminal, and how a program ends."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table

from .errors import ArtifactsError, ParameterError, UnknownNameError

FAILED, WRONG_USE, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141  # exit statuses; the last two are 128 + signal


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError  # rich would exit with 1 from here


# A pipe has no width of its own: tables are written to it in full.
console = _Console(soft_wrap=True, width=None if sys.stdout.isatty() else 160)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Prints rows of cells under a title."""
    grid = Table(*columns, title=title, title_justify="left")
    for row in rows:
        grid.add_row(*(str(cell) for cell in row))
    console.print(grid)


@contextmanager
def instructive(stopped: str = "") -> Iterator[None]:
    """Ends the program as a command should: errors of this package and of files are one message.

    Exit status 2: wrong use (configuration, parameters, unknown names). 1: it failed (audio, files, downloads,
    training). 130: Ctrl-C, with one line on what was kept. 141: the pipe that the output goes to was closed. Other
    errors keep their traceback.

    Args:
        stopped: What is kept after Ctrl-C and how to go on, for the line that is printed then.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # hydra raises errors instead of printing them itself
    handler = RichHandler(console=Console(stderr=True), show_path=False, show_time=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    try:
        yield
        sys.stdout.flush()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one would end the clearing up with a traceback
        Console(stderr=True, soft_wrap=True).print(f"Stopped. {stopped}".strip(), highlight=False, markup=False)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is flushed at exit goes nowhere
        sys.exit(PIPE_CLOSED)
    except Exception as error:
        of_configuration = type(error).__module__.partition(".")[0] in ("hydra", "omegaconf")
        of_a_file = isinstance(error, OSError) and error.strerror is not None  # no permission, no space, a folder ...
        if not (isinstance(error, ArtifactsError) or of_configuration or of_a_file):
            raise
        stderr = Console(stderr=True, soft_wrap=True)
        stderr.print(f"{type(error).__name__}: {error}", style="red", highlight=False, markup=False)
        sys.exit(WRONG_USE if of_configuration or isinstance(error, ParameterError | UnknownNameError) else FAILED)
