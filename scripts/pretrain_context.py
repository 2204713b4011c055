"""Trains a context module for slow artifacts: python scripts/pretrain_context.py [run=DIR] [encoder=release|RUN] ...

The module works on windows of 10 s (window_s) on top of an encoder; the corpus is corpus=folder corpus.path=DIR or any
other. The result is a run like those of pretrain.py: probe it, scan with it, load it. Run it again to resume.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, stopped="The latest checkpoint is kept; run the same command again to go on from it.")

from typing import Any

from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.runs.context import pretrain_context


def main(config: dict[str, Any]) -> None:
    directory = config.pop("run")
    loss = pretrain_context(config, directory)
    table(
        "context module",
        ["kind", "window s", "held-out loss"],
        [[config["context"]["kind"], config["window_s"], f"{loss:.3f}"]],
    )
    console.print(f"encoder  {directory}/encoder")
    console.print(f"next     python scripts/probe.py run={directory} duration_s={config['window_s']}")
