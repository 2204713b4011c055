"""analysis/esc50_artifact.py: steps, choice on the validation fold and intervals, on a tiny corpus with folds."""

from __future__ import annotations

import csv
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml
from loading import loaded

from contrastive_artifacts import audio
from contrastive_artifacts.data import corpora

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def steps() -> ModuleType:
    return loaded(ROOT / "analysis" / "esc50_artifact.py")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Three sources in each of four folds, in three states; the network of a released encoder, which hears them."""
    folder = tmp_path_factory.mktemp("folds")
    corpus = corpora.create("builtin", seed=5, sources=12, duration_s=2.0, sample_rate=16000)
    lines = ["file,source,fold"]
    for number, clip in enumerate(corpus.clips):
        audio.write(folder / f"{number}.wav", *corpus.load(clip))
        lines.append(f"{number}.wav,{number},{number % 4 + 1}")
    (folder / "clips.csv").write_text("\n".join(lines))
    written = yaml.safe_load((ROOT / "configs" / "esc50_artifact.yaml").read_text(encoding="utf-8"))
    written.pop("defaults")
    return written | {
        "corpus": {"kind": "folder", "path": str(folder), "csv": "clips.csv"},
        "backbone": {"name": "yamnet", "weights": str(ROOT / "contrastive_artifacts" / "release" / "yamnet")},
        "artifacts": {"states": ["clean", "hiss", "dropout"], "severity": [0.8, 1.0]},
        "seeds": [0, 1], "duration_s": 2.0, "draws": 1, "chunks_s": [0.96], "l1": [1e-4], "l2": [0.1, 1.0],
        "dropout": [0.5], "patience": 1, "bootstrap": 50, "out": str(folder / "out"), "csv": str(folder / "table.csv"),
        "head": {"hidden": 16, "steps": 40, "sources": 3, "lr": 0.003, "validate_every": 10},
    }  # fmt: skip


def test_a_row_for_each_training_and_each_step(
    steps: ModuleType, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps.main(settings)
    text = Path(settings["csv"]).read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    names = [row["step"] for row in rows if row["seed"] == "all"]
    assert names == [
        "clean or damaged", "seven classes", "L1", "L2", "dropout", "early stopping", "all of these",
        "chunks of 0.96 s", "contrastive", "contrastive, all of these",
    ]  # fmt: skip
    figures = {row["step"]: float(row["test"]) for row in rows if row["seed"] == "all"}
    assert figures["clean or damaged"] > 0.55, "a constant answer has .40"
    for seed in ("0", "1"):
        strengths = [row["setting"] for row in rows if (row["step"], row["seed"]) == ("L2", seed)]
        assert strengths == ["0.1", "1"]
    for row in rows:
        if row["seed"] == "all":
            assert 0 <= float(row["low"]) <= float(row["test"]) <= float(row["high"]) <= 1
        if row["gain"]:
            gain = figures[row["step"]] - figures[row["against"]]
            assert float(row["gain"]) == pytest.approx(gain, abs=2e-3)
            assert float(row["gain low"]) <= float(row["gain"]) <= float(row["gain high"])
    monkeypatch.setattr(steps, "embed_views", lambda *_: pytest.fail("the features are on disk"))
    steps.main(settings)
    assert Path(settings["csv"]).read_text(encoding="utf-8") == text, "the same seeds give the same table"


def test_strengths_are_chosen_without_the_test_fold(steps: ModuleType) -> None:
    def outcome(strength: float, validation: float, right: bool) -> Any:
        truth = np.array(["clean", "hum"] * 4)
        predicted = truth if right else truth[::-1]
        sources = np.repeat(["a", "b"], 4)
        return steps.Outcome(steps.Variant("L2", "", f"{strength:g}"), 1, validation, 0.0, truth, predicted, sources)

    chosen = steps.chosen([outcome(0.1, 0.9, right=False), outcome(1.0, 0.2, right=True)])
    assert chosen.variant.setting == "0.1"
    (row,) = steps.over_seeds([[chosen], [chosen]], 20)
    assert (row["step"], row["setting"], row["test"]) == ("L2", "0.1", "0.000")


def test_chunks_of_a_view_vote(steps: ModuleType) -> None:
    views = steps.Views(
        np.arange(2 * 5 * 3, dtype=np.float32).reshape(2, 5, 3), np.array(["clean", "hum"]), np.zeros(2),
        np.array(["a", "b"]), np.array(["a", "b"]),
    )  # fmt: skip
    rows = steps.chunked(views, np.array(["clean", "hum"]), ("clean", "hum"), 2)
    assert rows.x.shape == (4, 6), "two chunks of two frames; the fifth frame fills none"
    np.testing.assert_array_equal(rows.x[0], [1.5, 2.5, 3.5, 3, 4, 5])
    assert rows.states.tolist() == [0, 0, 1, 1]
    assert rows.sources.tolist() == ["a", "a", "b", "b"]
