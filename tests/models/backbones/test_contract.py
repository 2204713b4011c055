"""What every backbone promises, checked on one of each family."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from families import FAMILIES

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.models.backbones import Backbone

every = pytest.mark.parametrize("family", FAMILIES)


def _published(family: str) -> Backbone:
    torch.manual_seed(0)
    return FAMILIES[family].build(**FAMILIES[family].published).eval()


def _scratch(family: str) -> Backbone:
    torch.manual_seed(0)
    return FAMILIES[family].build(**FAMILIES[family].scratch).eval()


def _noise(backbone: Backbone, batch: int, seconds: float) -> torch.Tensor:
    return 0.1 * torch.randn(batch, int(seconds * backbone.sample_rate), generator=torch.Generator().manual_seed(1))


@every
def test_frames_of_any_length(family: str) -> None:
    backbone = _published(family)
    with torch.no_grad():
        shapes = {s: tuple(backbone(_noise(backbone, 2, s)).frames.shape) for s in (0.01, 0.5, 1.0, 2.5, 5.0)}
        short = _noise(backbone, 1, 0.01)
        padded = torch.nn.functional.pad(short, (0, backbone.min_samples - short.shape[-1]))
        torch.testing.assert_close(backbone(short).frames, backbone(padded).frames)
    assert all(shape[0] == 2 and shape[2] == backbone.dim for shape in shapes.values())
    counts = [shape[1] for shape in shapes.values()]
    assert counts[0] == 1
    assert counts[-1] - counts[-2] == pytest.approx(2.5 / backbone.hop_s, abs=1)


@every
def test_rows_do_not_mix_and_modes_agree_when_folded(family: str) -> None:
    backbone = _published(family)
    batch = _noise(backbone, 3, 1.2)
    with torch.no_grad():
        frames = backbone(batch).frames
        torch.testing.assert_close(frames[1:2], backbone(batch[1:2]).frames, rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(frames, backbone.train()(batch).frames, rtol=0, atol=0)
        assert backbone(torch.zeros_like(batch)).frames.isfinite().all()


@every
def test_autocast_keeps_the_spectrogram_and_nearly_the_frames(family: str) -> None:
    backbone = _published(family)
    batch = _noise(backbone, 2, 1.0)
    with torch.no_grad():
        frames, spectrogram = backbone(batch).frames, backbone.frontend(batch)
        with torch.autocast("cpu", torch.bfloat16):
            coarse = backbone(batch).frames
            assert torch.equal(backbone.frontend(batch), spectrogram)
    assert coarse.dtype == torch.float32
    assert not torch.equal(coarse, frames)
    assert torch.corrcoef(torch.stack([coarse.flatten(), frames.flatten()]))[0, 1] > 0.99


@pytest.mark.parametrize("family", [f for f in FAMILIES if getattr(FAMILIES[f].build, "convolutional", False)])
def test_chunks_change_nothing(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = _published(family)
    batch = _noise(backbone, 3, 1.0)
    with torch.no_grad():
        whole = backbone(batch).frames
        monkeypatch.setattr(f"{type(backbone).__module__}.CHUNK", 1)
        torch.testing.assert_close(backbone(batch).frames, whole, rtol=1e-3, atol=1e-5)


@every
@pytest.mark.parametrize("create", [_published, _scratch])
def test_every_parameter_learns_and_is_in_one_layer_group(family: str, create: Callable[[str], Backbone]) -> None:
    backbone = create(family)
    features = backbone.train()(_noise(backbone, 2, 1.2))
    loss = features.frames.square().sum()
    (loss if features.summary is None else loss + features.summary.square().sum()).backward()
    parameters = dict(backbone.named_parameters())
    # A channel that ReLU switches off for this input has no gradient; whole tensors without any are an error.
    assert [k for k, p in parameters.items() if p.grad is None or not p.grad.isfinite().all()] == []
    assert [k for k, p in parameters.items() if not p.grad.any()] == []
    staged = [id(p) for stage in backbone.layer_groups() for p in stage.parameters()]
    assert sorted(staged) == sorted(id(p) for p in parameters.values())


@every
def test_wrong_input_is_refused(family: str) -> None:
    backbone = _published(family)
    wrong = (torch.zeros(16000), torch.zeros(1, 2, 16000), torch.zeros(1, 0), torch.zeros(1, 9, dtype=torch.int16))
    for waveform in wrong:
        with pytest.raises(ParameterError, match="mono"):
            backbone(waveform)
