"""Runs jobs on several spawned processes of one thread each; a process that dies costs only the job it was running.

Not a library: with 6000 jobs on 2 processes and a SIGKILL every 6 s, loky 3.7 hung after the second kill; pebble 5.2,
whose processes share one pipe and one lock, gave up in two of three runs; this pool lost the 3 jobs that were killed.
"""

from __future__ import annotations

import math
import os
import signal
import time
import traceback
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Thread
from typing import Any, Generic, TypeVar

from threadpoolctl import threadpool_limits

from .errors import ArtifactsError

J = TypeVar("J")
R = TypeVar("R")
_MEMORY_EACH_S = 0.5  # between two looks at the memory of the processes
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Crashed:
    """Outcome of a job whose process died, or was ended because the job took too long."""

    problem: str


class _Died:
    """Received in place of an outcome from a process that has died."""


@dataclass
class _Worker(Generic[J]):
    process: SpawnProcess
    job: J
    limit_s: float = math.inf
    deadline: float = math.inf  # by time.monotonic()
    killed_for: str = ""  # why it was killed


def results(
    function: Callable[[J], R],
    jobs: Sequence[J],
    workers: int,
    limit_s: Callable[[J], float] | None = None,
    most_bytes: float = math.inf,
) -> Generator[tuple[J, R | Crashed], None, None]:
    """Yields ``(job, function(job))`` in the order in which jobs finish; at most one job per process is in memory.

    With one worker or one job, and no limits, everything runs in this process, in order, on one thread as well. If a
    worker process dies (a crash in a decoder, out of memory), its job yields :class:`Crashed` and a new process
    replaces it. Closing the iterator ends all processes; if this process is killed, they end as well.

    Args:
        function: Function of one job; function, jobs and results must be picklable.
        jobs: Jobs, started in this order.
        workers: Number of processes.
        limit_s: Seconds that a job may take, the start of its process included; after them its process is killed, and
            the job yields :class:`Crashed`.
        most_bytes: Resident memory above which a process is killed in the same way, looked at twice a second where the
            system has ``/proc`` (Linux). The address space is no measure: PyTorch reserves far more than it uses.

    Raises:
        Exception: any exception of the function; a RuntimeError with its traceback unless it is an ArtifactsError or
            an OSError.
    """
    if limit_s is None and min(workers, len(jobs)) <= 1:
        for job in jobs:
            with threadpool_limits(1):  # as in a worker process: sums of several threads are rounded otherwise
                result = function(job)
            yield job, result
        return
    remaining = iter(jobs)
    running: dict[Connection, _Worker[J]] = {}
    try:
        for job in (next(remaining) for _ in range(min(workers, len(jobs)))):
            _start(job, running)
        for connection, worker in running.items():  # after all are started, so that they import in parallel
            _send(connection, function)
            _assign(connection, worker, worker.job, limit_s)
        while running:
            ready = wait(list(running), _kill_over(running.values(), most_bytes))
            for connection in [c for c in ready if isinstance(c, Connection)]:  # for type checkers
                worker, outcome = running[connection], _receive(connection)
                finished, following = worker.job, next(remaining, None)
                dead = isinstance(outcome, _Died) or bool(worker.killed_for)
                if dead or following is None:
                    _end(running.pop(connection), connection)
                if following is not None and dead:
                    connection = _start(following, running)
                    _send(connection, function)
                if following is not None:
                    _assign(connection, running[connection], following, limit_s)
                if isinstance(outcome, _Died):
                    yield finished, Crashed(_reason(worker))
                else:
                    yield finished, outcome
    finally:
        for connection, worker in running.items():
            worker.process.terminate()
            _end(worker, connection)


def _start(job: J, running: dict[Connection, _Worker[J]]) -> Connection:
    context = get_context("spawn")
    parent_end, child_end = context.Pipe()
    process = context.Process(target=_serve, args=(child_end,), daemon=True)
    with _child_settings():
        process.start()
    child_end.close()  # so that each side notices when the other one dies
    running[parent_end] = _Worker(process, job)
    return parent_end


def _send(connection: Connection, *values: Any) -> None:
    with suppress(OSError):  # the process is dead: wait() reports that
        for value in values:
            connection.send(value)


def _assign(connection: Connection, worker: _Worker[J], job: J, limit_s: Callable[[J], float] | None) -> None:
    worker.job, worker.limit_s = job, math.inf if limit_s is None else limit_s(job)
    worker.deadline = time.monotonic() + worker.limit_s
    _send(connection, job)


def _kill_over(workers: Collection[_Worker[Any]], most_bytes: float) -> float | None:
    """Kills the processes over a limit, as their pipes then tell; seconds until the next one may be over one."""
    now = time.monotonic()
    for worker in workers:
        if worker.killed_for:
            continue
        if worker.deadline <= now:
            worker.killed_for = f"it took longer than {worker.limit_s:.0f} s and was given up"
        elif most_bytes < math.inf and _memory(worker.process.pid) > most_bytes:
            worker.killed_for = f"it used more than {most_bytes / 2**30:.1f} GB of memory and was given up"
        if worker.killed_for:
            worker.deadline = math.inf
            worker.process.kill()
    soonest = min(worker.deadline for worker in workers) - now
    watched = min(soonest, _MEMORY_EACH_S) if most_bytes < math.inf else soonest
    return None if watched == math.inf else max(0.0, watched)


def _memory(process: int | None) -> int:
    """Resident bytes of a process; 0 where they cannot be known."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _receive(connection: Connection) -> Any:
    try:
        outcome, error = connection.recv()
    except (EOFError, OSError):
        return _Died()
    if error is not None:
        raise error
    return outcome


def _end(worker: _Worker[J], connection: Connection) -> None:
    connection.close()
    worker.process.join()


@contextmanager
def _child_settings() -> Iterator[None]:
    """Processes started in this context use one thread and ignore Ctrl-C, which a terminal sends to all processes."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    resource_tracker.ensure_running()  # if the first process started it, it would reset the mask
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited by the processes
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
    """Main function of a worker process: receives the function, then jobs."""
    _end_with_parent()
    try:
        function = connection.recv()
        while True:
            job = connection.recv()
            try:
                connection.send((function(job), None))
            except (ArtifactsError, OSError) as error:
                connection.send((None, error))
            except Exception:
                connection.send((None, RuntimeError(traceback.format_exc())))  # not every exception can be pickled
    except (EOFError, OSError):
        return  # the parent process has closed its end or died


def _end_with_parent() -> None:
    """Ends this process, in whatever it is doing, once its parent has died: nobody would receive the result."""
    parent = parent_process()
    assert parent is not None  # only worker processes call this
    if not parent.is_alive():
        os._exit(1)

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _reason(worker: _Worker[Any]) -> str:
    if worker.killed_for:
        return worker.killed_for
    code = worker.process.exitcode or 0
    return f"its process ended with {f'signal {signal.Signals(-code).name}' if code < 0 else f'exit status {code}'}"
