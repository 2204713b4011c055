"""Scores by context length: python analysis/long_range_context.py [encoders.mine=outputs/mine] [corpus=...] [clips=36]

T1 score against context, T2 pairs with equal local sound, T3 the same patches shuffled in time, T4 attention distance,
T5 the rate of a record from its scores, T6 the ladder of aggregators. Writes table.csv, figure.png and report.md.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, stopped="Patches in OUT/cache are kept; run the same command again.")

import sys
import time
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from contrastive_artifacts.core import files
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.embedding import open_encoder, released
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.encoder import Encoder
from contrastive_artifacts.runs import sections, typed
from contrastive_artifacts.runs.long_range import CLASSES, PAIRS, REFERENCE_S, Entry, Plan, run_all
from contrastive_artifacts.runs.long_range.report import LADDER, TABLES, encoders, report, select, summary
from contrastive_artifacts.training.context import FitSettings


def main(config: dict[str, Any]) -> None:
    started = time.perf_counter()
    sizes = {k: tuple(v) if isinstance(v, list) else v for k, v in config["plan"].items()}
    fitting = typed.settings(FitSettings, {**config["fitting"], "seed": sizes["seed"]}, "fitting")
    plan = typed.settings(Plan, {**sizes, "fitting": fitting}, "plan")
    entries = [Entry(name, model(section)) for name, section in config["encoders"].items()]
    corpus, out = sections.make_corpus(config["corpus"]), Path(config["out"])
    rows = run_all(entries, corpus, list(corpus.clips[: config["clips"]]), plan, out / "cache")
    facts = {"clips": min(config["clips"], len(corpus)), "corpus": corpus.name, "seed": plan.seed, **about()}
    files.write_csv(out / "table.csv", [list(rows[0]), *(rounded(row) for row in rows)])
    draw(rows, plan, out / "figure.png")
    files.write_text(out / "report.md", report(rows, plan, facts))
    if config["csv"]:
        for name, tests in TABLES.items():
            head = f"# {facts['command']} at {facts['commit']}, {facts['clips']} clips of {facts['corpus']}"
            part = [row for row in rows if row["test"] in tests]
            files.write_csv(f"{config['csv']}_{name}.csv", [[head], list(part[0]), *(rounded(row) for row in part)])
    columns, cells = summary(rows)
    table("macro-F1 at 10 s (T6) and mean accuracy over the pairs (T2)", columns, cells)
    console.print(
        f"figures  {out}/table.csv, {out}/figure.png, {out}/report.md ({time.perf_counter() - started:.0f} s)"
    )


def model(section: Any) -> Encoder | backbones.Backbone:
    """The network of a section of ``encoders``."""
    if isinstance(section, dict):
        return backbones.create(section["backbone"], section.get("weights", "auto"))
    name = f"release/{section}" if section in released() else section
    return open_encoder(name, "the long-range analysis")


def about() -> dict[str, str]:
    """The command, without paths of this machine, and the commit."""
    words = [w if "weights=" not in w else w.partition("=")[0] + "=WEIGHTS" for w in sys.argv[1:]]
    words = [w for w in words if not w.startswith(("out=", "hydra."))]
    return {
        "command": " ".join(["python analysis/long_range_context.py", *words]),
        "commit": files.commit(__file__),
    }


def rounded(row: dict[str, Any]) -> list[Any]:
    """Figures with four decimals; undefined ones are empty."""
    return [("" if v != v else f"{v:.4f}") if isinstance(v, float) else v for v in row.values()]


def draw(rows: list[dict[str, Any]], plan: Plan, path: Path) -> None:
    """Score against context by class and accuracy on the pairs; one column per encoder."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = encoders(rows)
    figure, panels = plt.subplots(3, len(names), figsize=(5.2 * len(names), 13), layout="constrained", squeeze=False)
    colors = plt.get_cmap("tab10", len(CLASSES))
    bars = {"1 s": ("linear", 1.0), **{f"10 s {m}": (m, REFERENCE_S) for m in LADDER[:-1]}}
    for column, name in enumerate(names):
        for axes, kind in zip(panels[:2, column], ("linear", "attention"), strict=True):
            for i, label in enumerate((*CLASSES, "macro")):
                cells = select(rows, test="T1", encoder=name, model=kind, label=label)
                cells.sort(key=lambda row: row["context_s"])
                style = {"color": "black", "linewidth": 3} if label == "macro" else {"color": colors(i)}
                axes.plot(
                    [r["context_s"] for r in cells], [r["value"] for r in cells], marker="o", label=label, **style
                )
            axes.axhline(1 / len(CLASSES), color="grey", linestyle=":")
            title = "mean of patches, linear probe" if kind == "linear" else "attention over patches"
            axes.set(xscale="log", ylim=(0, 1), xlabel="context, s", ylabel="F1", title=f"{name}: {title}")
            axes.set_xticks(plan.contexts, [f"{c:g}" for c in plan.contexts])
            axes.minorticks_off()
        axes = panels[2, column]
        for i, (title, (model, context_s)) in enumerate(bars.items()):
            cells = [select(rows, test="T2", encoder=name, model=model, label=p, context_s=context_s)[0] for p in PAIRS]
            edges = np.array([[r["value"] - r["low"], r["high"] - r["value"]] for r in cells]).T
            where = np.arange(len(PAIRS)) + 0.16 * (i - 2)
            height = [r["value"] for r in cells]
            axes.bar(where, height, 0.15, yerr=np.nan_to_num(edges.clip(0)), label=title, error_kw={"lw": 0.6})
        axes.axhline(0.5, color="grey", linestyle=":")
        axes.set_xticks(
            np.arange(len(PAIRS)), [p.replace(" / ", "\n").replace("once per", "once\nper") for p in PAIRS], fontsize=7
        )
        axes.set(ylim=(0, 1.02), ylabel="accuracy", title=f"{name}: pairs with equal local sound")
    lines, groups = (panels[row, 0].get_legend_handles_labels() for row in (0, 2))
    figure.legend(*lines, loc="outside upper center", ncols=len(CLASSES) + 1, fontsize=8)
    figure.legend(*groups, loc="outside lower center", ncols=len(bars), fontsize=8)
    with files.atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=90)
    plt.close(figure)
