"""Trains an encoder of label sets, which hears all faults of a recording at once.

    python scripts/pretrain_sets.py
    python scripts/pretrain_sets.py run=outputs/mine 'corpora={mine:{kind:folder,path:recordings}}' views=40000

Views are rendered into the clean recordings once and stored as figures, so that training takes minutes. The encoder is
calibrated, and its thresholds are set for a number of false alarms per hour. The same command again goes on where an
interrupted one stopped. Next: scan with it, or measure it with probe_sets.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, stopped="Rendered views and the latest checkpoint are kept; run the same command again.")

import shlex
from pathlib import Path
from typing import Any

from contrastive_artifacts.core import files
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.probes import SetProbe
from contrastive_artifacts.runs.sets import pretrain_sets
from contrastive_artifacts.training import distributed


def main(config: dict[str, Any]) -> None:
    distributed.require_one("pretrain_sets")
    directory = config.pop("run")
    plots = cli.load(Path(__file__).parent / "plots" / "outcomes.py") if config["plots"] else None
    files.check_folder("run", directory)
    loss = pretrain_sets(config, directory, plots.validation if plots else None)
    probe = SetProbe.load(f"{directory}/encoder")
    rates = sorted(probe.thresholds)
    rows = [
        [name, *(f"{probe.thresholds[rate][column]:.3f}" for rate in rates)]
        for column, name in enumerate(probe.classes)
        if column
    ]
    table("thresholds for false segments per hour", ["fault", *(f"{rate:g}/h" for rate in rates)], rows)
    console.print(f"validation loss {loss:.3f}")
    console.print(f"encoder  {directory}/encoder")
    if plots:
        console.print(f"log      tensorboard --logdir {directory}/tensorboard")
    console.print(f"next     python scripts/probe_sets.py {shlex.quote(directory)}")
