"""Runs jobs on the workers of a Ray cluster (https://docs.ray.io): what :mod:`.pool` does on one machine.

A worker is an actor with one CPU: what a job opens for all of them, such as an encoder, stays open in it. Ray starts a
worker that has died again; its job is tried three times in all, since a job may be what kills its workers.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from threadpoolctl import threadpool_limits

from . import device
from .errors import ParameterError, StorageError
from .pool import Crashed

J = TypeVar("J")
R = TypeVar("R")
_TRIES = 3
_ANSWER_S = 5.0  # in which an address must answer


@dataclass(frozen=True)
class RaySettings:
    """Which cluster, and how much of it.

    Attributes:
        address: "local" starts one on this machine, "auto" uses the one that this machine belongs to, else HOST:PORT.
        num_cpus: Workers, each with one CPU; None for as many as the cluster has CPUs.
        num_gpus: GPUs for the networks of encoders, shared among the workers; 0: they run on the CPU.
    """

    address: str = "local"
    num_cpus: int | None = None
    num_gpus: float = 0

    def __post_init__(self) -> None:
        if self.num_cpus is not None and self.num_cpus < 1:
            raise ParameterError(f"ray.num_cpus={self.num_cpus}: give at least one, or null for all of the cluster.")
        if not self.num_gpus >= 0:
            raise ParameterError(f"ray.num_gpus={self.num_gpus}: give 0 or more.")


@contextmanager
def chosen(engine: str, settings: RaySettings) -> Iterator[Cluster | None]:
    """:func:`cluster` for the engine "ray"; None for "local"."""
    if engine == "local":
        yield None
        return
    with cluster(settings) as workers:
        yield workers


@contextmanager
def cluster(settings: RaySettings) -> Iterator[Cluster]:
    """Connects to a cluster, or starts a local one that ends with the block.

    Raises:
        ParameterError: Ray is not installed, or nothing answers at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ModuleNotFoundError:
        raise ParameterError("engine=ray needs ray: pip install 'contrastive-artifacts[ray]'.") from None
    options: dict[str, Any] = {"num_cpus": settings.num_cpus, "num_gpus": settings.num_gpus}
    if settings.address != "local":
        options = {}  # a cluster has what it has
    _check_address(settings.address)
    try:
        ray.init(settings.address, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise _no_answer(settings.address, str(error).splitlines()[0]) from error
    try:
        yield Cluster(ray, settings)
    finally:
        ray.shutdown()


def _check_address(address: str) -> None:
    if address in ("local", "auto"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=_ANSWER_S):
            pass
    except (OSError, ValueError) as error:
        raise _no_answer(address, str(error)) from None


def _no_answer(address: str, reason: str) -> ParameterError:
    return ParameterError(
        f"ray.address={address}: no Ray cluster answers ({reason}); give HOST:PORT of its head node, auto on a machine "
        "of the cluster, or local."
    )


class _Worker:
    """What runs in the process of an actor."""

    def __init__(self, function: Callable[[Any], Any], folder: str, on_gpu: bool) -> None:
        self._function = function
        if on_gpu:
            os.environ[device.VARIABLE] = "cuda"
        with suppress(OSError):  # relative paths are those of the driver where folders are shared
            os.chdir(folder)

    def started(self) -> int:
        return os.getpid()

    def run(self, job: Any) -> Any:
        with threadpool_limits(1):  # as in pool: sums of several threads are rounded otherwise
            return self._function(job)


@dataclass
class _Task(Generic[J]):
    worker: Any
    job: J
    deadline: float
    limit_s: float


class Cluster:
    """A cluster in use; see :func:`cluster`.

    Attributes:
        processes: Process numbers of the workers that have started.
    """

    def __init__(self, ray: Any, settings: RaySettings) -> None:
        self._ray = ray
        most = int(ray.cluster_resources().get("CPU", 1))
        self._number = max(1, min(settings.num_cpus or most, most))
        self._gpus = settings.num_gpus / self._number
        self.processes: list[int] = []

    def results(
        self, function: Callable[[J], R], jobs: deque[J], limit_s: Callable[[J], float] = lambda _: math.inf
    ) -> Generator[tuple[J, R | Crashed], None, None]:
        """Yields ``(job, function(job))`` in the order in which jobs finish.

        Args:
            function: Function of one job; it, jobs and results must be picklable, and the package installed on all
                machines.
            jobs: Jobs, which are taken from the left. The caller may add some between two results.
            limit_s: Seconds that a job may take; after them its worker is ended, and the job yields :class:`Crashed`.

        Raises:
            StorageError: workers cannot start, as where the package is not installed on their machine.
            Exception: any exception of the function.
        """
        ray = self._ray
        actor = ray.remote(num_cpus=1, num_gpus=self._gpus, max_restarts=-1)(_Worker)
        starting: dict[Any, Any] = {}  # reference -> worker
        running: dict[Any, _Task[J]] = {}
        idle: list[Any] = []
        tries: dict[int, int] = {}  # identity of a job whose worker has died -> how often

        def start() -> None:
            worker = actor.remote(function, str(Path.cwd()), self._gpus > 0)
            starting[worker.started.remote()] = worker

        try:
            for _ in range(min(self._number, len(jobs))):
                start()
            while jobs or running:
                while jobs and idle:
                    worker, job = idle.pop(), jobs.popleft()
                    limit = limit_s(job)
                    running[worker.run.remote(job)] = _Task(worker, job, time.monotonic() + limit, limit)
                soonest = min((task.deadline for task in running.values()), default=math.inf) - time.monotonic()
                timeout = None if soonest == math.inf else max(0.0, soonest)
                ready, _ = ray.wait([*starting, *running], num_returns=1, timeout=timeout)
                for done in ready:
                    if done in starting:
                        self._add(idle, starting, done)
                        continue
                    task = running.pop(done)
                    try:
                        outcome: Any = ray.get(done)
                    except ray.exceptions.RayTaskError as error:
                        raise error.cause from None
                    except ray.exceptions.RayError as error:  # its process has died; Ray starts it again
                        tries[id(task.job)] = tries.get(id(task.job), 0) + 1
                        starting[task.worker.started.remote()] = task.worker
                        if tries[id(task.job)] < _TRIES:
                            jobs.appendleft(task.job)
                            continue
                        outcome = Crashed(f"its process ended {_TRIES} times: {type(error).__name__}")
                    else:
                        idle.append(task.worker)
                    yield task.job, outcome
                for late in [done for done, task in running.items() if task.deadline <= time.monotonic()]:
                    task = running.pop(late)
                    ray.kill(task.worker)
                    start()
                    yield task.job, Crashed(f"it took longer than {task.limit_s:.0f} s and was given up")
        finally:
            for worker in [*idle, *starting.values(), *(task.worker for task in running.values())]:
                ray.kill(worker)

    def _add(self, idle: list[Any], starting: dict[Any, Any], done: Any) -> None:
        """Takes a worker that has started, or waits for it again."""
        worker = starting.pop(done)
        try:
            self.processes.append(self._ray.get(done))
            idle.append(worker)
        except self._ray.exceptions.ActorDiedError as error:
            reason = str(error).strip().splitlines()[-1]
            raise StorageError(
                f"A worker of Ray could not start: {reason}. Install this version of contrastive-artifacts on all "
                "machines of the cluster."
            ) from error
        except self._ray.exceptions.RayError:
            starting[worker.started.remote()] = worker
