"""What every registered backbone promises, checked on each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from contrastive_artifacts import backbones
from contrastive_artifacts.backbones import BACKBONES, Backbone
from contrastive_artifacts.backbones.spec import load_strict
from contrastive_artifacts.errors import ParameterError, UnknownNameError, WeightsError

NAMES = BACKBONES.names()
FOLDED = {"yamnet": {"norm": "folded", "activation": "relu6"}}


def _folded(name: str) -> Backbone:
    torch.manual_seed(0)
    return backbones.build({"backbone": name, "options": FOLDED.get(name, {"norm": "folded"})})


def _noise(backbone: Backbone, batch: int, seconds: float) -> torch.Tensor:
    return 0.1 * torch.randn(batch, int(seconds * backbone.sample_rate), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", NAMES)
def test_frames_of_any_length(name: str) -> None:
    backbone = _folded(name)
    with torch.no_grad():
        shapes = {s: tuple(backbone(_noise(backbone, 2, s)).frames.shape) for s in (0.01, 0.5, 1.0, 2.5, 5.0)}
        short = _noise(backbone, 1, 0.01)
        padded = torch.nn.functional.pad(short, (0, backbone.min_samples - short.shape[-1]))
        torch.testing.assert_close(backbone(short).frames, backbone(padded).frames)
    assert all(shape[0] == 2 and shape[2] == backbone.dim for shape in shapes.values())
    counts = [shape[1] for shape in shapes.values()]
    assert counts[0] == 1
    assert counts[-1] - counts[-2] == pytest.approx(2.5 / backbone.hop_s, abs=1)


@pytest.mark.parametrize("name", NAMES)
def test_rows_do_not_mix_and_modes_agree_when_folded(name: str) -> None:
    backbone = _folded(name)
    batch = _noise(backbone, 3, 1.2)
    with torch.no_grad():
        frames = backbone(batch).frames
        torch.testing.assert_close(frames[1:2], backbone(batch[1:2]).frames, rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(frames, backbone.train()(batch).frames, rtol=0, atol=0)
        assert backbone(torch.zeros_like(batch)).frames.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_autocast_keeps_the_spectrogram_and_nearly_the_frames(name: str) -> None:
    backbone = _folded(name)
    batch = _noise(backbone, 2, 1.0)
    with torch.no_grad():
        frames, spectrogram = backbone(batch).frames, backbone.frontend(batch)
        with torch.autocast("cpu", torch.bfloat16):
            coarse = backbone(batch).frames
            assert torch.equal(backbone.frontend(batch), spectrogram)
    assert coarse.dtype == torch.float32
    assert not torch.equal(coarse, frames)
    assert torch.corrcoef(torch.stack([coarse.flatten(), frames.flatten()]))[0, 1] > 0.99


@pytest.mark.parametrize("name", NAMES)
def test_chunks_change_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = _folded(name)
    batch = _noise(backbone, 3, 1.0)
    with torch.no_grad():
        whole = backbone(batch).frames
        monkeypatch.setattr(f"{type(backbone).__module__}.CHUNK", 1)
        torch.testing.assert_close(backbone(batch).frames, whole, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("norm", ["folded", "batch"])
def test_every_parameter_learns_and_lies_in_one_stage(name: str, norm: str) -> None:
    torch.manual_seed(0)
    backbone = backbones.create(name, "none") if norm == "batch" else _folded(name)
    backbone.train()(_noise(backbone, 2, 1.2)).frames.square().sum().backward()
    parameters = dict(backbone.named_parameters())
    # A channel that ReLU switches off for this input has no gradient; whole tensors without any are an error.
    assert [k for k, p in parameters.items() if p.grad is None or not p.grad.isfinite().all()] == []
    assert [k for k, p in parameters.items() if not p.grad.any()] == []
    staged = [id(p) for stage in backbone.stages() for p in stage.parameters()]
    assert sorted(staged) == sorted(id(p) for p in parameters.values())


@pytest.mark.parametrize("name", NAMES)
def test_record_and_tensors_make_the_same_backbone_again(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    backbone = backbones.create(name, "none")
    save_file(backbone.state_dict(), tmp_path / "b.safetensors")
    again = backbones.build(json.loads(json.dumps(backbone.record)))
    waveform = _noise(backbone, 1, 1.0)
    with torch.no_grad():
        assert not torch.equal(again(waveform).frames, backbone(waveform).frames)  # weights are not there yet
        load_strict(again, load_file(tmp_path / "b.safetensors"), "b.safetensors")
        assert torch.equal(again(waveform).frames, backbone(waveform).frames)


@pytest.mark.parametrize("name", NAMES)
def test_size_is_the_published_one_with_the_head_apart(name: str) -> None:
    backbone, head = _folded(name), BACKBONES[name].head()
    # The float YAMNet counts its statistics otherwise; a folded batch norm is one bias, a scaled one two.
    own = sum(p.numel() for p in backbone.parameters()) + sum(p.numel() for p in head.parameters())
    assert own == pytest.approx(BACKBONES[name].published["parameters"], rel=0.01)
    assert not any("head" in key or "classifier" in key for key in backbone.state_dict())


@pytest.mark.parametrize("name", NAMES)
def test_wrong_input_and_records_are_refused(name: str) -> None:
    backbone = _folded(name)
    wrong = (torch.zeros(16000), torch.zeros(1, 2, 16000), torch.zeros(1, 0), torch.zeros(1, 9, dtype=torch.int16))
    for waveform in wrong:
        with pytest.raises(ParameterError, match="mono"):
            backbone(waveform)
    for options in ({}, {"norm": "layer"}, {"norm": "folded", "depth": 3}):
        with pytest.raises(WeightsError):
            backbones.build({"backbone": name, "options": options})
    with pytest.raises(WeightsError):
        backbones.build({"backbone": name})
    with pytest.raises(UnknownNameError, match="Did you mean"):
        backbones.create(name + "x")
