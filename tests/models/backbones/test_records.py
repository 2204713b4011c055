"""The records of the checkpoints: complete, true to the published sizes, enough to make the architecture again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from contrastive_artifacts.core.errors import UnknownNameError, WeightsError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones import BACKBONES, Backbone
from contrastive_artifacts.models.backbones.spec import load_strict

NAMES = BACKBONES.names()
SMALL = [name for name in NAMES if BACKBONES[name].published.get("parameters", 1e9) < 6e6]
every = pytest.mark.parametrize("name", NAMES)


def _noise(backbone: Backbone) -> torch.Tensor:
    return 0.1 * torch.randn(1, backbone.sample_rate, generator=torch.Generator().manual_seed(1))


@every
def test_record_is_complete(name: str) -> None:
    checkpoint = BACKBONES[name]
    assert checkpoint.name == name
    assert all((checkpoint.licence, checkpoint.code_licence, checkpoint.origin))
    assert checkpoint.paper.startswith("https://")
    for source in checkpoint.sources:
        assert source.url.startswith("https://")
        assert (source.size is None) == (source.sha256 is None), "pinned in full or not at all"


@every
def test_size_is_the_published_one_with_the_head_apart(name: str) -> None:
    checkpoint = BACKBONES[name]
    if checkpoint.find is not None and not checkpoint.options:
        pytest.skip("its architecture comes with the repository")
    of_file = checkpoint.sources[0].options if checkpoint.sources else {}
    with torch.device("meta"):  # shapes without memory
        backbone = checkpoint.build(**checkpoint.options, **of_file)
        head = checkpoint.head() if checkpoint.head else torch.nn.Identity()
    if "parameters" in checkpoint.published:
        # The float YAMNet counts its statistics otherwise; a folded batch norm is one bias, a scaled one two.
        parameters = sum(p.numel() for p in backbone.parameters()) + sum(p.numel() for p in head.parameters())
        assert parameters == pytest.approx(checkpoint.published["parameters"], rel=0.01)
    assert not any("head" in key or "classifier" in key for key in backbone.state_dict())


@pytest.mark.parametrize("name", SMALL)
def test_record_and_tensors_make_the_same_backbone_again(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    backbone = backbones.create(name, "none")
    save_file(backbone.state_dict(), tmp_path / "b.safetensors")
    again = backbones.build(json.loads(json.dumps(backbone.record)))
    waveform = _noise(backbone)
    with torch.no_grad():
        assert not torch.equal(again(waveform).frames, backbone(waveform).frames)  # weights are not there yet
        load_strict(again, load_file(tmp_path / "b.safetensors"), "b.safetensors")
        assert torch.equal(again(waveform).frames, backbone(waveform).frames)


@every
def test_wrong_records_are_refused(name: str) -> None:
    for options in ({"norm": "layer"}, {**BACKBONES[name].options, "colour": 3}):
        with pytest.raises(WeightsError):
            backbones.build({"backbone": name, "options": options})
    with pytest.raises(WeightsError):
        backbones.build({"backbone": name})
    with pytest.raises(WeightsError, match="colour"):
        backbones.create(name, "none", colour=3)
    with pytest.raises(UnknownNameError, match="Did you mean"):
        backbones.create(name + "x")
