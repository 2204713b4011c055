"""Pretrains an encoder on clean recordings, or resumes an interrupted pretraining.

    python scripts/pretrain.py
    python scripts/pretrain.py run=outputs/mine corpus=folder corpus.path=recordings/ backbone=yamnet trainer.steps=2000
    torchrun --nproc-per-node 8 scripts/pretrain.py run=outputs/large trainer=gpu trainer.sources=256

Artifacts are rendered into the recordings of the corpus. The same command again resumes the run from its checkpoint,
with the result of an uninterrupted run. Next: probe.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, stopped="The run is kept up to its latest checkpoint; run the same command again to resume it.")

import shlex
from pathlib import Path
from typing import Any

from contrastive_artifacts.core import files
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.runs import run
from contrastive_artifacts.training import distributed


def main(config: dict[str, Any]) -> None:
    directory = config.pop("run")
    plots = cli.load(Path(__file__).parent / "plots" / "outcomes.py") if config["plots"] else None
    if distributed.is_first():
        files.check_folder("run", directory)
    result = run.pretrain(config, directory, plots.validation if plots else None)
    if not distributed.is_first():
        return
    table(
        "pretraining",
        ["steps", "best step", "best validation loss", "views/s", "time waiting for views"],
        [[result.steps, result.best_step, f"{result.best_loss:.3f}", f"{result.views_per_s:.0f}",
          f"{result.wait_share:.1%}"]],
    )  # fmt: skip
    console.print(f"encoder  {directory}/encoder")
    console.print(f"log      {directory}/log.jsonl, or tensorboard --logdir {directory}/tensorboard")
    console.print(f"next     python scripts/probe.py {shlex.quote(directory)}")
