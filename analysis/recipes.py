"""Compares training recipes with each other and with baselines, over several seeds.

    python analysis/recipes.py corpus=esc10
    python analysis/recipes.py corpus=esc10 seeds=[0,1,2] 'unseen={speech: {kind: folder, path: DIR}}'

Trains every recipe with every seed, measures recipes and baselines on the held-out fold and on unseen corpora, writes
one CSV row per measurement and prints the means over seeds. The same command again trains only what is not finished.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, stopped="Runs are kept up to their latest checkpoint; run the same command again to go on.")

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from contrastive_artifacts.cli.configs import compose
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.baselines import FrozenBackbone, LogMelStatistics
from contrastive_artifacts.runs import corpus_sections, run, sections
from contrastive_artifacts.runs.measure import ViewEmbedder, embed_views, measure, summary
from contrastive_artifacts.runs.run import Run

CONFIGS = Path(__file__).parent.parent / "configs"


@dataclass(frozen=True)
class ProbeSettings:
    duration_s: float
    draws: int
    bootstrap: int
    probes: list[Literal["linear", "mlp"]]


@dataclass(frozen=True, kw_only=True)
class Settings(sections.PretrainSections):
    run: str
    recipes: list[str]
    backbones: list[str]
    weights: dict[str, str] | None
    seeds: list[int]
    unseen: dict[str, dict[str, Any]] | None
    probe: dict[str, Any]
    out: str
    csv: str


def main(config: dict[str, Any]) -> None:
    typed.settings(Settings, config, "")
    typed.settings(ProbeSettings, config["probe"], "probe")
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
    """Figures of a baseline; if it was measured before, they are read from its file."""
    path = Path(config["out"]) / f"{name}-{config['trainer']['seed']}" / "metrics.json"
    if not path.exists():
        model: ViewEmbedder = make()
        probe, seed = config["probe"], 1000
        corpus = corpus_sections.make_corpus(config["corpus"])
        splits = corpus_sections.make_splits(corpus, config["split"])
        sides = {"train": (corpus, splits["train"]), "test": (corpus, splits["test"])}
        others = corpus_sections.make_corpora(config["unseen"], "unseen")
        sides |= {key: (other, other.clips) for key, other in others.items()}
        views = sections.view_settings(config, model.sample_rate, probe["duration_s"])
        tables = embed_views(model, sides, views, seed, probe["draws"])
        files.write_json(path, measure(tables, probe["probes"], probe["bootstrap"], seed))
    return files.read_json(path)


def trained(config: dict[str, Any], recipe: str, backbone: str, weights: str) -> dict[str, Any]:
    """Figures of one training, which is started or resumed unless it is finished."""
    directory = Path(config["out"]) / f"{recipe}-{backbone}-{config['trainer']['seed']}"
    if not (directory / "metrics.json").exists():
        recipe_settings = compose(CONFIGS / "objective", recipe).settings
        objective = {name: setting.value for name, setting in recipe_settings.items()}
        shared = ("corpus", "split", "artifacts", "optim", "trainer", "window_s", "encoder")
        section = {key: config[key] for key in shared} | {"objective": objective}
        run.pretrain({**section, "backbone": {"name": backbone, "weights": weights}}, directory)
        Run(directory).probe(config["unseen"], seed=1000, **config["probe"])
    return files.read_json(directory / "metrics.json")


def rows_of(method: str, backbone: str, seed: int, figures: dict[str, Any]) -> list[dict[str, Any]]:
    """One row per space and side."""
    return [
        {"method": method, "backbone": backbone, "space": space, "side": side, "seed": seed, **summary(measured)}
        for space, sides in figures.items()
        for side, measured in sides.items()
    ]


def show(rows: list[dict[str, Any]]) -> None:
    """Prints mean and standard deviation over seeds."""
    keys = ("method", "backbone", "space", "side")
    groups = dict.fromkeys(tuple(row[k] for k in keys) for row in rows)
    names = [name for name in rows[0] if name not in (*keys, "seed")]
    cells = []
    for group in groups:
        seeds = [row for row in rows if tuple(row[k] for k in keys) == group]
        values = np.array([[np.nan if row[n] is None else row[n] for n in names] for row in seeds], float)
        cells.append([*group, *(f"{m:.3f}±{s:.3f}" for m, s in zip(values.mean(0), values.std(0), strict=True))])
    table(f"mean and standard deviation over seeds {sorted({row['seed'] for row in rows})}", [*keys, *names], cells)
