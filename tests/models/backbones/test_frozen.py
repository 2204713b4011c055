"""A frozen copy computes what the network computes, and has nothing in common with it."""

from __future__ import annotations

import copy
from typing import NamedTuple

import pytest
import torch
from families import FAMILIES
from torch import nn

from contrastive_artifacts.core.device import VARIABLE
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones import Backbone, yamnet
from contrastive_artifacts.models.backbones.frozen import FrozenBlocks, FrozenLinear, behind_cpu
from contrastive_artifacts.models.backbones.layers import as_image
from contrastive_artifacts.models.backbones.vit import recorded_attention
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings

needs_onednn = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch without oneDNN")


def create(name: str, norm: str = "folded", seed: int = 0, **options: str) -> Backbone:
    """Random biases and statistics, which freezing could lose, and weights that carry the input to the last layer."""
    torch.manual_seed(seed)
    backbone = backbones.build({"backbone": name, "options": {"norm": norm, **options}})
    for key, tensor in backbone.state_dict().items():
        if key.endswith(("bias", "running_mean")):
            tensor.normal_(0, 0.1)
        elif key.endswith("running_var"):
            tensor.uniform_(0.5, 2)
        elif key.endswith("conv.weight"):
            tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5)
    return backbone


def sound(backbone: Backbone, batch: int, seconds: float) -> torch.Tensor:
    return 0.1 * torch.randn(batch, int(seconds * backbone.sample_rate), generator=torch.Generator().manual_seed(1))


def close(output: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(output, expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("batch", [1, 3, yamnet.CHUNK])
@pytest.mark.parametrize("activation", ["relu", "relu6"])
def test_yamnet_patches_in_any_number(batch: int, activation: str) -> None:
    backbone = create("yamnet", activation=activation)
    patches = as_image(30 * torch.randn(batch, 96, 64, generator=torch.Generator().manual_seed(2)))  # ReLU6 clips
    with torch.inference_mode():
        expected, output = backbone.blocks(patches), backbones.freeze(backbone).blocks(patches)
    assert expected.std((2, 3)).max() > 0.01 * expected.max() > 0
    close(output, expected)  # maps before the mean: a mirrored one would show


@pytest.mark.parametrize("norm", ["folded", "batch"])
@pytest.mark.parametrize("name", ["yamnet", "mn04", "mn10"])
def test_every_backbone_at_any_length(name: str, norm: str) -> None:
    backbone = create(name, norm)
    frozen = backbones.freeze(backbone)
    with torch.inference_mode():
        for batch, seconds in ((1, 0.3), (3, 1.0), (2, 2.7)):
            waveform = sound(backbone, batch, seconds)
            expected, output = backbone(waveform), frozen(waveform)
            close(output.frames, expected.frames)
            assert torch.equal(output.spectrogram, expected.spectrogram)
            assert torch.equal(frozen(waveform).frames, output.frames)


@needs_onednn
def test_parts_are_put_together_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contrastive_artifacts.models.backbones.frozen.FLOATS", 2 * 32 * 48 * 32)  # two patches at once
    backbone = create("yamnet")
    frozen, patches = backbones.freeze(backbone), as_image(torch.randn(5, 96, 64))
    assert frozen.blocks.pixels == 2 * 96 * 64
    with torch.inference_mode():
        close(frozen.blocks(patches), backbone.blocks(patches))


@pytest.mark.parametrize("name", ["yamnet", "mn04"])
def test_the_encoder_stays_as_it_is_and_the_copy_too(name: str) -> None:
    encoder = Encoder(create(name, "batch"), EncoderSettings(("clean", "hiss"), 0.5, 16, 8)).train()
    before, fingerprint = copy.deepcopy(encoder.state_dict()), encoder.fingerprint()
    frozen = backbones.freeze(encoder)
    waveform = sound(encoder.backbone, 2, 1.0)
    with torch.no_grad():
        h = frozen(waveform).h
    assert encoder.training
    assert encoder.backbone.training
    assert all(p.requires_grad for p in encoder.parameters())
    assert encoder.fingerprint() == fingerprint
    assert all(torch.equal(before[key], tensor) for key, tensor in encoder.state_dict().items())
    assert not any(isinstance(module, FrozenBlocks) for module in encoder.modules())
    with torch.no_grad():
        close(h, encoder.eval()(waveform).h)
        for parameter in encoder.parameters():
            parameter.add_(0.1)
        assert torch.equal(frozen(waveform).h, h)
        assert not torch.allclose(encoder(waveform).h, h, atol=1e-3)


def test_two_encoders_do_not_share() -> None:
    first, second = create("yamnet"), create("yamnet", seed=1)
    frozen = backbones.freeze(first), backbones.freeze(second)
    with torch.inference_mode():
        waveform = sound(first, 1, 1.0)
        for copy_, original in zip(frozen, (first, second), strict=True):
            close(copy_(waveform).frames, original(waveform).frames)
        assert not torch.allclose(frozen[0](waveform).frames, frozen[1](waveform).frames, atol=1e-2)


class Pair(NamedTuple):
    sums: torch.Tensor
    note: str | None


class SumsOnMeta(nn.Module):
    """Says where its input and its weights are."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))

    def forward(self, inputs: Pair, other: None) -> Pair:
        assert other is None
        return Pair(torch.ones(2), f"{inputs.sums.device} {self.weight.device} {inputs.note}")


def test_a_network_on_another_device_takes_and_returns_tensors_on_the_cpu() -> None:
    """The device without storage stands for a GPU."""
    network = behind_cpu(SumsOnMeta(), torch.device("meta"))
    outputs = network(Pair(torch.ones(4), "a"), None)
    assert outputs.note == "meta meta a"
    assert outputs.sums.device.type == "cpu"


def test_the_device_of_a_frozen_network_is_that_of_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "cuda:63")
    with pytest.raises(ParameterError, match="PyTorch sees"):
        backbones.freeze(create("mn04"))


def test_without_onednn_and_elsewhere_it_is_a_plain_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = create("mn04")
    assert not any(isinstance(module, FrozenBlocks) for module in backbones.freeze(backbone.to("meta")).modules())
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    backbone = create("mn04")
    plain, waveform = backbones.freeze(backbone), sound(backbone, 1, 1.0)
    assert plain is not backbone
    with torch.inference_mode():
        assert torch.equal(plain(waveform).frames, backbone(waveform).frames)


def transformer(family: str) -> Backbone:
    """Weights and biases large enough that the blocks matter and that GELU bends."""
    torch.manual_seed(0)
    backbone = FAMILIES[family].build(**FAMILIES[family].published).eval()
    with torch.no_grad():
        for module in backbone.modules():
            if isinstance(module, torch.nn.Linear):
                module.weight.normal_(0, 2 / module.in_features**0.5)
                if module.bias is not None:
                    module.bias.normal_(0, 0.5)
    return backbone


def packed(network: torch.nn.Module) -> int:
    return sum(isinstance(module, FrozenLinear) for module in network.modules())


@needs_onednn
@pytest.mark.parametrize("family", ["ast", "passt", "beats", "atst_frame", "fpasst", "m2d", "fast"])
def test_transformers_of_every_family_at_any_length(family: str) -> None:
    backbone = transformer(family)
    frozen = backbones.freeze(backbone)
    assert packed(frozen) == (
        12 if family == "fast" else 8
    )  # of a block: to queries, keys and values, out, two of the MLP
    assert packed(backbone) == 0
    with torch.inference_mode():
        for batch, seconds in ((1, 0.3), (3, 1.0), (2, 2.7)):
            waveform = sound(backbone, batch, seconds)
            expected, output = backbone(waveform), frozen(waveform)
            close(output.frames, expected.frames)
            assert (output.summary is None) == (expected.summary is None)
            if expected.summary is not None and output.summary is not None:
                close(output.summary, expected.summary)
            assert torch.equal(frozen(waveform).frames, output.frames)
        frames = output.frames
        for parameter in backbone.parameters():
            parameter.mul_(1.5)
        assert torch.equal(frozen(waveform).frames, frames)
        assert not torch.allclose(backbone(waveform).frames, frames, atol=1e-2)


@needs_onednn
def test_attention_of_a_frozen_transformer_can_be_recorded() -> None:
    backbone = transformer("ast")
    waveform, recorded = sound(backbone, 1, 1.0), []
    for network in (backbone, backbones.freeze(backbone)):
        with torch.inference_mode(), recorded_attention(network) as maps:
            network(waveform)
        recorded.append(maps)
    plain, frozen = recorded
    assert list(plain) == list(frozen)
    for name in plain:
        close(frozen[name][0], plain[name][0])


@needs_onednn
def test_layers_with_low_rank_corrections_stay_as_they_are() -> None:
    pytest.importorskip("peft")
    adapted = backbones.create("atst_frame_ssl", "none", depth=2, dim=48, heads=4, lora={"rank": 2})
    for key, tensor in adapted.state_dict().items():
        if "lora_B" in key:
            tensor.normal_(0, 0.5)
    frozen, waveform = backbones.freeze(adapted), sound(adapted, 1, 1.0)
    with torch.inference_mode():
        close(frozen(waveform).frames, adapted.eval()(waveform).frames)
