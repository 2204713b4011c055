"""analysis/delivery.py: every fault in every delivery, and figures that follow from the views."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import yaml
from loading import loaded

import contrastive_artifacts as ca

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_every_fault_in_every_delivery(tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / "configs" / "delivery.yaml").read_text(encoding="utf-8"))
    config.pop("defaults")
    builtin = {"kind": "builtin", "seed": 9, "sources": 2, "duration_s": 6.0, "sample_rate": 22050}
    module = loaded(ROOT / "analysis" / "delivery.py")
    module.main(config | {"corpora": {"builtin": builtin}, "clips": 2, "csv": str(tmp_path / "table.csv")})
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    faults = set(ca.load("release").labels) - {"clean"}
    assert len(rows) == len(module.DELIVERIES) * (len(faults) + 2)
    for delivery in module.DELIVERIES:
        part = {row["fault"]: row for row in rows if row["delivery"] == delivery}
        assert part.keys() == faults | {"mean", "clean"}
        assert int(part["mean"]["views"]) == 2 * len(faults)
        means = np.mean([float(part[fault]["area"]) for fault in faults])
        assert float(part["mean"]["area"]) == pytest.approx(means, abs=1e-3)
        assert float(part["clicks"]["area"]) == 1.0


def test_figures_of_views_that_are_heard_by_construction() -> None:
    module = loaded(ROOT / "analysis" / "delivery.py")
    there = np.array([[0, 0], [0, 0], [1, 0], [1, 0], [0, 1]], bool)
    chances = np.array([[0.1, 0.2], [0.2, 0.1], [0.9, 0.0], [0.15, 0.0], [0.0, 0.8]])
    unknown = np.zeros_like(there)
    unknown[1, 0] = True  # this clean view says nothing about the first fault
    mean, clean, first, second = module._figures(["a", "b"], chances, there, unknown, chances > 0.5)
    assert first == ["a", 2, 1.0, 1.0, 0.5]
    assert second == ["b", 1, 1.0, 1.0, 1.0]
    assert mean == ["mean", 3, 1.0, 1.0, 0.75]
    assert clean == ["clean", 2, "", "", 0.0]
