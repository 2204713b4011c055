"""A run of label sets from clean sounds to figures: one encoder that ``load``, ``scan`` and ``classify`` take."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from loading import loaded
from matplotlib.image import imread

import contrastive_artifacts as ca
from contrastive_artifacts.core import files
from contrastive_artifacts.core.errors import ParameterError, StorageError, TrainingError
from contrastive_artifacts.embedding import open_set_encoder
from contrastive_artifacts.probes import Interval, SetProbe
from contrastive_artifacts.runs.measure_sets import _plain, measure_sets, summary
from contrastive_artifacts.runs.sets import pretrain_sets


def config(cache, **changes):
    corpora = {
        name: {"kind": "builtin", "seed": seed, "sources": 10, "duration_s": 2.0, "sample_rate": 22050}
        for seed, name in enumerate(("one", "other"))
    }
    return {
        "corpora": corpora,
        "split": {"by": "source", "train": 0.6, "validation": 0.2, "test": 0.2, "seed": 0},
        "artifacts": ["hiss", "clicks", "hum", "polarity"],
        "views": 64, "compounds": 16, "validation_views": 32, "cache": str(cache), "workers": 1, "backbone": None,
        "start": None, "recipe": {"window_s": 1.6, "damaged": 7, "counts": [0.6, 0.4]},
        "encoder": {"figures": 16, "channels": 8, "hidden": 16, "embedding": 8},
        "objective": {}, "fitting": {"epochs": 3, "batch": 16, "lr": 0.005}, "alarms_per_hour": [6.0, 60.0], "seed": 0,
        "plots": False,
        **changes,
    }  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    pretrain_sets(config(folder / "cache"), folder / "run")
    return folder / "run"


def test_the_run_is_an_encoder_of_sets(run):
    encoder = ca.load(run)
    assert encoder.labels == ("clean", "hum", "hiss", "clicks") or set(encoder.labels) == {
        "clean",
        "hum",
        "hiss",
        "clicks",
    }
    assert "polarity" not in encoder.labels, "one channel does not show it"
    probe = SetProbe.load(run / "encoder")
    assert sorted(probe.thresholds) == [6.0, 60.0]
    assert (probe.enter(6)[1:] >= probe.enter(60)[1:]).all()
    x = 0.1 * np.random.default_rng(0).standard_normal(44100 * 2).astype(np.float32)
    verdict = encoder.classify((x, 44100))
    assert set(verdict.probabilities) == set(encoder.labels)


def test_a_finished_run_is_run_again_without_change(run):
    before = (run / "encoder" / "encoder.safetensors").read_bytes()
    pretrain_sets(config(run.parent / "cache"), run)
    assert (run / "encoder" / "encoder.safetensors").read_bytes() == before


def test_another_configuration_is_refused(run):
    with pytest.raises(TrainingError, match="another configuration"):
        pretrain_sets(config(run.parent / "cache", seed=5), run)


def test_a_training_starts_from_a_trained_encoder(run, tmp_path):
    """At a vanishing learning rate it stays that encoder; with another window of the slow figures, too."""
    settings = config(run.parent / "cache", start=str(run / "encoder"), alarms_per_hour=[])
    settings["fitting"] = {"epochs": 1, "batch": 16, "lr": 1e-12}
    settings["recipe"] = {**settings["recipe"], "context_s": 1.8}
    pretrain_sets(settings, tmp_path / "further")
    before, after = open_set_encoder(run), open_set_encoder(tmp_path / "further")
    assert (before.settings.context_s, after.settings.context_s) == (10.0, 1.8)
    for name, value in before.state_dict().items():
        np.testing.assert_allclose(after.state_dict()[name], value, atol=1e-6, err_msg=name)
    record = files.read_json(tmp_path / "further" / "config.json")
    assert record["start_fingerprint"] == before.fingerprint()
    assert measure_sets(tmp_path / "further", {}, 32, 0)["test"].area >= 0


def test_a_training_does_not_start_from_an_encoder_of_other_sizes(run, tmp_path):
    settings = config(run.parent / "cache", start=str(run / "encoder"), encoder={"figures": 24, "channels": 8})
    with pytest.raises(ParameterError, match="figures: 16, here 24"):
        pretrain_sets(settings, tmp_path / "run")
    assert not (tmp_path / "run" / "config.json").exists()


def test_more_views_extend_the_caches(run, tmp_path):
    cache = run.parent / "cache"
    before = len(list(cache.iterdir()))
    pretrain_sets(config(cache, views=128, fitting={"epochs": 1, "batch": 16}, alarms_per_hour=[]), tmp_path / "more")
    assert len(list(cache.iterdir())) == before


def test_measured_on_its_test_side_and_on_an_unseen_corpus(run):
    figures = measure_sets(run, {}, 64, 0)["test"]
    assert set(figures.faults) <= {"hiss", "clicks", "hum"}
    assert 0 <= figures.area <= 1
    assert figures.pairs.views > 0
    rows = {name: value for name, value, _, _ in summary(figures)}
    assert rows["mean area"] == f"{figures.area:.4f}"
    assert "false segments per hour at thresholds for 6" in rows
    assert set(figures.alarms) == set(figures.recall_at) == {6.0, 60.0}
    unseen = {"third": {"kind": "builtin", "seed": 9, "sources": 4, "duration_s": 2.0, "sample_rate": 22050}}
    figures = measure_sets(run, unseen, 32, 0)
    assert list(figures) == ["third"]
    assert figures["third"].hours == pytest.approx(4 * 2.0 / 3600)
    assert "third" in files.read_json(run / "metrics.json")


def test_a_run_without_a_test_side_wants_unseen_corpora(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    split = {"by": "source", "train": 0.7, "validation": 0.3, "test": 0.0, "seed": 0}
    files.write_json(tmp_path / "run" / "config.json", files.read_json(run / "config.json") | {"split": split})
    with pytest.raises(StorageError, match="no test side"):
        measure_sets(tmp_path / "run", {}, 32, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fitting": {"epoch": 3}}, "epoch"),
        ({"encoder": {"channels": 7}}, "channels"),
        ({"recipe": {"window_s": 0.1}}, "window_s"),
        ({"objective": {"frames": -1.0}}, "Weights"),
        ({"artifacts": ["polarity"]}, "fault|artifact"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_rendered(tmp_path, changes, message):
    with pytest.raises(ParameterError, match=message):
        pretrain_sets(config(tmp_path / "cache", **changes), tmp_path / "run")
    assert not (tmp_path / "cache").exists()


def test_the_settings_of_the_script_are_those_of_the_function():
    written = yaml.safe_load((Path(__file__).parents[2] / "configs" / "pretrain_sets.yaml").read_text())
    assert set(written) - {"run", "defaults"} == set(config("cache"))


def test_plots_are_written_beside_the_tables(run, tmp_path, monkeypatch):
    script = loaded(Path(__file__).parents[2] / "scripts" / "probe_sets.py")
    monkeypatch.setattr(script.plots, "umap_2d", lambda x: x[:, :2])  # which is slow; test_run draws it
    script.main({"run": str(run), "unseen": None, "views": 48, "seed": 0, "out": str(tmp_path / "faults.csv")})
    plots = {path.name for path in (run / "plots").iterdir()}
    assert plots == {f"{name}-test.png" for name in ("roc", "pr", "severity", "reliability", "confusion", "umap")}
    assert all(np.ptp(imread(run / "plots" / name)) > 0.5 for name in plots)


def test_each_validation_is_drawn(run, tmp_path):
    seen = []

    def draw(outcomes):
        seen.append(outcomes)
        return []

    pretrain_sets(config(run.parent / "cache", alarms_per_hour=[], plots=True), tmp_path / "shown", draw)
    assert "plots" not in files.read_json(tmp_path / "shown" / "config.json"), "a run resumes with or without plots"
    assert list((tmp_path / "shown" / "tensorboard").iterdir())
    assert not (run / "tensorboard").exists()
    assert len(seen) > 1
    last = seen[-1]
    assert set(last.names) == {"hiss", "clicks", "hum"}
    assert last.chances.shape == last.estimates.shape == last.there.shape == (len(last.vectors), 3)
    np.testing.assert_array_equal(np.isfinite(last.severities), last.there)
    assert last.there.any(1).mean() > 0.5, "seven views of eight are damaged"


def test_figures_that_are_undefined_are_null(run):
    measured = _plain(measure_sets(run, {}, 16, 1)["test"])
    assert "outcomes" not in measured
    assert _plain(Interval(float("nan"), 0.5, 1.0)) == [None, 0.5, 1.0]
