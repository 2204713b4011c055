"""Pretrains an encoder: python scripts/pretrain.py [run=DIR] [corpus=folder corpus.path=DIR] [backbone=yamnet] ...

Run it again to resume: a run directory goes on where it was, and ends as if it had never stopped.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, stopped="The latest checkpoint is kept; run the same command again to go on from it.")

from typing import Any

from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.runs import run


def main(config: dict[str, Any]) -> None:
    directory = config.pop("run")
    result = run.pretrain(config, directory)
    rate, waited = f"{result.views_per_s:.0f}", f"{result.wait_share:.1%}"
    table(
        "pretraining",
        ["steps", "best step", "best validation loss", "views/s", "waited for views"],
        [[result.steps, result.best_step, f"{result.best_loss:.3f}", rate, waited]],
    )
    console.print(f"encoder  {directory}/encoder")
    console.print(f"log      {directory}/log.jsonl, or tensorboard --logdir {directory}/tensorboard")
    console.print(f"next     python scripts/probe.py run={directory}")
