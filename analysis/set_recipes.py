"""Measures what each term of the objective of label sets is worth.

    python analysis/set_recipes.py
    python analysis/set_recipes.py seeds=[0,1,2] 'unseen={speech: {kind: folder, path: DIR}}'

Trains every recipe with every seed on the same views, measures all on held-out sources, writes one CSV row per run and
side, and prints means over seeds. The same command again trains only what is not finished.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, stopped="Rendered views and runs are kept; run the same command again to go on.")

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.runs.measure_sets import SetFigures, measure_sets
from contrastive_artifacts.runs.sets import SetSections, pretrain_sets

FIGURES = ("area", "recall", "both", "others", "p_at_10", "same_source")


@dataclass(frozen=True, kw_only=True)
class Settings(SetSections):
    run: str
    recipes: dict[str, dict[str, float]]
    seeds: list[int]
    unseen: Mapping[str, Mapping[str, Any]] | None
    measured: int
    out: str
    csv: str


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    files.check_file("csv", settings.csv)
    sections = {key: config[key] for key in SetSections.__dataclass_fields__}
    rows: list[list[Any]] = []
    for recipe, changes in settings.recipes.items():
        for seed in settings.seeds:
            directory = Path(settings.out) / f"{recipe}-{seed}"
            changed = {
                "objective": {**settings.objective, **changes},
                "fitting": {**settings.fitting, "seed": seed},
            }
            pretrain_sets({**sections, **changed}, directory)
            for side, of_side in measure_sets(directory, settings.unseen or {}, settings.measured, 0).items():
                rows.append([recipe, seed, side, *(f"{value:.4f}" for value in values(of_side))])
            files.write_csv(settings.csv, [["recipe", "seed", "side", *FIGURES], *rows])
    means = []
    for recipe in settings.recipes:
        of_recipe = np.array([row[3:] for row in rows if row[0] == recipe], float)
        shown = zip(of_recipe.mean(0), of_recipe.std(0), strict=True)
        means.append([recipe, *(f"{mean:.3f} ± {deviation:.3f}" for mean, deviation in shown)])
    table("means over seeds and sides, with deviations", ["recipe", *FIGURES], means)
    console.print(f"rows  {settings.csv}")


def values(figures: SetFigures) -> list[float]:
    """The figures of one side in the order of FIGURES."""
    about = asdict(figures)
    pairs = about["pairs"]
    return [
        about["area"], about["recall"], pairs["both"][0], pairs["others"], about["precision_at_10"][0],
        about["same_source"],
    ]  # fmt: skip
