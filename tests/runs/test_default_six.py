"""analysis/default_six.py: which clips it takes, and its table for an encoder of label sets on a tiny corpus."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from loading import loaded
from scipy.special import expit

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.vectors import unit_rows
from contrastive_artifacts.data.corpora import Clip
from contrastive_artifacts.embedding import load
from contrastive_artifacts.models.figure_encoder import FigureEncoder, FigureSettings
from contrastive_artifacts.probes import Embedded, SetProbe

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def six() -> ModuleType:
    return loaded(ROOT / "analysis" / "default_six.py")


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    states = ("clean", "hum", "hiss")
    settings = FigureSettings(states, window_s=1.6, figures=64, channels=8, hidden=64, embedding=16)
    network = FigureEncoder(settings).eval()
    network.save(tmp_path / "encoder")
    weights = np.random.default_rng(0).standard_normal((3, 80)).astype(np.float32)
    zeros = np.zeros(3, np.float32)
    SetProbe(states, weights, zeros, weights, zeros, network.fingerprint()).save(tmp_path / "encoder")
    return tmp_path / "encoder"


def config(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    written = yaml.safe_load((ROOT / "configs" / "default_six.yaml").read_text(encoding="utf-8"))
    written.pop("defaults")
    corpora = {
        name: {"kind": "builtin", "seed": seed, "sources": 6, "duration_s": 2.0, "sample_rate": 22050}
        for seed, name in enumerate(("one", "other"))
    }
    small = {"corpora": corpora, "clips": 4, "duration_s": 1.6, "bootstrap": 20, "seeds": [0, 1]}
    return written | small | {"csv": str(tmp_path / "table.csv")} | changes


def test_clips_are_taken_in_rounds_of_sources_suspects_last(six: ModuleType) -> None:
    clips = [Clip(f"a{n}", "a", unknown=("hum",) if n < 9 else ("codec",)) for n in range(10)]
    clips += [Clip(f"b{n}", "b") for n in range(2)] + [Clip("c", "c", unknown=("hiss",))]
    chosen = six.chosen(clips, 5, 9, 0)
    assert Counter(clip.source for clip in chosen) == {"a": 2, "b": 2, "c": 1}
    assert chosen[0].source != chosen[1].source != chosen[2].source
    assert "a9" in {clip.id for clip in chosen}, "codec is none of the six, so this clip comes first of its source"
    assert Counter(clip.source for clip in six.chosen(clips, 99, 3, 0)) == {"a": 3, "b": 2, "c": 1}
    assert six.chosen(clips, 5, 9, 0) == chosen != six.chosen(clips, 5, 9, 1)


def test_the_table(six: ModuleType, encoder: Path, tmp_path: Path) -> None:
    six.main(config(tmp_path, encoders=[str(encoder)]))
    with open(tmp_path / "table.csv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["vector"] for row in rows} == {"h", "log odds", "chances"}, "the probe does not know all six"
    assert {row["views"] for row in rows} == {"all", "audible", "one", "other"}
    assert {row["seed"] for row in rows} == {"0", "1"}
    of_h = {row["views"]: row for row in rows if (row["vector"], row["seed"]) == ("h", "0")}
    assert of_h["all"]["train"] == of_h["all"]["test"] == str(2 * 2 * 7)
    assert of_h["all"]["test_sources"] == "4", "the same source number of two corpora is two sources"
    assert of_h["one"]["test"] == str(2 * 7)
    assert int(of_h["audible"]["test"]) < int(of_h["all"]["test"])
    numbers = {name: float(value) for name, value in of_h["all"].items() if name not in ("encoder", "vector", "views")}
    assert numbers["kNN5 - linear"] == pytest.approx(numbers["kNN5 macro-F1"] - numbers["linear macro-F1"], abs=2e-4)
    assert numbers["linear macro-F1 low"] <= numbers["linear macro-F1"] <= numbers["linear macro-F1 high"]
    recalls = [value for name, value in numbers.items() if name.startswith("linear recall")]
    assert len(recalls) == 7
    assert np.mean(recalls) > 0.2, "seven states: .14 by chance"


def test_vectors_of_the_release(six: ModuleType) -> None:
    h = unit_rows(np.random.default_rng(0).standard_normal((5, 384)).astype(np.float32))
    data = Embedded(h, ["clean"] * 5, np.zeros(5), ["a"] * 5)
    views = six.Views(data, np.ones(5, bool), np.zeros(5, bool), np.array(["a"] * 5))
    vectors = six.vectors("release/all", views)
    assert {name: x.shape[1] for name, x in vectors.items()} == {
        "h": 384, "log odds": 31, "chances": 31, "seven chances": 7,
    }  # fmt: skip
    np.testing.assert_allclose(expit(vectors["log odds"]), vectors["chances"], atol=1e-5)
    probe = load("release/all").probe
    np.testing.assert_array_equal(vectors["seven chances"][:, 0], vectors["chances"][:, 0])
    np.testing.assert_array_equal(vectors["seven chances"][:, 2], vectors["chances"][:, probe.classes.index("hum")])
    assert list(six.vectors("release/mn04", views)) == ["h"]


def test_wrong_settings_are_refused(six: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="clip"):
        six.main(config(tmp_path, clip=3))
    assert not (tmp_path / "table.csv").exists()
