"""Measures encoders of label sets on kinds of faults that they were not trained on.

    python analysis/left_out.py
    python analysis/left_out.py seeds=[0,1,2] 'unseen={speech: {kind: folder, path: DIR}}'

Every trial is trained with every seed on the views that hold none of left_out, and measured on sources that it was not
trained on: the share of the ten nearest views of other sources that hold the same fault, for kinds that it knows and
for those that it does not; the same for a search by the mean of a few examples; and how often the nearest view is of
the same source. In h and in z. Beside these the mean area of the kinds that it knows, each against clean. Writes one
CSV row per trial, seed, side and space; nan where too few sources have the kinds for so many examples.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, stopped="Rendered views are kept; run the same command again.")

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from contrastive_artifacts.artifacts import CLEAN
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, counted, table
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.seeding import generator
from contrastive_artifacts.data.figures import CachedViews, FigureCache
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.figure_encoder import STRIDE, FigureEncoder
from contrastive_artifacts.probes import few_shot
from contrastive_artifacts.probes.knn import NeighbourTable
from contrastive_artifacts.probes.set_metrics import fault_figures
from contrastive_artifacts.probes.spaces import retrieval
from contrastive_artifacts.runs import corpus_sections
from contrastive_artifacts.runs.measure_sets import UNVARIED
from contrastive_artifacts.runs.sets import SetSections, fill_side, make_sides
from contrastive_artifacts.training.sets import BATCH, fit_sets

LABELS = ("labels", "severities", "active")  # columns that say what is there


@dataclass(frozen=True, kw_only=True)
class Settings(SetSections):
    run: str
    left_out: list[str]
    trials: dict[str, dict[str, float]]
    shots: list[int]
    seeds: list[int]
    unseen: Mapping[str, Mapping[str, Any]] | None
    measured: int
    csv: str


class MislabelledViews(CachedViews):
    """Views of which a share has the labels of another, random view."""

    def __init__(self, views: CachedViews, share: float, seed: int) -> None:
        rng = generator("wrong labels", seed)
        self.label_of = np.arange(len(views))
        wrong = np.flatnonzero(rng.random(len(views)) < share)
        self.label_of[wrong] = rng.integers(len(views), size=len(wrong))
        super().__init__(views.caches, views.cell)  # which asks for labels

    def column(self, name: str, views: np.ndarray) -> np.ndarray:
        return super().column(name, self.label_of[views] if name in LABELS else views)


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    files.check_file("csv", settings.csv)
    names = settings.recipe_of(1).names
    unknown = sorted(set(settings.left_out) - set(names))
    if unknown:
        raise ParameterError(f"left_out names {unknown}, which artifacts={settings.artifacts} does not have.")
    sides = make_sides(settings)
    train = without(fill_side(settings, sides["train"], settings.recipe_of(1), settings.views), settings.left_out)
    validation = fill_side(settings, sides["validation"], settings.recipe_of(2), settings.validation_views)
    validation = without(validation, settings.left_out)
    measured = measured_sides(settings, sides)
    rows: list[list[Any]] = []
    for trial, changes in settings.trials.items():
        for seed in settings.seeds:
            encoder = trained(settings, train, validation, changes, seed)
            for side, views in measured.items():
                for space, figures in figures_of(encoder, views, settings).items():
                    rows.append([trial, seed, side, space, *(f"{value:.4f}" for value in figures.values())])
            files.write_csv(settings.csv, [["trial", "seed", "side", "space", *figures], *rows])
    show(rows, list(figures))
    console.print(f"rows  {settings.csv}")


def without(views: CachedViews, kinds: list[str]) -> CachedViews:
    """The views that hold none of the kinds."""
    columns = [views.names.index(name) for name in kinds]

    def rest(cache: FigureCache) -> FigureCache:
        there = np.asarray(cache.arrays["labels"][cache.rows])[:, columns].any(1)
        return dataclasses.replace(cache, rows=cache.rows[~there])

    return CachedViews([rest(cache) for cache in views.caches], STRIDE, views.clip_faults)


def measured_sides(settings: Settings, sides: Any) -> dict[str, CachedViews]:
    """Side -> views with one fault or none, of sources that were not trained on."""
    recipe = settings.recipe_of(100, counts=(1.0,), **UNVARIED)
    if not settings.unseen:
        return {"test": fill_side(settings, sides["test"], recipe, settings.measured)}
    measured = {}
    for name, section in settings.unseen.items():
        corpus = corpus_sections.make_corpus(section, f"unseen.{name}")
        measured[name] = fill_side(settings, {name: (corpus, list(corpus.clips))}, recipe, settings.measured)
    return measured


def trained(
    settings: Settings, train: CachedViews, validation: CachedViews, changes: Mapping[str, float], seed: int
) -> FigureEncoder:
    """An encoder trained with one objective and one share of wrong labels."""
    backbone = None if settings.backbone is None else backbones.create(**settings.backbone)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = FigureEncoder(settings.sizes, backbone)
    objective = dataclasses.replace(settings.loss, contrastive=changes["contrastive"])
    fitting = dataclasses.replace(settings.fit, seed=seed)
    views = MislabelledViews(train, changes["noise"], seed) if changes["noise"] else train
    with counted("train", fitting.epochs * len(views)) as progress:
        fit_sets(encoder, views, validation, fitting, objective, None, progress)
    return encoder


def figures_of(encoder: FigureEncoder, views: CachedViews, settings: Settings) -> dict[str, dict[str, float]]:
    """Space -> figure -> value."""
    with torch.inference_mode():
        encoded = [encoder(views.figures(part)) for part in views.in_order(BATCH)]
    there = views.column("labels", np.arange(len(views)))
    chances = torch.cat([e.logits for e in encoded])[:, 1:].sigmoid().numpy()
    areas = [f.area for name, f in fault_figures(views.names, chances, there).items() if name not in settings.left_out]
    kinds = np.where(there.any(1), np.array(views.names)[there.argmax(1)], CLEAN)
    left_out = np.isin(kinds, settings.left_out)
    sources = views.sources.astype(str)
    figures = {}
    for space, parts in (("h", [e.h for e in encoded]), ("z", [e.z for e in encoded])):
        x = torch.cat(parts).numpy()
        neighbours = NeighbourTable.of(x, sources)
        precision = retrieval(neighbours, kinds).precision_at_10
        known = ~left_out & (kinds != CLEAN)
        figures[space] = {
            "mean area": float(np.mean(areas)),
            "P@10 known": float(precision[known].mean()),
            "P@10 left out": float(precision[left_out].mean()),
            "same source": float((sources[neighbours.nearest[:, 0]] == sources).mean()),
        }
        for shots in settings.shots:
            searches = [
                few_shot(x, kinds, sources, kind, shots).precision_at_10
                for kind in settings.left_out
                if len(np.unique(sources[kinds == kind])) > shots
            ]
            figures[space][f"{shots} shots"] = float(np.mean(searches)) if searches else float("nan")
    return figures


def show(rows: list[list[Any]], figures: list[str]) -> None:
    """Prints means over seeds and sides."""
    groups: dict[tuple[str, str], list[list[float]]] = {}
    for trial, _, _, space, *values in rows:
        groups.setdefault((trial, space), []).append([float(value) for value in values])
    means = [[*keys, *(f"{value:.3f}" for value in np.nanmean(values, axis=0))] for keys, values in groups.items()]
    table("means over seeds and sides", ["trial", "space", *figures], means)
