"""Jobs on a local Ray cluster: a worker that is killed is started again, and what cannot be done is said soon."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import deque
from pathlib import Path

import pytest

from contrastive_artifacts.core import ray_pool
from contrastive_artifacts.core.device import VARIABLE
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.pool import Crashed
from contrastive_artifacts.core.ray_pool import RaySettings, cluster


def killed_at_first(path: Path) -> int | str:
    """The process that does the job; the process that begins it is killed the first time."""
    if path.name == "always" or (path.name == "once" and not path.exists()):
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if path.name == "slow":
        time.sleep(100)
    if path.name == "device":
        return os.environ.get(VARIABLE, "")
    return os.getpid()


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ParameterError, match=r"contrastive-artifacts\[ray\]"), cluster(RaySettings()):
        pass


@pytest.mark.parametrize("settings", [{"num_cpus": 0}, {"num_cpus": -1}, {"num_gpus": -1}])
def test_no_workers_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ParameterError, match=r"ray\.num_"):
        RaySettings(**settings)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1", "no port", "ray://127.0.0.1:1"])
def test_an_address_that_does_not_answer(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    with pytest.raises(ParameterError, match="no Ray cluster answers"), cluster(RaySettings(address)):
        pass


@pytest.mark.slow
def test_jobs_on_two_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    jobs = deque(tmp_path / name for name in ("a", "once", "b", "always", "c", "device", "slow"))
    outcomes = {}
    with cluster(RaySettings("local", 2, 1)) as workers:  # a GPU that Ray only counts
        for job, outcome in workers.results(killed_at_first, jobs, lambda job: 5 if job.name == "slow" else 100):
            outcomes[job.name] = outcome
            if job.name == "c":
                jobs.append(tmp_path / "added")
    assert all(isinstance(outcomes[name], int) for name in ("a", "b", "c", "once", "added"))
    assert outcomes["device"] == "cuda"
    assert isinstance(outcomes["always"], Crashed)
    assert outcomes["always"].problem.startswith(f"its process ended {ray_pool._TRIES} times")
    assert outcomes["slow"] == Crashed("it took longer than 5 s and was given up")
