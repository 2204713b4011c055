"""Views a second of `pretrain` with one process and with several of torchrun (gloo, on CPUs).

    python benchmarks/train.py [--processes 1,2] [--steps 60] [--sources 16] [--rounds 3]

Runs alternate, each of them into a new folder, over the built-in corpus and random weights of mn04. A process has one
thread and renders its views itself (trainer.workers=0), so N processes use N cores. The batch of all processes
together is the same, and so are the losses. Writes results/train.csv: of each run the views a second from the first
step to the last (start and validation left out), and the one-minute load of the machine before it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from contrastive_artifacts.core import files

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results" / "train.csv"
HEADER = ("processes", "round", "sources", "steps", "views_per_s", "load", "cores", "cpu", "commit", "command")
EVERY = 10  # steps between two lines of the log


def views_per_s(run: Path) -> float:
    """The rate between the first and the last line of the log of a run: without the start of the training.

    A line has the mean rate since the start, so step / rate is the time since then in units of views per step.
    """
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    times = {line["step"]: line["step"] / line["views_per_s"] for line in lines if line["kind"] == "train"}
    first, last = min(times), max(times)
    return (last - first) / (times[last] - times[first])


def trained(processes: int, steps: int, sources: int) -> float:
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    with tempfile.TemporaryDirectory() as folder:
        words = [
            f"run={folder}/run", "backbone.weights=none", "corpus.sources=160", f"trainer.steps={steps}",
            f"trainer.sources={sources}", f"trainer.validate_every={steps}", "trainer.validation_clips=8",
            "trainer.workers=0", "trainer.patience=0", "trainer.device=cpu",
        ]  # fmt: skip
        command = [sys.executable, *(torchrun if processes > 1 else []), str(ROOT / "scripts" / "pretrain.py"), *words]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        return views_per_s(Path(folder) / "run")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", default="1,2")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--sources", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.steps < 2 * EVERY or arguments.steps % EVERY:
        parser.error(f"--steps: give a multiple of {EVERY}, {2 * EVERY} or more")
    rows = []
    for number in range(arguments.rounds):
        for processes in map(int, arguments.processes.split(",")):
            load = os.getloadavg()[0]
            rate = trained(processes, arguments.steps, arguments.sources)
            about = (os.cpu_count(), platform.processor() or platform.machine(), files.commit(__file__))
            command = " ".join(["python", *sys.argv])
            rows.append((processes, number, arguments.sources, arguments.steps, f"{rate:.2f}", f"{load:.1f}", *about))
            rows[-1] += (command,)
            print(f"{processes} processes, round {number}: {rate:.2f} views/s at a load of {load:.1f}", flush=True)
            files.write_csv(RESULTS, [HEADER, *rows])


if __name__ == "__main__":
    main()
