"""What the scripts share: tables on the terminal, and errors that instruct instead of tracebacks."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table

from .errors import ArtifactsError

# A pipe has no width of its own: tables go there whole.
console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 160)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Prints rows of cells under a title."""
    made = Table(*columns, title=title, title_justify="left")
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    console.print(made)


@contextmanager
def instructive() -> Iterator[None]:
    """Shows an error of this package as its message alone, with exit status 2; other errors keep their traceback."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # hydra hands errors on instead of printing them itself
    handler = RichHandler(console=Console(stderr=True), show_path=False, show_time=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    try:
        yield
    except KeyboardInterrupt:
        console.print("stopped; run the same command again to go on from the last checkpoint")
        sys.exit(130)
    except Exception as error:
        of_configuration = type(error).__module__.partition(".")[0] in ("hydra", "omegaconf")
        if not isinstance(error, ArtifactsError) and not of_configuration:
            raise
        stderr = Console(stderr=True, soft_wrap=True)
        stderr.print(f"{type(error).__name__}: {error}", style="red", highlight=False, markup=False)
        sys.exit(2)
