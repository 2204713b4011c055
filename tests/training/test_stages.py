"""Stages: each has its own settings, the log names it, and a run resumes exactly inside any of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.data import corpora
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings
from contrastive_artifacts.models.objectives import ObjectiveSettings
from contrastive_artifacts.runs import sections
from contrastive_artifacts.training import OptimSettings, Pretraining, Stage, StageViews, TrainerSettings
from contrastive_artifacts.training.stages import Schedule

STATES = ("clean", "hiss", "dropout")
TRAINER = TrainerSettings(steps=8, sources=2, validate_every=3, validation_clips=2, workers=0)
VIEWS = StageViews((0.7, 1.0))
CLIPS = ObjectiveSettings(memory=64)
STAGES = (
    Stage(VIEWS, CLIPS, OptimSettings(freeze_share=1.0, ema=0.5), 0.25, "heads"),
    Stage(VIEWS, CLIPS, OptimSettings(ema=0.5), 0.375, "body"),
    Stage(replace(VIEWS, spliced=0.5), replace(CLIPS, frames=1.0), OptimSettings(l1=1e-4, ema=0.5), 0.375, "frames"),
)  # fmt: skip


def training(directory: Path, corpus, stages=STAGES, trainer=TRAINER, backbone=None) -> Pretraining:
    torch.manual_seed(0)
    backbone = backbone or {"name": "mn04", "weights": "none"}
    settings = EncoderSettings(STATES, 0.4, hidden=16, embedding=8, dropout=0.2, frame_hop_s=0.05)
    encoder = Encoder(backbones.create(**backbone), settings)
    splits = corpora.split(corpus.clips, {"train": 0.7, "validation": 0.3}, 0)
    return Pretraining(encoder, corpus, splits, stages, trainer, directory, {})


def stopped(training: Pretraining, step: int, monkeypatch) -> None:
    """Runs it until it dies before ``step``."""
    original = Pretraining._train_step

    def dies(self, batch):
        if self.step == step:
            raise KeyboardInterrupt
        return original(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Pretraining, "_train_step", dies)
        with pytest.raises(KeyboardInterrupt):
            training.fit()


def tensors(directory: Path) -> dict[str, torch.Tensor]:
    return load_file(directory / "state.safetensors")


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_the_backbone_rests_in_the_first_stage_and_the_frame_head_learns_in_the_last(
    tmp_path, small_corpus, monkeypatch
):
    first = training(tmp_path, small_corpus)
    body = [p.clone() for p in first.encoder.backbone.parameters()]
    means = {k: v.clone() for k, v in first.encoder.backbone.state_dict().items() if "running" in k}
    head = first.encoder.frames.types.weight.clone()
    assert means
    stopped(first, 2, monkeypatch)
    assert all(torch.equal(a, b) for a, b in zip(body, first.encoder.backbone.parameters(), strict=True))
    assert all(torch.equal(v, first.encoder.backbone.state_dict()[k]) for k, v in means.items())
    again = training(tmp_path, small_corpus)
    stopped(again, 5, monkeypatch)
    assert not torch.equal(body[0], next(iter(again.encoder.backbone.parameters())))
    assert torch.equal(head, again.encoder.frames.types.weight)
    last = training(tmp_path, small_corpus)
    last.fit()
    assert not torch.equal(head, last.encoder.frames.types.weight)


@pytest.mark.parametrize("step", [1, 4, 7])
def test_stopped_inside_any_stage_it_ends_as_the_straight_run(tmp_path, small_corpus, monkeypatch, step):
    training(tmp_path / "straight", small_corpus).fit()
    stopped(training(tmp_path / "stopped", small_corpus), step, monkeypatch)
    training(tmp_path / "stopped", small_corpus).fit()
    assert same(tensors(tmp_path / "straight"), tensors(tmp_path / "stopped"))
    encoders = [tmp_path / name / "encoder" / "encoder.safetensors" for name in ("straight", "stopped")]
    assert encoders[0].read_bytes() == encoders[1].read_bytes()


def test_the_log_names_the_stage_and_the_last_one_makes_the_encoder(tmp_path, small_corpus, monkeypatch):
    losses = iter([1.0, 5.0, 4.0, 9.0, 7.0, 8.0])  # ends of stages at 2 and 5, others at 3 and 6
    monkeypatch.setattr(Pretraining, "validation_loss", lambda self: next(losses))
    result = training(tmp_path, small_corpus).fit()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    validations = [(line["step"], line["stage"]) for line in lines if line["kind"] == "validation"]
    assert validations == [(2, "heads"), (3, "body"), (5, "body"), (6, "frames"), (8, "frames")]
    assert (result.best_step, result.best_loss) == (8, 7.0)  # not 1.0, which another objective was


def test_patience_counts_in_the_last_stage_only(tmp_path, small_corpus, monkeypatch):
    rising = iter(range(1, 99))
    monkeypatch.setattr(Pretraining, "validation_loss", lambda self: float(next(rising)))
    result = training(tmp_path, small_corpus, trainer=replace(TRAINER, steps=16, validate_every=1, patience=2)).fit()
    assert result.steps == 10 + 3  # stages begin at 0, 4 and 10


def test_each_stage_has_its_own_curve():
    schedule = Schedule(STAGES, 80)
    assert schedule.bounds == [0, 20, 50, 80]
    assert [schedule.index(step) for step in (0, 19, 20, 79, 80)] == [0, 0, 1, 2, 2]
    assert schedule.within(20) == (0, 30)
    assert schedule.within(79) == (29, 30)


@pytest.mark.parametrize(
    ("stages", "message"),
    [([], "add up"), ([STAGES[0]], "add up"), ([replace(STAGES[0], share=0.5)] * 2, "a name each"),
     ([replace(STAGES[0], share=0.01), replace(STAGES[1], share=0.99)], "too few"),
     ([replace(STAGES[0], share=0.5), Stage(VIEWS, CLIPS, OptimSettings(), 0.5)], r"ema.*\[0\.0, 0\.5\]")],
)  # fmt: skip
def test_schedules_are_checked(stages, message):
    with pytest.raises(ParameterError, match=message):
        Schedule(stages, 8)


def test_stages_come_from_the_configuration():
    config = {
        "artifacts": {"states": ["hiss", "hum"], "severity": [0.2, 1.0]}, "window_s": 2.0, "views": {"spliced": 0.25},
        "objective": {"ranking": 0.0}, "optim": {"lr_top": 2e-3},
        "trainer": {"stages": [{"name": "a", "share": 0.5, "optim": {"freeze_share": 1.0}},
                               {"name": "b", "share": 0.5, "views": {"severity": [0.5, 1.0]},
                                "objective": {"frames": 2.0}}]},
    }  # fmt: skip
    first, second = sections.make_stages(config)
    assert (first.optim.freeze_share, first.optim.lr_top, second.optim.freeze_share) == (1.0, 2e-3, 0.0)
    assert (first.objective.frames, second.objective.frames, second.objective.ranking) == (0.0, 2.0, 0.0)
    assert (first.views.severity, second.views.severity, second.views.spliced) == ((0.2, 1.0), (0.5, 1.0), 0.25)
    (only,) = sections.make_stages({**config, "trainer": {}})
    assert (only.share, only.optim.lr_top) == (1.0, 2e-3)
    for wrong, name in (
        ({"steps": 4}, "steps"),
        ({"optim": {"lrate": 1}}, "lrate"),
        ({"views": {"states": []}}, "states"),
    ):
        with pytest.raises(ParameterError, match=name):
            sections.make_stages({**config, "trainer": {"stages": [wrong]}})


def test_frames_need_a_head(tmp_path, small_corpus):
    encoder = Encoder(backbones.create("mn04", "none"), EncoderSettings(STATES, 0.4, hidden=16, embedding=8))
    with pytest.raises(ParameterError, match=r"encoder\.frame_hop_s"):
        Pretraining(encoder, small_corpus, {"train": [], "validation": []}, STAGES, TRAINER, tmp_path, {})
