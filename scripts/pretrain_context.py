"""Trains a context module over an encoder, to recognise artifacts that take seconds.

    python scripts/pretrain_context.py
    python scripts/pretrain_context.py run=outputs/slow encoder=release/mn04 corpus=folder corpus.path=recordings/

The module takes the patch vectors of the encoder and the slow figures of windows of 10 s (window_s). The run is
like those of pretrain: probe it, scan with it, load it.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, stopped="The run is kept up to its latest checkpoint; run the same command again to resume it.")

import shlex
from typing import Any

from contrastive_artifacts.core import files
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.runs.context import pretrain_context
from contrastive_artifacts.training import distributed


def main(config: dict[str, Any]) -> None:
    distributed.require_one("pretrain_context")
    directory = config.pop("run")
    files.check_folder("run", directory)
    loss = pretrain_context(config, directory)
    table(
        "context module",
        ["kind", "window s", "held-out loss"],
        [[config["context"]["kind"], config["window_s"], f"{loss:.3f}"]],
    )
    console.print(f"encoder  {directory}/encoder")
    console.print(f"next     python scripts/probe.py {shlex.quote(directory)} duration_s={config['window_s']}")
