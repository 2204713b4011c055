"""Training learns, resumes to the bit after a kill, stops on NaN and keeps what it had."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from contrastive_artifacts.core.errors import StorageError, TrainingError
from contrastive_artifacts.data import corpora
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings
from contrastive_artifacts.models.objectives import ObjectiveSettings
from contrastive_artifacts.training import OptimSettings, Pretraining, Stage, StageViews, TrainerSettings

STATES = ("clean", "hiss", "dropout")
TRAINER = TrainerSettings(steps=6, sources=2, validate_every=2, validation_clips=2, workers=0)
OPTIM = OptimSettings(ema=0.5, freeze_share=0.2)


def training(run: Path, corpus, trainer=TRAINER, optim=OPTIM, **config) -> Pretraining:
    torch.manual_seed(trainer.seed)
    backbone = backbones.create("mn04", "none")
    encoder = Encoder(backbone, EncoderSettings(STATES, 0.4, hidden=16, embedding=8, dropout=0.2))
    splits = corpora.split(corpus.clips, {"train": 0.7, "validation": 0.3}, 0)
    stage = Stage(StageViews((0.7, 1.0)), ObjectiveSettings(memory=64), optim)
    return Pretraining(encoder, corpus, splits, [stage], trainer, run, config)


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "state.safetensors")


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_loss_falls(tmp_path, small_corpus):
    trainer = replace(TRAINER, steps=48, validate_every=16)
    training(tmp_path, small_corpus, trainer, OptimSettings()).fit()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    lines = [line for line in lines if line["kind"] == "train"]
    losses = [line["cross_entropy"] for line in lines]
    assert losses[-1] < 0.9 * torch.tensor(3.0).log().item()
    assert {"loss", "contrastive", "ranking", "severity", "lr", "views_per_s", "wait_share"} <= lines[1].keys()
    assert list((tmp_path / "tensorboard").iterdir())


def test_two_runs_of_one_seed_are_equal_and_of_two_are_not(tmp_path, small_corpus):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        training(tmp_path / name, small_corpus, replace(TRAINER, steps=2, seed=seed)).fit()
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert not same(weights(tmp_path / "a"), weights(tmp_path / "c"))


def test_workers_change_nothing(tmp_path, small_corpus):
    for workers in (0, 2):
        training(tmp_path / str(workers), small_corpus, replace(TRAINER, steps=2, workers=workers)).fit()
    assert same(weights(tmp_path / "0"), weights(tmp_path / "2"))


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from contrastive_artifacts.data import corpora
import torch
torch.set_num_threads(1)
from test_loop import training
corpus = corpora.create("builtin", seed=3, sources=12, duration_s=1.0, sample_rate=16000)
training(Path(sys.argv[1]), corpus).fit()
"""


def test_killed_in_the_middle_it_resumes_and_ends_as_the_straight_run(tmp_path, small_corpus):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    training(straight, small_corpus).fit()
    code = textwrap.dedent(KILLED.format(here=str(Path(__file__).parent)))
    process = subprocess.Popen([sys.executable, "-c", code, str(killed)], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (killed / "state.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with (killed / "log.jsonl").open("a") as log:
        log.write('{"step": 5, "kind": "tra')  # a line cut short by the kill
    result = training(killed, small_corpus).fit()
    assert result.steps == 6
    assert same(weights(straight), weights(killed))
    assert (straight / "encoder/encoder.safetensors").read_bytes() == (
        killed / "encoder/encoder.safetensors"
    ).read_bytes()
    steps = [json.loads(line)["step"] for line in (killed / "log.jsonl").read_text().splitlines()]
    assert steps == sorted(steps)


def test_a_finished_run_is_left_alone(tmp_path, small_corpus):
    training(tmp_path, small_corpus).fit()
    before = (tmp_path / "state.safetensors").read_bytes()
    assert training(tmp_path, small_corpus).fit().steps == 6
    assert (tmp_path / "state.safetensors").read_bytes() == before


def test_nan_stops_with_a_message_and_keeps_the_checkpoint(tmp_path, small_corpus, monkeypatch):
    run = training(tmp_path, small_corpus)
    original = Pretraining._loss

    def poisoned(self, batch, objective, encoder, remember):
        loss, terms = original(self, batch, objective, encoder, remember)
        return (loss * float("nan") if self.step == 4 and remember else loss), terms

    monkeypatch.setattr(Pretraining, "_loss", poisoned)
    with pytest.raises(TrainingError, match=r"nan at step 4.*step 4 is kept"):
        run.fit()
    assert (tmp_path / "state.safetensors").exists()
    monkeypatch.undo()
    assert training(tmp_path, small_corpus).fit().steps == 6


def test_early_stopping_and_its_resume(tmp_path, small_corpus, monkeypatch):
    losses = iter([1.0, 2.0, 3.0, 4.0, 5.0])
    monkeypatch.setattr(Pretraining, "validation_loss", lambda self: next(losses))
    trainer = replace(TRAINER, steps=12, patience=2)
    result = training(tmp_path, small_corpus, trainer).fit()
    assert (result.steps, result.best_step, result.best_loss) == (6, 2, 1.0)
    assert training(tmp_path, small_corpus, trainer).fit().steps == 6


def test_another_configuration_is_refused(tmp_path, small_corpus):
    training(tmp_path, small_corpus, note=1)
    with pytest.raises(TrainingError, match="another configuration"):
        training(tmp_path, small_corpus, note=2)


def test_a_damaged_checkpoint_is_named(tmp_path, small_corpus):
    training(tmp_path, small_corpus, replace(TRAINER, steps=2)).fit()
    path = tmp_path / "state.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(StorageError, match=r"state\.safetensors is damaged"):
        training(tmp_path, small_corpus, replace(TRAINER, steps=2)).fit()


def test_frozen_stages_do_not_move(tmp_path, small_corpus):
    run = training(tmp_path, small_corpus, replace(TRAINER, steps=2), OptimSettings(freeze_stages=3))
    groups = run.encoder.backbone.layer_groups()
    before = [p.clone() for layers in groups for p in layers.parameters()]
    frozen = sum(len(list(layers.parameters())) for layers in groups[:3])
    run.fit()
    after = [p for layers in groups for p in layers.parameters()]
    moved = [not torch.equal(a, b) for a, b in zip(before, after, strict=True)]
    assert not any(moved[:frozen])
    assert any(moved[frozen:])


def test_learning_rates_rise_from_bottom_to_heads(tmp_path, small_corpus):
    run = training(tmp_path, small_corpus, optim=OptimSettings(lr_heads=4e-3, lr_top=2e-3, lr_bottom=1e-3))
    groups = len(run.encoder.layer_groups())
    optim = run.schedule.stages[0].optim
    rates = [optim.rate(group["layer_group"], groups) for group in run.optimizer.param_groups]
    assert rates == sorted(rates)
    assert (rates[0], rates[-1]) == pytest.approx((1e-3, 4e-3))
    assert any(r == pytest.approx(2e-3) for r in rates)


def test_l1_shrinks_the_heads(tmp_path, small_corpus):
    sizes = []
    for l1 in (0.0, 0.1):
        run = training(tmp_path / str(l1), small_corpus, replace(TRAINER, steps=4), OptimSettings(l1=l1))
        run.fit()
        sizes.append(run.encoder.types.weight.abs().sum().item())
    assert sizes[1] < sizes[0]
