"""A process that dies or hangs costs its job alone, and no worker outlives the process that started it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from contrastive_artifacts.core import pool
from contrastive_artifacts.core.errors import ParameterError

SCRIPT = """
import os
import sys
import time
from pathlib import Path
from contrastive_artifacts.core import pool


def job(path):
    Path(path).write_text(str(os.getpid()))
    time.sleep(300)


if __name__ == "__main__":
    list(pool.results(job, sys.argv[1:], 2))
"""


def is_alive(process: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def by(deadline: float) -> bool:
    time.sleep(0.05)
    return time.monotonic() < deadline


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks processes up in /proc")
def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "killed.py").write_text(SCRIPT)
    files = [tmp_path / "0", tmp_path / "1"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(tmp_path / "killed.py"), *map(str, files)]
    with subprocess.Popen(command, env=environment) as parent:
        deadline = time.monotonic() + 120
        while not all(file.exists() and file.read_text() for file in files):
            assert by(deadline)
            assert parent.poll() is None
        workers = [int(file.read_text()) for file in files]
        assert all(map(is_alive, workers))
        parent.kill()
    deadline = time.monotonic() + 60
    while any(map(is_alive, workers)):
        assert by(deadline), "a worker of a killed process works on"


def fragile(number: int) -> tuple[int, str]:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 100:
        raise ParameterError("a hundred is too much")
    return number * 2, os.environ["OMP_NUM_THREADS"]


def hanging_at_one(number: int) -> int:
    if number == 1:
        time.sleep(1000)
    return number


def threads(_: int) -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_a_job_has_one_thread_in_this_process_as_in_others() -> None:
    """Or the sums of a matrix product would depend on the number of workers."""
    with threadpool_limits(2):
        ((_, inside),) = pool.results(threads, [0], 1)
        assert set(inside) == {1}
        assert set(threads(0)) != {1}


@pytest.mark.slow
def test_a_process_that_dies_costs_its_job_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    outcomes = dict(pool.results(fragile, range(8), 2))
    assert os.environ["OMP_NUM_THREADS"] == "7"
    crashed = outcomes.pop(3)
    assert isinstance(crashed, pool.Crashed)
    assert "SIGKILL" in crashed.problem
    assert outcomes == {n: (n * 2, "1") for n in range(8) if n != 3}
    with pytest.raises(ParameterError, match="a hundred"):
        list(pool.results(fragile, [1, 100], 2))
    assert not multiprocessing.active_children()


def endless(number: int) -> int:
    while number:
        time.sleep(0.1)
    return number


@pytest.mark.slow
def test_a_closed_pool_leaves_no_process() -> None:
    results = pool.results(endless, range(5), 2)
    assert next(results) == (0, 0)
    assert len(multiprocessing.active_children()) == 2
    results.close()
    assert not multiprocessing.active_children()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_job_that_takes_too_long_is_given_up(workers: int) -> None:
    outcomes = dict(pool.results(hanging_at_one, range(4), workers, lambda job: 8.0 if job == 1 else 600.0))
    assert outcomes == {0: 0, 1: pool.Crashed("it took longer than 8 s and was given up"), 2: 2, 3: 3}
    assert not multiprocessing.active_children()
