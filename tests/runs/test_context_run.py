"""From an encoder to a run that hears many seconds: trained, probed, exported, scanned with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.core import files
from contrastive_artifacts.core.errors import CorpusError, ParameterError, TrainingError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings
from contrastive_artifacts.pages.explorer.collection import Collection
from contrastive_artifacts.pages.explorer.retraining import Retraining, _Proposal
from contrastive_artifacts.runs import context
from contrastive_artifacts.runs.context import pretrain_context
from contrastive_artifacts.runs.run import Run
from contrastive_artifacts.training.steps import Steps


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    torch.manual_seed(0)
    encoder = Encoder(backbones.create("mn04", "none"), EncoderSettings(("clean", "hiss"), 1.0, hidden=16, embedding=8))
    encoder.save(folder := tmp_path_factory.mktemp("encoder"))
    return {
        "encoder": str(folder), "seed": 0, "window_s": 2.0, "draws": 1, "workers": 1,
        "corpus": {"kind": "builtin", "sources": 8, "duration_s": 2.0},
        "split": {"by": "source", "train": 0.5, "validation": 0.25, "test": 0.25},
        "artifacts": {"states": ["hiss", "pumping"], "severity": [0.5, 1.0]},
        "context": {"kind": "recurrent", "width": 16, "heads": 2, "hidden": 12, "embedding": 8},
        "fitting": {"steps": 6, "batch": 12, "validate_every": 3},
        "objective": {"memory": 64},
    }  # fmt: skip


@pytest.fixture(scope="module")
def trained(config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("runs") / "context"
    assert np.isfinite(pretrain_context(config, directory))
    return directory


@pytest.fixture(scope="module")
def probed(trained: Path) -> Path:
    figures = Run(trained).probe({}, ("linear",), 2.0, 1, 10, 1000)
    assert set(figures) == {"h", "z"}
    return trained


def test_the_run_is_probed_loaded_and_scanned_with_as_any_other(probed: Path, tmp_path: Path) -> None:
    encoder = ca.load(probed)
    assert encoder.labels == ("clean", "hiss", "pumping")
    assert encoder.window_s == 2.0
    x = (0.1 * np.random.default_rng(0).standard_normal((1, 5 * 16000))).astype(np.float32)
    audio.write(tmp_path / "x.wav", x, 16000)
    assert set(encoder.classify(tmp_path / "x.wav").probabilities) == set(encoder.labels)
    assert ca.scan(tmp_path / "x.wav", encoder).duration == 5.0
    fingerprint = Run(probed).export(tmp_path / "out", 2.0, 1, 0)
    again = ca.load(tmp_path / "out")
    assert again.fingerprint == fingerprint == encoder.fingerprint
    np.testing.assert_array_equal(again.embed(tmp_path / "x.wav").clip, encoder.embed(tmp_path / "x.wav").clip)


def test_a_corrected_probe_lies_with_encoder_and_module(probed: Path) -> None:
    encoder = ca.load(probed)
    collection = Collection.of_run(probed, 0, lambda steps, what, total: steps)
    assert encoder.probe is not None
    retraining = Retraining(collection)
    retraining._proposal = _Proposal(1, encoder.probe, collection.verdicts(encoder.probe))
    folder = retraining.use(1)["saved"]
    assert ca.load(folder).fingerprint == encoder.fingerprint
    assert ca.load(folder).window_s == 2.0


def test_the_same_seed_gives_the_same_module_whatever_the_workers(
    config: dict[str, Any], trained: Path, tmp_path: Path
) -> None:
    pretrain_context({**config, "workers": 2}, tmp_path / "again")
    pretrain_context({**config, "seed": 1}, tmp_path / "other")
    prints = [ca.load(folder / "encoder").fingerprint for folder in (trained, tmp_path / "again", tmp_path / "other")]
    assert prints[0] == prints[1] != prints[2]
    assert files.read_json(trained / "config.json")["corpus_fingerprint"]


def test_a_stopped_run_resumes_and_a_finished_one_is_left_alone(
    config: dict[str, Any], trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Steps._train_step

    def stops(self: Steps[Any], batch: Any) -> tuple[float, dict[str, float]]:
        if self.step == 4:
            raise KeyboardInterrupt
        return step(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Steps, "_train_step", stops)
        with pytest.raises(KeyboardInterrupt):
            pretrain_context(config, tmp_path)
    assert not (tmp_path / "encoder").exists()
    with pytest.raises(TrainingError, match="another configuration"):
        pretrain_context({**config, "draws": 2}, tmp_path)
    loss = pretrain_context(config, tmp_path)
    for name in ("encoder.safetensors", "context.safetensors", "context.json"):
        assert (tmp_path / "encoder" / name).read_bytes() == (trained / "encoder" / name).read_bytes()
    monkeypatch.setattr(context, "_sequences", lambda *a: pytest.fail("rendered again"))
    assert pretrain_context(config, tmp_path) == loss


def test_what_cannot_be_is_refused(config: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="fitting has no setting 'pace'"):
        pretrain_context({**config, "fitting": {"pace": 1}}, tmp_path)
    with pytest.raises(ParameterError, match="kind is 'lstm'"):
        pretrain_context({**config, "context": {**config["context"], "kind": "lstm"}}, tmp_path)
    (tmp_path / "data").mkdir()
    for name in "abcd":
        (tmp_path / "data" / f"{name}.wav").write_bytes(b"no audio")
    with pytest.raises(CorpusError, match="could be read"):
        pretrain_context({**config, "corpus": {"kind": "folder", "path": str(tmp_path / "data")}}, tmp_path / "run")
    assert not (tmp_path / "run").exists()
