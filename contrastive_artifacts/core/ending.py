"""How a program ends: errors as one message, exit statuses. The terminal is loaded when there is something to say."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import ArtifactsError, ParameterError, UnknownNameError

FAILED, WRONG_USE, RULE_BROKEN = 1, 2, 3  # exit statuses
INTERRUPTED, PIPE_CLOSED = 130, 141  # these are 128 + signal


class _Deferred(logging.Handler):
    """The handler of :mod:`.console`, made for the first message: most commands log none, and it takes a while."""

    _handler: logging.Handler | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self._handler is None:
            from .console import LogHandler

            self._handler = LogHandler()
        self._handler.emit(record)


def _say(text: str, **style: Any) -> None:
    from .console import stderr

    stderr.print(text, highlight=False, **style)


@contextmanager
def instructive(stopped: str = "") -> Iterator[None]:
    """Ends the program as a command should: errors of this package and of files are one message.

    Exit status 2: wrong use (configuration, parameters, unknown names). 1: it failed (audio, files, downloads,
    training). 3: it was done, and the result breaks a rule that the user gave (scan). 130: Ctrl-C, with one line on
    what was kept. 141: the pipe that the output goes to was closed. Other errors keep their traceback.

    Args:
        stopped: What is kept after Ctrl-C and how to go on, for the line that is printed then.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # hydra raises errors instead of printing them itself
    logging.basicConfig(level=logging.WARNING, handlers=[_Deferred()])
    try:
        yield
        sys.stdout.flush()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one would end the clearing up with a traceback
        _say(f"Stopped. {stopped}".strip())
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is flushed at exit goes nowhere
        sys.exit(PIPE_CLOSED)
    except Exception as error:
        of_configuration = type(error).__module__.partition(".")[0] in ("hydra", "omegaconf")
        of_a_file = isinstance(error, OSError) and error.strerror is not None  # no permission, no space, a folder ...
        if not (isinstance(error, ArtifactsError) or of_configuration or of_a_file):
            raise
        _say(f"{type(error).__name__}: {error}", style="red")
        sys.exit(WRONG_USE if of_configuration or isinstance(error, ParameterError | UnknownNameError) else FAILED)
