"""Compares recipes and baselines: python analysis/recipes.py corpus=esc10 [seeds=[0,1,2]] ['unseen={...}'] ...

Trains every recipe with every seed (finished runs are not trained again), measures them and the baselines on the
held-out fold and on unseen corpora, writes one CSV row per measurement and prints the means over seeds.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, stopped="Finished runs and the latest checkpoint are kept; run the same command again to go on.")

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from contrastive_artifacts.core import files
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.baselines import FrozenBackbone, LogMelStatistics
from contrastive_artifacts.runs import run, sections
from contrastive_artifacts.runs.measure import ViewEmbedder, embed_views, measure, summary
from contrastive_artifacts.runs.run import Run

CONFIGS = Path(__file__).parent.parent / "configs"


def main(config: dict[str, Any]) -> None:
    config |= {"unseen": config["unseen"] or {}, "weights": config["weights"] or {}}
    rows = []
    for seed in config["seeds"]:
        fold = {"by": "fold", "test": seed + 1, "validation": (seed + 1) % 4 + 1}
        base = {**config, "split": fold, "trainer": {**config["trainer"], "seed": seed}}
        rows += rows_of("log-mel statistics", "-", seed, baseline(base, "log-mel", LogMelStatistics))
        for name in config["backbones"]:
            weights = config["weights"].get(name, "auto")
            frozen = baseline(base, f"frozen-{name}", lambda n=name, w=weights: FrozenBackbone(backbones.create(n, w)))
            rows += rows_of("frozen", name, seed, frozen)
            for recipe in config["recipes"]:
                rows += rows_of(recipe, name, seed, trained(base, recipe, name, weights))
    files.write_csv(config["csv"], [list(rows[0]), *(row.values() for row in rows)])
    show(rows)
    console.print(f"rows  {config['csv']}")


def baseline(config: dict[str, Any], name: str, make: Any) -> dict[str, Any]:
    """Figures of a baseline; existing ones are read."""
    path = Path(config["out"]) / f"{name}-{config['trainer']['seed']}" / "metrics.json"
    if not path.exists():
        model: ViewEmbedder = make()
        probe, seed = config["probe"], 1000
        corpus = sections.make_corpus(config["corpus"])
        splits = sections.make_splits(corpus, config["split"])
        sides = {"train": (corpus, splits["train"]), "test": (corpus, splits["test"])}
        others = {key: sections.make_corpus(section) for key, section in config["unseen"].items()}
        sides |= {key: (other, other.clips) for key, other in others.items()}
        views = sections.view_settings(config, model.sample_rate, probe["duration_s"])
        tables = embed_views(model, sides, views, seed, probe["draws"])
        files.write_json(path, measure(tables, probe["probes"], probe["bootstrap"], seed))
    return files.read_json(path)


def trained(config: dict[str, Any], recipe: str, backbone: str, weights: str) -> dict[str, Any]:
    """Figures of one run, which is trained or resumed if it is not finished."""
    directory = Path(config["out"]) / f"{recipe}-{backbone}-{config['trainer']['seed']}"
    if not (directory / "metrics.json").exists():
        objective = yaml.safe_load((CONFIGS / "objective" / f"{recipe}.yaml").read_text(encoding="utf-8"))
        keys = ("corpus", "split", "artifacts", "optim", "trainer", "window_s", "encoder")
        section = {key: config[key] for key in keys} | {"objective": objective}
        run.pretrain({**section, "backbone": {"name": backbone, "weights": weights}}, directory)
        Run(directory).probe(config["unseen"], seed=1000, **config["probe"])
    return files.read_json(directory / "metrics.json")


def rows_of(method: str, backbone: str, seed: int, figures: dict[str, Any]) -> list[dict[str, Any]]:
    """One row per space and side."""
    return [
        {"method": method, "backbone": backbone, "space": space, "side": side, "seed": seed, **summary(side_figures)}
        for space, sides in figures.items()
        for side, side_figures in sides.items()
    ]


def show(rows: list[dict[str, Any]]) -> None:
    """Mean and standard deviation over seeds."""
    keys = ("method", "backbone", "space", "side")
    groups = dict.fromkeys(tuple(row[k] for k in keys) for row in rows)
    names = [name for name in rows[0] if name not in (*keys, "seed")]
    cells = []
    for group in groups:
        group_rows = [row for row in rows if tuple(row[k] for k in keys) == group]
        values = np.array([[np.nan if row[n] is None else row[n] for n in names] for row in group_rows], float)
        cells.append([*group, *(f"{m:.3f}±{s:.3f}" for m, s in zip(values.mean(0), values.std(0), strict=True))])
    table(f"mean and deviation over seeds {sorted({row['seed'] for row in rows})}", [*keys, *names], cells)
