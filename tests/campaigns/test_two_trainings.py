"""Two pretrainings of one run at once, and kills: the second is refused, the run ends as if undisturbed."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from contrastive_artifacts.core.lock import NAME

ROOT = Path(__file__).parents[2]
TINY = [
    "trainer=demo", "corpus.sources=16", "corpus.duration_s=1.0", "corpus.sample_rate=16000", "window_s=0.6",
    "backbone.weights=none", "artifacts.states=[clean,hiss,dropout]", "artifacts.severity=[0.8,1.0]",
    "trainer.steps=12", "trainer.sources=3", "trainer.validate_every=3", "trainer.workers=0", "encoder.hidden=32",
]  # fmt: skip


def start(run: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "scripts" / "pretrain.py"), f"run={run}", *TINY]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def wait_for_lock(run: Path, process: subprocess.Popen[str]) -> None:
    """Until the process holds the lock; the file may still be there from one that was killed."""
    while not (run / NAME).exists() or f'"pid": {process.pid},' not in (run / NAME).read_text():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


@pytest.mark.campaign
@pytest.mark.slow
def test_the_second_is_refused_and_a_killed_one_resumes(tmp_path: Path) -> None:
    with start(straight := tmp_path / "straight") as process:
        assert process.wait() == 0, process.communicate()
    run, rng = tmp_path / "run", random.Random(0)
    with start(run) as first:
        wait_for_lock(run, first)
        first.send_signal(signal.SIGSTOP)  # so that it is not finished before the second begins
        with start(run) as second:
            _, stderr = second.communicate()
        assert second.returncode == 1
        who = rf"run is in use by process {first.pid} on {re.escape(socket.gethostname())} \(pretraining since"
        assert re.search(who, stderr.replace("\n", " ")), stderr
        first.kill()
    for _ in range(3):
        with start(run) as process:
            wait_for_lock(run, process)
            time.sleep(rng.uniform(0.0, 3.0))
            process.kill()
    with start(run) as last:
        assert last.wait() == 0, last.communicate()
    assert not list(run.rglob(".*.tmp*"))
    assert not (run / NAME).exists()
    for name in ("encoder/encoder.safetensors", "encoder/encoder.json"):
        assert (run / name).read_bytes() == (straight / name).read_bytes()
