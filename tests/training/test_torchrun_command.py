"""The verb ``pretrain`` under torchrun: the run of one process with the same batches; a kill changes no bit of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from contrastive_artifacts.core.lock import NAME

ROOT = Path(__file__).parents[2]
STEPS = 6
TINY = [
    "trainer=demo", "corpus.sources=16", "corpus.duration_s=1.0", "corpus.sample_rate=16000", "window_s=0.6",
    "backbone=ast", "backbone.weights=none", "+backbone.stride=16", "+backbone.depth=1", "+backbone.dim=32",
    "+backbone.heads=2", "artifacts.states=[clean,hiss,dropout]", "artifacts.severity=[0.8,1.0]",
    f"trainer.steps={STEPS}", "trainer.sources=4", "trainer.validate_every=2", "trainer.validation_clips=4",
    "trainer.workers=0", "encoder.hidden=32", "encoder.dropout=0",
]  # fmt: skip


def start(run: Path, processes: int) -> subprocess.Popen[str]:
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = [sys.executable, *(torchrun if processes > 1 else []), str(ROOT / "scripts" / "pretrain.py")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    words = [*command, f"run={run}", *TINY]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=250)
    return process.returncode, stdout, stderr


def losses(run: Path) -> dict[int, float]:
    """Step -> validation loss."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return {line["step"]: line["loss"] for line in lines if line["kind"] == "validation"}


@pytest.mark.slow
def test_two_processes_train_as_one_and_resume_to_the_bit(tmp_path: Path) -> None:
    alone, straight, killed = tmp_path / "alone", tmp_path / "straight", tmp_path / "killed"
    code, _, stderr = end(start(alone, 1))
    assert code == 0, stderr
    code, stdout, stderr = end(start(straight, 2))
    assert code == 0, stderr
    assert stdout.count("next     python scripts/probe.py") == 1, "the first process speaks for both"
    assert list(losses(straight)) == [2, 4, STEPS], "one log"
    assert losses(straight) == pytest.approx(losses(alone), rel=2e-3)
    together, one = (load_file(run / "state.safetensors") for run in (straight, alone))
    assert together.keys() == one.keys()
    weights = [name for name in one if name.startswith("encoder.") and one[name].is_floating_point()]
    for name in weights:  # AdamW moves a weight by the learning rate even where its gradient is all rounding
        torch.testing.assert_close(together[name], one[name], atol=5e-3, rtol=0, msg=lambda m, n=name: f"{n}: {m}")

    with start(killed, 2) as process:
        while not (killed / "state.safetensors").exists():
            assert process.poll() is None, end(process)
            time.sleep(0.01)
        first = re.search(r'"pid": (\d+)', (killed / NAME).read_text())
        assert first is not None
        os.kill(int(first[1]), 9)
        code, _, stderr = end(process)
    assert code != 0
    assert len(losses(killed)) < 3, "it was killed in the middle"
    code, _, stderr = end(start(killed, 2))
    assert code == 0, stderr
    resumed = load_file(killed / "state.safetensors")
    assert all(torch.equal(resumed[name], together[name]) for name in together)
    assert losses(killed) == losses(straight)
    code, _, stderr = end(start(killed, 1))
    assert code == 1
    assert "torchrun --nproc-per-node 2" in stderr.replace("\n", " ")
