"""analysis/left_out.py: which views it trains on, wrong labels, and its table on a tiny corpus."""

from __future__ import annotations

import csv
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml
from loading import loaded

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.data.figures import CachedViews
from contrastive_artifacts.runs.sets import fill_side, make_sides

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def left_out() -> ModuleType:
    return loaded(ROOT / "analysis" / "left_out.py")


def config(folder: Path, **changes: Any) -> dict[str, Any]:
    corpus = {"kind": "builtin", "seed": 3, "sources": 12, "duration_s": 2.0, "sample_rate": 22050}
    written = {}
    for name in ("pretrain_sets", "left_out"):
        written |= yaml.safe_load((ROOT / "configs" / f"{name}.yaml").read_text(encoding="utf-8"))
    written.pop("defaults")
    small = {
        "run": "", "corpora": {"one": corpus}, "artifacts": ["hiss", "clicks", "hum"], "cache": str(folder / "cache"),
        "split": {"by": "source", "train": 0.4, "validation": 0.2, "test": 0.4, "seed": 0}, "views": 48,
        "validation_views": 16, "workers": 1, "recipe": {"window_s": 1.6, "damaged": 7},
        "encoder": {"figures": 16, "channels": 8, "hidden": 16, "embedding": 8}, "fitting": {"epochs": 1, "batch": 8},
        "left_out": ["hum"], "seeds": [0], "shots": [1], "measured": 40, "csv": str(folder / "table.csv"),
    }  # fmt: skip
    return written | small | changes


@pytest.fixture(scope="module")
def views(left_out: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> CachedViews:
    settings = left_out.Settings(**config(tmp_path_factory.mktemp("left_out")))
    return fill_side(settings, make_sides(settings)["train"], settings.recipe_of(1), settings.views)


def test_views_with_kinds_that_are_left_out_are_not_trained_on(left_out: ModuleType, views: CachedViews) -> None:
    rest = left_out.without(views, ["hum"])
    hum = views.names.index("hum")
    there = views.column("labels", np.arange(len(views)))[:, hum]
    assert there.any()
    assert len(rest) == (~there).sum()
    assert not rest.column("labels", np.arange(len(rest)))[:, hum].any()


def test_a_share_of_the_labels_is_wrong_and_the_sounds_stay(left_out: ModuleType, views: CachedViews) -> None:
    all_rows = np.arange(len(views))
    wrong = left_out.MislabelledViews(views, 0.5, 0)
    same = (wrong.column("labels", all_rows) == views.column("labels", all_rows)).all(1)
    assert 0.3 < same.mean() < 0.95
    np.testing.assert_array_equal(wrong.column("slow", all_rows), views.column("slow", all_rows))
    again = left_out.MislabelledViews(views, 0.5, 0)
    np.testing.assert_array_equal(again.label_of, wrong.label_of)


def test_the_table_of_a_tiny_corpus(left_out: ModuleType, tmp_path: Path) -> None:
    trials = {"plain": {"contrastive": 0.5, "noise": 0.0}, "noisy": {"contrastive": 0.0, "noise": 0.2}}
    left_out.main(config(tmp_path, trials=trials))
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["trial"], row["space"]) for row in rows] == [(t, s) for t in trials for s in ("h", "z")]
    assert all(0 <= float(row[name]) <= 1 for row in rows for name in ("P@10 known", "P@10 left out", "1 shots"))


def test_kinds_that_are_not_rendered_cannot_be_left_out(left_out: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="reverb"):
        left_out.main(config(tmp_path, left_out=["reverb"]))
