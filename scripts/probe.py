"""Probes the encoder of a run: trains classifiers on its vectors and measures them.

    python scripts/probe.py outputs/mine
    python scripts/probe.py outputs/mine 'unseen={speech: {kind: folder, path: DIR}}' labels=labels.csv

Trains linear and MLP probes and kNN on views of the training sources, measures them on held-out sources and on unseen
corpora, saves the probe with the encoder, and writes tables, index and metrics into the run, and plots of what the
saved probe says: ROC and precision-recall of each artifact, reliability, severities, confusion, and a map of the views
by artifact (UMAP). With labels=FILE the
labels that users gave in the explorer are applied to the training rows first. Next: embedding_map.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, cli.Positional("RUN", "run"), stopped="No probe was saved; run the same command again.")

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from contrastive_artifacts import Index
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.embedding.table import read_table
from contrastive_artifacts.probes import Embedded, Outcomes, Probe, confusion_table
from contrastive_artifacts.runs.measure import summary
from contrastive_artifacts.runs.run import Run

plots = cli.load(Path(__file__).parent / "plots" / "outcomes.py")
LABEL_COUNTS = ("kept", "relabelled", "rejected", "held_out", "unmatched")  # of labels, in probing.json


@dataclass(frozen=True)
class Settings:
    run: str
    unseen: Mapping[str, Mapping[str, Any]] | None
    probes: list[Literal["linear", "mlp"]]
    duration_s: float
    draws: int
    bootstrap: int
    seed: int
    labels: str | None


def main(config: dict[str, Any]) -> None:
    typed.settings(Settings, config, "")
    directory = Path(config.pop("run"))
    figures = Run(directory).probe(config.pop("unseen") or {}, **config)
    if labels := files.read_json(directory / "probing.json")["labels"]:
        console.print("labels    " + ", ".join(f"{labels[name]} {name}" for name in LABEL_COUNTS))
    rows = []
    for space, sides in figures.items():
        for side, measured in sides.items():
            facts = summary(measured)
            rows.append([space, side, *("-" if value is None else f"{value:.3f}" for value in facts.values())])
    table("held-out sources and unseen corpora", ["space", "side", *facts], rows)
    probe, embedded = Probe.load(directory / "encoder"), read_table(directory / "tables" / "h.parquet")
    for side, measured in figures["h"].items():
        hits = measured["hit_leakage"]
        chances = {"P@10": measured["retrieval"]["chance"], "leak": measured["leakage"]["chance"]}
        chances |= {"source@10": hits["source_at_10"]["chance"], "sound class@10": hits["category_at_10"]["chance"]}
        shown = ", ".join(f"{name} {value:.3f}" for name, value in chances.items() if value is not None)
        console.print(f"\nat chance, {side}: {shown}")
        confusion = measured["type"]["linear"]["confusion"]
        console.print(f"\nlinear probe on h, {side}: rows are the true classes, columns the predicted ones")
        console.print(confusion_table(confusion["counts"], confusion["classes"]), highlight=False)
        views = Embedded.from_table(embedded, side)
        outcomes = Outcomes.of_one_label(
            probe.classes, *probe.classify_batch(views.x), views.artifact, views.severity, views.x
        )
        plots.draw_outcomes(outcomes, directory / "plots", side)
    console.print(f"probe     {directory}/encoder (to use it: contrastive_artifacts.load({str(directory)!r}))")
    index = Index.open(directory / "index")
    console.print(f"tables    {directory}/tables; {directory}/index: {index.kind}, recall {index.recall:.2f}")
    console.print(f"figures   {directory}/metrics.json, {directory}/plots")
    console.print(f"next      python analysis/embedding_map.py {shlex.quote(str(directory))}")
