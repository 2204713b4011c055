"""Plots of what a probe says of held-out views: ROC and PR of each fault, reliability, severities, confusion, a map."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from contrastive_artifacts.core.files import atomic_path
from contrastive_artifacts.probes import Outcomes
from contrastive_artifacts.probes.geometry import umap_2d
from contrastive_artifacts.probes.metrics import spearman

Draw = Callable[[Any, Outcomes, int], str]  # draws a fault on axes, and returns the figure for its title
COLUMNS, CELL_IN = 5, 2.2
POINTS, LEAST = 1500, 5  # views on a map, at most and at least


def draw_outcomes(outcomes: Outcomes, directory: Path, side: str) -> list[Path]:
    """Writes the plots of one side into ``directory`` and returns their paths."""
    paths = []
    for name, figure in figures(outcomes, side):
        paths.append(directory / f"{name}-{side}.png")
        with atomic_path(paths[-1]) as temporary:
            figure.savefig(temporary, dpi=110)
        plt.close(figure)
    return paths


def figures(outcomes: Outcomes, side: str) -> Iterator[tuple[str, Any]]:
    """Name and figure of each plot; a map needs five views."""
    yield "roc", of_faults(outcomes, f"ROC against clean views, {side}", _roc, ("false positive rate", "recall"))
    yield "pr", of_faults(outcomes, f"precision and recall, {side}", _precision, ("recall", "precision"))
    yield "severity", of_faults(outcomes, f"severity, {side}", _severity, ("rendered", "estimated"))
    yield "reliability", reliability(outcomes, side)
    counts, classes = outcomes.confusion()
    yield "confusion", confusion(counts.tolist(), classes, side)
    if len(outcomes.vectors) >= LEAST:
        yield "umap", umap(outcomes, side)


def validation(outcomes: Outcomes) -> Iterator[tuple[str, Any]]:
    """The figures of a validation during training."""
    return figures(outcomes, "validation")


def umap(outcomes: Outcomes, side: str) -> Any:
    """One map for each fault: the views that hold it over all others, darker where it is more severe."""
    rows = np.random.default_rng(0).permutation(len(outcomes.vectors))[:POINTS]
    xy = umap_2d(outcomes.vectors[rows])
    xy = (xy - xy.min(axis=0)) / np.maximum(np.ptp(xy, axis=0), 1e-9)
    return of_faults(outcomes, f"views by fault (UMAP), {side}", partial(_map, rows=rows, xy=xy), ("", ""))


def of_faults(outcomes: Outcomes, title: str, draw: Draw, labels: tuple[str, str]) -> Any:
    """One small plot for each fault."""
    rows = math.ceil(len(outcomes.names) / COLUMNS)
    columns = min(COLUMNS, len(outcomes.names))
    size = (0.6 + CELL_IN * columns, 0.8 + CELL_IN * rows)
    figure, axes = plt.subplots(
        rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(outcomes.names) :]:
        axis.set_visible(False)
    for fault, (name, axis) in enumerate(zip(outcomes.names, axes.flat, strict=False)):
        axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        axis.set_title(f"{name} {draw(axis, outcomes, fault)}".strip(), fontsize=8)
    figure.suptitle(title)
    figure.supxlabel(labels[0])
    figure.supylabel(labels[1])
    return figure


def _roc(axis: Any, outcomes: Outcomes, fault: int) -> str:
    there, chances = outcomes.against_clean(fault)
    if there.all() or not there.any():
        return ""
    axis.plot([0, 1], [0, 1], color="0.8", linewidth=0.8)
    axis.plot(*roc_curve(there, chances)[:2])
    return f"{roc_auc_score(there, chances):.3f}"


def _precision(axis: Any, outcomes: Outcomes, fault: int) -> str:
    there, chances = outcomes.against_clean(fault)
    if there.all() or not there.any():
        return ""
    precision, recall, _ = precision_recall_curve(there, chances)
    axis.axhline(there.mean(), color="0.8", linewidth=0.8)  # what a constant answer has
    axis.step(recall, precision, where="post")
    return f"{average_precision_score(there, chances):.3f}"


def _severity(axis: Any, outcomes: Outcomes, fault: int) -> str:
    rendered, estimated = outcomes.severity_pairs(fault)
    axis.plot([0, 1], [0, 1], color="0.8", linewidth=0.8)
    axis.scatter(rendered, estimated, s=4, alpha=0.5)
    return f"{spearman(rendered, estimated):.2f}" if len(np.unique(rendered)) > 1 else ""


def _map(axis: Any, outcomes: Outcomes, fault: int, rows: np.ndarray, xy: np.ndarray) -> str:
    there, severities = outcomes.there[rows, fault], outcomes.severities[rows, fault]
    axis.scatter(*xy.T, s=2, color="0.85")
    axis.scatter(*xy[there].T, s=4, c=np.nan_to_num(severities[there], nan=1.0), cmap="viridis_r", vmin=0, vmax=1)
    axis.set(xticks=[], yticks=[])
    return ""


def reliability(outcomes: Outcomes, side: str) -> Any:
    """How often a fault is there where its chance is so large, and how many chances there are."""
    chances, shares, counts = outcomes.reliability().T
    figure, (upper, lower) = plt.subplots(
        2, 1, figsize=(4.5, 5.5), height_ratios=(3, 1), sharex=True, layout="constrained"
    )
    upper.plot([0, 1], [0, 1], color="0.8")
    upper.plot(chances, shares, marker="o")
    upper.set(ylabel="share in which the fault is there", ylim=(-0.02, 1.02), title=f"reliability, all faults, {side}")
    lower.bar(chances, counts, width=0.06)
    lower.set(xlabel="chance", ylabel="number", yscale="log", xlim=(-0.02, 1.02))
    return figure


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], title: str) -> Any:
    """The confusion matrix: colours are shares of each true class, numbers are counts."""
    cell = 0.75 if len(classes) <= 12 else 0.45
    figure, axes = plt.subplots(figsize=(1.6 + cell * len(classes),) * 2, layout="constrained")
    shares = [[n / max(1, sum(row)) for n in row] for row in counts]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, row in enumerate(counts):
        for j, n in enumerate(row):
            if n or len(classes) <= 12:
                axes.text(j, i, n, ha="center", va="center", color="white" if shares[i][j] > 0.5 else "black")
    axes.set(xlabel="predicted", ylabel="true", title=title)
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    return figure
