"""Fine-tuning: learning rates of layer groups, gradient checkpointing, low-rank corrections."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from test_stages import CLIPS, TRAINER, VIEWS, same, stopped, tensors, training

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.models.backbones import vit
from contrastive_artifacts.models.encoder import Encoder
from contrastive_artifacts.training import OptimSettings, Stage

SMALL_VIT = {"depth": 2, "dim": 16, "heads": 2, "length": 198, "patchout_f": 1}
PASST = {"name": "passt_s_kd_p16_128_ap486", "weights": "none", **SMALL_VIT}
ONE = [Stage(VIEWS, CLIPS, OptimSettings(lr_heads=1e-2, lr_top=1e-2, lr_bottom=1e-2))]


@pytest.fixture
def two_steps():
    return replace(TRAINER, steps=2)


def test_layer_decay_is_another_form_of_lr_bottom():
    decayed, bottom = OptimSettings(layer_decay=0.8), OptimSettings(lr_bottom=1e-3 * 0.8**11)
    rates = [decayed.rate(i, 13) for i in range(13)]
    assert rates == pytest.approx([bottom.rate(i, 13) for i in range(13)])
    assert rates[:12] == pytest.approx([1e-3 * 0.8 ** (11 - i) for i in range(12)])
    assert rates[12] == decayed.lr_heads


def test_checkpointing_changes_memory_and_nothing_else(tmp_path, small_corpus, two_steps, monkeypatch):
    calls = []
    real = vit.checkpoint
    monkeypatch.setattr(vit, "checkpoint", lambda *a, **k: calls.append(1) or real(*a, **k))
    for name in ("plain", "checkpointed"):
        trainer = replace(two_steps, checkpointing=name == "checkpointed")
        training(tmp_path / name, small_corpus, ONE, trainer, PASST).fit()
    assert len(calls) == 2 * SMALL_VIT["depth"]
    plain, checkpointed = tensors(tmp_path / "plain"), tensors(tmp_path / "checkpointed")
    assert all(torch.allclose(plain[k], checkpointed[k], atol=1e-5) for k in plain if k.startswith("encoder."))


def test_a_backbone_without_blocks_cannot_be_checkpointed(tmp_path, small_corpus, two_steps):
    with pytest.raises(ParameterError, match=r"mn04 has no blocks.*trainer\.checkpointing"):
        training(tmp_path, small_corpus, ONE, replace(two_steps, checkpointing=True))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_compiling_on_a_cpu_is_refused(tmp_path, small_corpus, two_steps):
    with pytest.raises(ParameterError, match=r"trainer\.compile is for GPUs only"):
        training(tmp_path, small_corpus, ONE, replace(two_steps, compile=True))


def test_patchout_along_time_leaves_nothing_to_label(tmp_path, small_corpus):
    with pytest.raises(ParameterError, match="patchout_f only"):
        training(tmp_path, small_corpus, ONE, backbone={**PASST, "patchout_t": 2})


def test_lora_moves_corrections_only_and_resumes_to_the_bit(tmp_path, small_corpus, monkeypatch):
    pytest.importorskip("peft")
    lora = {**PASST, "lora": {"rank": 2, "alpha": 4.0}}
    start = training(tmp_path / "start", small_corpus, ONE, TRAINER, lora).encoder.backbone
    before = {key: value.clone() for key, value in start.state_dict().items()}
    training(tmp_path / "straight", small_corpus, ONE, TRAINER, lora).fit()
    stopped(training(tmp_path / "stopped", small_corpus, ONE, TRAINER, lora), 5, monkeypatch)
    training(tmp_path / "stopped", small_corpus, ONE, TRAINER, lora).fit()
    state = tensors(tmp_path / "straight")
    assert same(state, tensors(tmp_path / "stopped"))
    moved = {key for key, value in before.items() if not torch.equal(value, state[f"encoder.backbone.{key}"])}
    assert moved == {key for key in before if ".lora_" in key}


def test_lora_is_saved_as_plain_weights_that_answer_the_same(tmp_path, small_corpus, two_steps):
    pytest.importorskip("peft")
    lora = {**PASST, "lora": {"rank": 2, "alpha": 4.0}}
    run = training(tmp_path, small_corpus, ONE, replace(two_steps, validate_every=2), lora)
    run.fit()
    saved = load_file(tmp_path / "encoder" / "encoder.safetensors")
    assert not [key for key in saved if "lora" in key or "base_layer" in key]
    plain, sound = Encoder.load(tmp_path / "encoder"), 0.1 * torch.randn(2, 12800)
    with torch.no_grad():
        assert torch.allclose(plain(sound).h, run.encoder.eval()(sound).h, atol=1e-5)
