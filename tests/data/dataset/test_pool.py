"""Worker processes end with the process that started them, whatever they are doing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = """
import os
import sys
import time
from pathlib import Path
from contrastive_artifacts.data.dataset import pool


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
