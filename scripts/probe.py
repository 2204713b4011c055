"""Probes a run's encoder: python scripts/probe.py run=DIR ['unseen={speech: {kind: folder, path: DIR}}'] ...

Fits linear and MLP probes and kNN on views of the training sources, measures them on held-out sources and on any unseen
corpus, saves the probe beside the encoder, and writes tables, index, metrics and confusion matrices into the run.
With labels=FILE, what people said in the explorer (its export) is applied to the training rows before the fit.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, cli.Positional("RUN", "run"), stopped="No probe was saved; run the same command again.")

from pathlib import Path
from typing import Any

import matplotlib

from contrastive_artifacts import Index
from contrastive_artifacts.core import files
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.core.files import atomic_path
from contrastive_artifacts.probes import confusion_table
from contrastive_artifacts.runs.measure import summary
from contrastive_artifacts.runs.run import Run

SAID = ("kept", "relabelled", "rejected", "held_out", "unmatched")


def main(config: dict[str, Any]) -> None:
    directory = Path(config.pop("run"))
    figures = Run(directory).probe(config.pop("unseen") or {}, **config)
    if labels := files.read_json(directory / "probing.json")["labels"]:
        console.print("labels    " + ", ".join(f"{labels[name]} {name}" for name in SAID))
    rows = []
    for space, sides in figures.items():
        for side, found in sides.items():
            facts = summary(found)
            rows.append([space, side, *("-" if value is None else f"{value:.3f}" for value in facts.values())])
    table("held-out sources and unseen corpora", ["space", "side", *facts], rows)
    for side, found in figures["h"].items():
        hits = found["hit_leakage"]
        chances = {"P@10": found["retrieval"]["chance"], "leak": found["leakage"]["chance"]}
        chances |= {"source@10": hits["source_at_10"]["chance"], "sound class@10": hits["category_at_10"]["chance"]}
        shown = ", ".join(f"{name} {value:.3f}" for name, value in chances.items() if value is not None)
        console.print(f"\nby chance, {side}: {shown}")
        told = found["type"]["linear"]["confusion"]
        console.print(f"\nlinear probe on h, {side}: rows are the truth")
        console.print(confusion_table(told["counts"], told["classes"]), highlight=False)
        draw_confusion(told["counts"], told["classes"], directory / f"confusion-{side}.png", side)
    console.print(f"probe     {directory}/encoder (use: contrastive_artifacts.load({str(directory)!r}))")
    index = Index.open(directory / "index")
    console.print(f"tables    {directory}/tables; {directory}/index: {index.kind}, recall {index.recall:.2f}")
    console.print(f"figures   {directory}/metrics.json, {directory}/confusion-*.png")
    console.print(f"next      python analysis/embedding_map.py run={directory}")


def draw_confusion(counts: list[list[int]], classes: list[str], path: Path, title: str) -> None:
    """The confusion matrix as a picture: share of each true class, counts written in."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(1.6 + 0.75 * len(classes),) * 2, layout="constrained")
    shares = [[n / max(1, sum(row)) for n in row] for row in counts]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, row in enumerate(counts):
        for j, n in enumerate(row):
            axes.text(j, i, n, ha="center", va="center", color="white" if shares[i][j] > 0.5 else "black")
    axes.set(xlabel="told", ylabel="true", title=title)
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)
    plt.close(figure)
