"""Measures what longer context brings to the recognition of artifacts.

    python analysis/long_range_context.py
    python analysis/long_range_context.py +encoders.mine=outputs/mine corpus=folder corpus.path=recordings/ clips=36

T1 score against context, T2 pairs that are alike in any one second, T3 the same patches shuffled in time, T4 how far
the attention reaches, T5 a record's revolution rate from its scores, T6 aggregators compared. Writes table.csv,
figure.png and report.md.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, stopped="Patches in OUT/cache are kept; run the same command again.")

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.embedding import open_encoder, released
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.encoder import Encoder
from contrastive_artifacts.runs import corpus_sections
from contrastive_artifacts.runs.long_range import CLASSES, PAIRS, REFERENCE_S, Entry, Plan, run_all
from contrastive_artifacts.runs.long_range.report import LADDER, TABLES, encoders, report, select, summary
from contrastive_artifacts.training.context import FitSettings


@dataclass(frozen=True)
class Settings:
    corpus: Mapping[str, Any]
    encoders: Mapping[str, str | Mapping[str, Any]]
    clips: int
    plan: Mapping[str, Any]
    fitting: Mapping[str, Any]
    out: str
    csv: str | None


def main(config: dict[str, Any]) -> None:
    started = time.perf_counter()
    settings = typed.settings(Settings, config, "")
    fitting = typed.settings(FitSettings, settings.fitting, "fitting", seed=settings.plan["seed"])
    plan = typed.settings(Plan, settings.plan, "plan", fitting=fitting)
    entries = [Entry(name, model(section, f"encoders.{name}")) for name, section in settings.encoders.items()]
    corpus, out = corpus_sections.make_corpus(settings.corpus), Path(settings.out)
    rows = run_all(entries, corpus, list(corpus.clips[: settings.clips]), plan, out / "cache")
    facts = {"clips": min(settings.clips, len(corpus)), "corpus": corpus.name, "seed": plan.seed, **about()}
    files.write_csv(out / "table.csv", [list(rows[0]), *(rounded(row) for row in rows)])
    draw(rows, plan, out / "figure.png")
    files.write_text(out / "report.md", report(rows, plan, facts))
    if settings.csv:
        for name, tests in TABLES.items():
            head = f"# {facts['command']} at {facts['commit']}, {facts['clips']} clips of {facts['corpus']}"
            selected = [row for row in rows if row["test"] in tests]
            lines = [[head], list(selected[0]), *(rounded(row) for row in selected)]
            files.write_csv(f"{settings.csv}_{name}.csv", lines)
    columns, cells = summary(rows)
    table("macro-F1 at 10 s (T6) and mean accuracy over the pairs (T2)", columns, cells)
    console.print(
        f"figures  {out}/table.csv, {out}/figure.png, {out}/report.md ({time.perf_counter() - started:.0f} s)"
    )


@dataclass(frozen=True)
class Published:
    """A network as it was published, under a name of ``encoders``."""

    backbone: str
    weights: str = "auto"


def model(section: str | Mapping[str, Any], name: str) -> Encoder | backbones.Backbone:
    """The network of a section of ``encoders``; ``name`` is that of the section, for messages."""
    if isinstance(section, Mapping):
        published = typed.settings(Published, section, name)
        return backbones.create(published.backbone, published.weights)
    folder = f"release/{section}" if section in released() else section
    return open_encoder(folder, "the long-range analysis")


def about() -> dict[str, str]:
    """The command, without paths that only this machine has, and the commit."""
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
    """Writes the figure: score against context by class, pairs and aggregators; one column per encoder."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = encoders(rows)
    figure, panels = plt.subplots(3, len(names), figsize=(5.2 * len(names), 13), layout="constrained", squeeze=False)
    colors = plt.get_cmap("tab10", len(CLASSES))
    bars = {"1 s": ("linear", 1.0), **{f"10 s {m}": (m, REFERENCE_S) for m in LADDER[:-1]}}
    for column, name in enumerate(names):
        for axes, kind in zip(panels[:2, column], ("linear", "attention"), strict=True):
            for i, label in enumerate((*CLASSES, "macro")):
                points = select(rows, test="T1", encoder=name, model=kind, label=label)
                points.sort(key=lambda row: row["context_s"])
                look = {"color": "black", "linewidth": 3} if label == "macro" else {"color": colors(i)}
                axes.plot(
                    [r["context_s"] for r in points], [r["value"] for r in points], marker="o", label=label, **look
                )
            axes.axhline(1 / len(CLASSES), color="grey", linestyle=":")
            title = "mean of patches, linear probe" if kind == "linear" else "attention over patches"
            axes.set(xscale="log", ylim=(0, 1), xlabel="context, s", ylabel="F1", title=f"{name}: {title}")
            axes.set_xticks(plan.contexts, [f"{c:g}" for c in plan.contexts])
            axes.minorticks_off()
        axes = panels[2, column]
        for i, (title, (model, context_s)) in enumerate(bars.items()):
            pairs = [select(rows, test="T2", encoder=name, model=model, label=p, context_s=context_s)[0] for p in PAIRS]
            edges = np.array([[r["value"] - r["low"], r["high"] - r["value"]] for r in pairs]).T
            where = np.arange(len(PAIRS)) + 0.16 * (i - 2)
            height = [r["value"] for r in pairs]
            axes.bar(where, height, 0.15, yerr=np.nan_to_num(edges.clip(0)), label=title, error_kw={"lw": 0.6})
        axes.axhline(0.5, color="grey", linestyle=":")
        axes.set_xticks(
            np.arange(len(PAIRS)), [p.replace(" / ", "\n").replace("once per", "once\nper") for p in PAIRS], fontsize=7
        )
        axes.set(ylim=(0, 1.02), ylabel="accuracy", title=f"{name}: pairs of one local sound")
    lines, groups = (panels[row, 0].get_legend_handles_labels() for row in (0, 2))
    figure.legend(*lines, loc="outside upper center", ncols=len(CLASSES) + 1, fontsize=8)
    figure.legend(*groups, loc="outside lower center", ncols=len(bars), fontsize=8)
    with files.atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=90)
    plt.close(figure)
