"""Jobs on several processes: spawned, each on one thread, none of which outlives the one that started them."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, TypeVar

from ...core.errors import ArtifactsError

J = TypeVar("J")
R = TypeVar("R")
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Crashed:
    """The process that worked on a job ended in its midst."""

    problem: str


class _Gone:
    """What is received from a process that is no more."""


@dataclass
class _Member(Generic[J]):
    process: SpawnProcess
    job: J


def results(
    function: Callable[[J], R], jobs: Sequence[J], workers: int
) -> Generator[tuple[J, R | Crashed], None, None]:
    """``(job, function(job))`` as they come; with one worker or one job in this process, in order.

    A process that dies (a decoder that crashes, no memory left) costs its job alone, and another takes its place. When
    the iterator is closed, all of them are ended; when this process is killed, each ends after its job at the latest.

    Args:
        function: Picklable, as are jobs and results.
        jobs: In the order in which they are begun.
        workers: Processes.

    Raises:
        Exception: what the function raises.
    """
    if min(workers, len(jobs)) <= 1:
        for job in jobs:
            yield job, function(job)
        return
    todo = iter(jobs)
    members: dict[Connection, _Member[J]] = {}
    try:
        for job in (next(todo) for _ in range(min(workers, len(jobs)))):
            _start(job, members)
        for connection, member in members.items():  # all are started by now: their imports run side by side
            _send(connection, function, member.job)
        while members:
            for connection in [c for c in wait(list(members)) if isinstance(c, Connection)]:  # for type checkers
                member, outcome = members[connection], _receive(connection)
                finished, following = member.job, next(todo, None)
                crashed = isinstance(outcome, _Gone)
                if crashed or following is None:
                    _end(members.pop(connection), connection)
                if following is not None and crashed:
                    _send(_start(following, members), function, following)
                elif following is not None:
                    member.job = following
                    _send(connection, following)
                if isinstance(outcome, _Gone):
                    yield finished, Crashed(f"the process that rendered it ended with {_status(member.process)}")
                else:
                    yield finished, outcome
    finally:
        for connection, member in members.items():
            member.process.terminate()
            _end(member, connection)


def _start(job: J, members: dict[Connection, _Member[J]]) -> Connection:
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    with _for_children():
        process.start()
    there.close()  # one end here, one in the child: each sees when the other is gone
    members[here] = _Member(process, job)
    return here


def _send(connection: Connection, *values: Any) -> None:
    with suppress(OSError):  # it is dead: that is found out when it is waited for
        for value in values:
            connection.send(value)


def _receive(connection: Connection) -> Any:
    try:
        outcome, error = connection.recv()
    except (EOFError, OSError):
        return _Gone()
    if error is not None:
        raise error
    return outcome


def _end(member: _Member[J], connection: Connection) -> None:
    connection.close()
    member.process.join()


@contextmanager
def _for_children() -> Iterator[None]:
    """One thread each; and Ctrl-C goes to all processes of a terminal, but only the first is to answer it."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    resource_tracker.ensure_running()  # started with the first process it would undo the mask
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # children are born with it, and keep it
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _serve(connection: Connection) -> None:
    try:
        function = connection.recv()
        while True:
            job = connection.recv()
            try:
                connection.send((function(job), None))
            except (ArtifactsError, OSError) as error:
                connection.send((None, error))
            except Exception:
                connection.send((None, RuntimeError(traceback.format_exc())))  # not every error can be sent
    except (EOFError, OSError):
        return  # the other end is gone


def _status(process: SpawnProcess) -> str:
    code = process.exitcode or 0
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
