"""Measures an encoder of label sets on sources that it was not trained on.

    python scripts/probe_sets.py outputs/sets
    python scripts/probe_sets.py outputs/sets 'unseen={other:{kind:folder,path:recordings/}}'

Prints, for every fault, how well it is told from clean sound, and for all together: pairs of faults, retrieval across
sources, and the false segments per hour that the clean recordings raise at each threshold. Writes these
tables, and plots into RUN/plots: ROC and precision-recall of each fault, reliability, severities, confusion, and a map
of the views by fault (UMAP).
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, cli.Positional("RUN", "run"), stopped="Rendered views are kept; run the same command again.")

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.probes.set_metrics import FALSE_POSITIVES
from contrastive_artifacts.runs.measure_sets import AUDIBLE, measure_sets, summary

plots = cli.load(Path(__file__).parent / "plots" / "outcomes.py")


@dataclass(frozen=True)
class Settings:
    run: str
    unseen: Mapping[str, Mapping[str, Any]] | None
    views: int
    seed: int
    out: str | None


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    out = Path(settings.out or Path(settings.run) / "faults.csv")
    files.check_file("out", out)
    figures = measure_sets(settings.run, settings.unseen or {}, settings.views, settings.seed)
    columns = ["side", "fault", "views", "area", f"recall at {FALSE_POSITIVES:.0%}", "ECE"]
    rates = sorted({rate for of_side in figures.values() for rate in of_side.alarms})
    columns += [f"false/h at {rate:g}" for rate in rates]
    rows = [
        [side, name, fault.views, f"{fault.area:.3f}", f"{fault.recall:.2f}", f"{fault.calibration_error:.3f}",
         *(f"{of_side.alarms[rate][name]:.1f}" if name in of_side.alarms[rate] else "" for rate in rates)]
        for side, of_side in figures.items()
        for name, fault in of_side.faults.items()
    ]  # fmt: skip
    files.write_csv(out, [columns, *rows])
    sides = [[side, *row] for side, of_side in figures.items() for row in summary(of_side)]
    files.write_csv(out.with_name(f"{out.stem}_sides.csv"), [["side", "figure", "value", "low", "high"], *sides])
    table(f"each fault against clean sound, severities {AUDIBLE[0]:g}-{AUDIBLE[1]:g}", columns, rows)
    for side, of_side in figures.items():
        pairs, hits = of_side.pairs, of_side.precision_at_10
        console.print(f"{side}: mean area {of_side.area:.3f}, mean recall {of_side.recall:.3f}")
        console.print(
            f"  present: mean recall {of_side.present:.2f}, some fault in {of_side.flagged:.0%} of the clean views"
        )
        console.print(
            f"  two faults: both found {pairs.both.value:.2f} [{pairs.both.low:.2f}, {pairs.both.high:.2f}], "
            f"{pairs.others:.2f} others a view"
        )
        console.print(
            f"  retrieval: P@10 {hits.value:.2f} [{hits.low:.2f}, {hits.high:.2f}], nearest of the same source "
            f"{of_side.same_source:.2f}"
        )
        for rate, raised in of_side.alarms.items():
            console.print(
                f"  thresholds for {rate:g} false segments/h: {sum(raised.values()):.1f}/h on {of_side.hours:.2f} h of "
                f"clean sound, recall {of_side.recall_at[rate]:.2f}"
            )
        plots.draw_outcomes(of_side.outcomes, Path(settings.run) / "plots", side)
    console.print(f"figures  {settings.run}/metrics.json, {out}, {out.stem}_sides.csv beside it, {settings.run}/plots")
