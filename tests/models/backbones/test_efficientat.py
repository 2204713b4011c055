"""EfficientAT against a forward pass written from the published keys, and against numbers of the upstream code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from contrastive_artifacts.core.errors import WeightsError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones.efficientat import EfficientAT
from contrastive_artifacts.models.backbones.efficientat_convert import BATCH_NORM_EPS, rename
from contrastive_artifacts.models.backbones.layers import fold_batch_norm

GOLDEN = np.load(Path(__file__).parent / "golden" / "mn04.npz")  # from the upstream code, commit a425fdc
STRIDES = (1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1)
Signals = Callable[[int], dict[str, Tensor]]


def _reference(state: dict[str, Tensor], spectrogram: Tensor) -> tuple[Tensor, Tensor]:
    """Mean feature [B, 384] and logits [B, 527] by walking the published keys, batch norms not folded."""

    def unit(key: str, x: Tensor, act: Callable[[Tensor], Tensor], stride: int = 1) -> Tensor:
        weight = state[key + ".0.weight"]
        groups = x.shape[1] // weight.shape[1]
        x = F.conv2d(x, weight, None, stride, weight.shape[-1] // 2, groups=groups)
        names = ("running_mean", "running_var", "weight", "bias")
        return act(F.batch_norm(x, *(state[f"{key}.1.{n}"] for n in names), eps=1e-3))

    x = unit("features.0", spectrogram.unsqueeze(1), F.hardswish, 2)
    for block, stride in enumerate(STRIDES, start=1):
        act = F.relu if block < 7 else F.hardswish
        key = f"features.{block}.block."
        units = sorted({k[len(key)] for k in state if k.startswith(key)})
        y = x
        for position in units:
            gate = f"{key}{position}.conc_se_layers.0."
            if gate + "fc1.weight" in state:
                g = F.linear(y.mean((2, 3)), state[gate + "fc1.weight"], state[gate + "fc1.bias"]).relu()
                g = F.linear(g, state[gate + "fc2.weight"], state[gate + "fc2.bias"]).sigmoid()
                y = y * g[:, :, None, None]
            else:
                depthwise = state[f"{key}{position}.0.weight"].shape[1] == 1
                last = position == units[-1]
                y = unit(key + position, y, (lambda z: z) if last else act, stride if depthwise else 1)
        x = x + y if stride == 1 and x.shape == y.shape else y
    pooled = unit("features.16", x, F.hardswish).mean((2, 3))
    hidden = F.hardswish(F.linear(pooled, state["classifier.2.weight"], state["classifier.2.bias"]))
    return pooled, F.linear(hidden, state["classifier.5.weight"], state["classifier.5.bias"])


def test_file_in_the_published_layout_gives_the_published_network(mn04_file: Path, signals: Signals) -> None:
    tagger = backbones.create_tagger("mn04", mn04_file)
    waveform = torch.cat(list(signals(32000).values()))
    with torch.no_grad():
        pooled, logits = _reference(torch.load(mn04_file, weights_only=True), tagger.backbone.frontend(waveform))
        torch.testing.assert_close(tagger.backbone(waveform).frames.mean(1), pooled, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(tagger.scores(waveform)[:, 0], logits.sigmoid(), rtol=1e-3, atol=1e-3)
    assert pooled.std(0).mean() > 0.01  # the signals must differ, or the comparison would show nothing


def test_folding_equals_batch_norm_in_evaluation(mn04_file: Path, signals: Signals) -> None:
    unfolded, _ = rename(torch.load(mn04_file, weights_only=True))
    batch, folded = EfficientAT(0.4, "batch").eval(), EfficientAT(0.4, "folded").eval()
    batch.load_state_dict(unfolded)
    folded.load_state_dict(fold_batch_norm(unfolded, BATCH_NORM_EPS))
    with torch.no_grad():
        torch.testing.assert_close(
            batch(signals(32000)["noise"]).frames, folded(signals(32000)["noise"]).frames, rtol=1e-3, atol=1e-3
        )


@pytest.mark.parametrize("change", ["missing", "unexpected", "shape", "nan"])
def test_every_key_must_match(mn04_file: Path, tmp_path: Path, change: str) -> None:
    state = torch.load(mn04_file, weights_only=True)
    key = "features.3.block.1.1.running_mean"
    if change == "missing":
        del state[key]
    elif change == "unexpected":
        state["features.17.0.weight"] = torch.zeros(1)
    elif change == "shape":
        state["features.16.0.weight"] = torch.zeros(10, 64, 1, 1)
    else:
        state["features.16.0.weight"][0] = torch.nan
    path = tmp_path / "changed.pt"
    torch.save(state, path)
    ours = (
        r"blocks\.3\.depthwise"
        if change == "missing"
        else "features.17"
        if change == "unexpected"
        else "blocks.16.conv.weight"
    )
    with pytest.raises(WeightsError, match=ours) as caught:
        backbones.create("mn04", path)
    assert str(path) in str(caught.value)


def test_damaged_and_hostile_files_are_refused(mn04_file: Path, tmp_path: Path) -> None:
    truncated = tmp_path / "truncated.pt"
    truncated.write_bytes(mn04_file.read_bytes()[:5000])
    code = tmp_path / "code.pt"
    torch.save({"model": Path("/")}, code)  # an object that only unpickling code could rebuild
    for path in (truncated, code):
        with pytest.raises(WeightsError, match=path.name):
            backbones.create("mn04", path)


def test_frames_are_centred_where_the_contract_says() -> None:
    """A click raises the gradient of the frame whose window holds it."""
    torch.manual_seed(0)
    backbone = backbones.create("mn04", "none")
    waveform = (0.01 * torch.randn(1, 32000 * 6)).requires_grad_()
    frame = 9
    backbone(waveform).frames[0, frame].square().sum().backward()
    assert waveform.grad is not None
    energy = waveform.grad[0].square()
    centre = float((energy * torch.arange(len(energy))).sum() / energy.sum()) / 32000
    expected = backbone.offset_s + frame * backbone.hop_s + backbone.window_s / 2
    assert centre == pytest.approx(expected, abs=backbone.hop_s / 2)


@pytest.mark.parametrize("name", ["noise", "chirp", "clicks"])
def test_front_end_golden(name: str, signals: Signals) -> None:
    spectrogram = EfficientAT(0.4, "folded").frontend(signals(32000)[name])[0, :, ::4].numpy()
    np.testing.assert_allclose(spectrogram, GOLDEN[f"{name}_spectrogram"], atol=1e-4)


@pytest.mark.parametrize("name", ["noise", "chirp", "clicks"])
def test_published_weights_golden(dev_weights: Path, name: str, signals: Signals) -> None:
    tagger = backbones.create_tagger("mn04", dev_weights / "efficientat")
    waveform = signals(32000)[name]
    with torch.no_grad():
        embedding = tagger.backbone(waveform).frames.mean(1)[0].numpy()
        scores = tagger.scores(waveform)[0, 0].numpy()
    np.testing.assert_allclose(embedding, GOLDEN[f"{name}_embedding"], atol=1e-4)
    np.testing.assert_allclose(scores, GOLDEN[f"{name}_scores"], atol=1e-5)
