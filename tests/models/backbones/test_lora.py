"""Low-rank corrections: what learns, what is saved, and that a training resumes with them."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.data import corpora
from contrastive_artifacts.data.views import Batch
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones import BACKBONES, Backbone
from contrastive_artifacts.models.backbones.clap import CLAP
from contrastive_artifacts.models.backbones.hf import build as build_hf
from contrastive_artifacts.models.backbones.lora import Adapted, adapt, adapt_as, plain_state
from contrastive_artifacts.models.backbones.spectrogram_transformer import AST
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings
from contrastive_artifacts.models.objectives import ObjectiveSettings
from contrastive_artifacts.training import OptimSettings, Pretraining, Stage, StageViews, TrainerSettings

pytestmark = pytest.mark.skipif(importlib.util.find_spec("peft") is None, reason="peft is not installed")
WHISPER = {
    "model_type": "whisper",
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "vocab_size": 20,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "max_source_positions": 50,
    **dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 1),
}
STATES = ("clean", "hiss", "dropout")


def _ast() -> Backbone:
    return _recorded(AST(length=64, depth=2, dim=16, heads=2))


def _whisper() -> Backbone:
    return _recorded(build_hf(WHISPER))


def _recorded(backbone: Backbone) -> Backbone:
    backbone.record = {}
    return backbone


both = pytest.mark.parametrize("make", [_ast, _whisper])


def _moved(backbone: Adapted) -> Adapted:
    """With corrections that are no longer zero."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for stage in backbone.layer_groups():
            for parameter in stage.parameters():
                parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return backbone


def _noise(rows: int = 2) -> Tensor:
    return 0.1 * torch.randn(rows, 16000, generator=torch.Generator().manual_seed(1))


@both
def test_corrections_are_zero_at_first_and_alone_learn(make: type[Backbone]) -> None:
    torch.manual_seed(0)
    plain = make().eval()
    with torch.no_grad():
        expected = plain(_noise()).frames
        adapted = adapt(plain, rank=2)
        assert torch.equal(adapted(_noise()).frames, expected)
    for stage in adapted.layer_groups():  # as the training loop does at every step
        stage.requires_grad_(False)
        stage.requires_grad_(True)
    _moved(adapted)(_noise()).frames.square().sum().backward()
    learning = {key for key, p in adapted.named_parameters() if p.grad is not None}
    assert learning == {key for key, _ in adapted.named_parameters() if ".lora_" in key}
    staged = [id(p) for stage in adapted.layer_groups() for p in stage.parameters()]
    assert sorted(staged) == sorted(id(p) for key, p in adapted.named_parameters() if key in learning)
    assert len(adapted.layer_groups()) == 2  # one for each block, bottom to top


@both
def test_merged_is_what_was_trained(make: type[Backbone]) -> None:
    torch.manual_seed(0)
    adapted, plain = _moved(adapt(make(), rank=2, alpha=4)).eval(), make().eval()
    before = plain(_noise()).frames
    plain.load_state_dict(plain_state(adapted))
    with torch.no_grad():
        frames = adapted(_noise()).frames
        torch.testing.assert_close(plain(_noise()).frames, frames, rtol=0, atol=1e-5)
    assert (before - frames).abs().mean() > 0.01


def test_saved_encoder_is_plain_and_loads_without_peft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKBONES._items, "ast", replace(BACKBONES["ast"], build=_small_ast, options={}))
    backbone = _moved(backbones.create("ast", "none", lora={"rank": 2, "targets": ["qkv", "fc1"]}))
    encoder = Encoder(backbone, EncoderSettings(STATES, 1.0, 8, 4)).eval()
    encoder.save(tmp_path)
    assert not [key for key in load_file(tmp_path / "encoder.safetensors") if "lora" in key or "inner" in key]
    monkeypatch.setitem(sys.modules, "peft", None)
    with torch.no_grad():
        for output, expected in zip(Encoder.load(tmp_path)(_noise()), encoder(_noise()), strict=True):
            torch.testing.assert_close(output, expected, rtol=0, atol=1e-5)
    with pytest.raises(ParameterError, match="pip install"):
        backbones.create("ast", "none", lora={"rank": 2})


def _small_ast(**options: object) -> Backbone:
    return _ast()


def test_training_resumes_with_its_corrections_and_leaves_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = corpora.create("builtin", seed=3, sources=8, duration_s=1.0, sample_rate=16000)

    def training(run: Path) -> Pretraining:
        torch.manual_seed(0)
        encoder = Encoder(adapt(_ast(), rank=2), EncoderSettings(STATES, 0.4, 16, 8))
        splits = corpora.split(corpus.clips, {"train": 0.7, "validation": 0.3}, 0)
        trainer = TrainerSettings(4, sources=2, validate_every=2, validation_clips=2, workers=0)
        stage = Stage(StageViews((0.7, 1.0)), ObjectiveSettings(memory=0), OptimSettings(ema=0.5, warmup=0.0))
        return Pretraining(encoder, corpus, splits, [stage], trainer, run, {})

    straight = training(tmp_path / "run")
    start = {key: value.clone() for key, value in straight.encoder.state_dict().items()}
    straight.fit()
    end = straight.encoder.state_dict()
    body = {key for key in start if key.startswith("backbone.") and ".lora_" not in key}
    assert all(torch.equal(start[key], end[key]) for key in body)
    corrections = [key for key in start if key.endswith("lora_B.default.weight")]
    assert corrections
    assert not any(torch.equal(start[key], end[key]) for key in corrections)
    stopped = training(tmp_path / "stopped")
    step = stopped._train_step

    def breaks(batch: Batch) -> tuple[float, dict[str, float]]:
        if stopped.step == 3:  # one step after the checkpoint
            raise KeyboardInterrupt
        return step(batch)

    monkeypatch.setattr(stopped, "_train_step", breaks)
    with pytest.raises(KeyboardInterrupt):
        stopped.fit()
    resumed = training(tmp_path / "stopped")
    resumed.fit()
    assert all(torch.equal(value, end[key]) for key, value in resumed.encoder.state_dict().items())


def test_targets_are_attention_unless_said_otherwise() -> None:
    adapted = adapt(_recorded(CLAP(8, (1, 1, 2, 1), (2, 2, 4, 4))), rank=1)
    corrected = {key.partition(".lora_")[0] for key, _ in adapted.named_parameters() if ".lora_" in key}
    assert len(corrected) == 5 * 4  # queries, keys, values and output in each block
    assert all(".attention." in key for key in corrected)


def test_values_out_of_range_and_names_that_are_none() -> None:
    for wrong in ({"rank": 0}, {"alpha": 0}, {"dropout": 1.0}):
        with pytest.raises(ParameterError, match="rank >= 1"):
            adapt(_ast(), **wrong)
    with pytest.raises(ParameterError, match="lora has no option r; it has rank"):
        adapt_as(_ast(), {"r": 8})
    with pytest.raises(ParameterError, match="targets can be of: fc1, fc2, out, qkv"):
        adapt(_ast(), targets=["attn"])
