"""The encoder of label sets: shapes, storage, and that its parts see what they should."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from contrastive_artifacts.core import files
from contrastive_artifacts.core.errors import FingerprintError, ParameterError, StorageError, WeightsError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.encoder import Encoder
from contrastive_artifacts.models.figure_encoder import FigureEncoder, FigureSettings
from contrastive_artifacts.models.figures import FRAME_SIZES, WINDOW_SIZES, Figures

STATES = ("clean", "hum", "clicks", "hiss")
SETTINGS = FigureSettings(STATES, window_s=1.6, figures=16, channels=8, backbone=4, hidden=16, embedding=8, dropout=0.0)


def random_figures(rows: int, pooled: int = 0, frames: int = 100, seed: int = 0) -> Figures[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = [(rows, frames, size) for size in FRAME_SIZES.values()] + [(rows, size) for size in WINDOW_SIZES.values()]
    return Figures(*(torch.randn(shape, generator=generator) for shape in [*shapes, (rows, pooled)]))


@pytest.fixture
def encoder() -> FigureEncoder:
    torch.manual_seed(0)
    return FigureEncoder(SETTINGS).eval()


def test_shapes(encoder):
    encoded = encoder(random_figures(5))
    assert encoded.h.shape == (5, 24)  # the hidden layer and z
    assert encoded.z.shape == (5, 8)
    assert encoded.logits.shape == encoded.severity.shape == (5, 4)
    assert encoded.frame_logits.shape == (5, 50, 3), "one column per fault, none for clean"
    torch.testing.assert_close(encoded.h.norm(dim=1), torch.full((5,), 24.0**0.5))
    assert encoder.cell_s == pytest.approx(0.032)


def test_h_is_the_hidden_layer_beside_z(encoder):
    encoded = encoder(random_figures(5))
    torch.testing.assert_close(encoder.contrastive(encoded.h), encoded.z)
    h, z = torch.nn.functional.normalize(encoded.h, dim=1), encoded.z
    hidden = torch.nn.functional.normalize(h[:, :16], dim=1)
    torch.testing.assert_close(h @ h.T, 0.2 * (hidden @ hidden.T) + 0.8 * (z @ z.T))


def test_a_row_does_not_depend_on_the_others(encoder):
    figures = random_figures(6)
    alone = encoder(Figures(*(part[2:3] for part in figures)))
    torch.testing.assert_close(encoder(figures).logits[2:3], alone.logits, atol=1e-5, rtol=1e-5)


def test_the_frame_logits_are_of_their_place(encoder):
    """A change of ten frames changes the cells there most; elsewhere only by the reach of the convolutions."""
    figures = random_figures(1, frames=400)
    changed = figures.frames.clone()
    changed[:, 300:310] += 3.0
    moved = (encoder(figures).frame_logits - encoder(figures._replace(frames=changed)).frame_logits).abs().amax(2)[0]
    assert 145 <= int(moved.argmax()) <= 160
    assert moved[145:160].mean() > 5 * moved[:100].mean()


def test_a_backbone_adds_a_branch_that_is_not_trained():
    torch.manual_seed(0)
    backbone = backbones.create("mn04", "none")
    encoder = FigureEncoder(SETTINGS, backbone).eval()
    pooled = 3 * backbone.dim
    assert encoder(random_figures(2, pooled)).logits.shape == (2, 4)
    trained = sum(p.numel() for p in encoder.trained_parameters())
    assert trained + sum(p.numel() for p in backbone.parameters()) == sum(p.numel() for p in encoder.parameters())
    encoder(random_figures(2, pooled)).logits.sum().backward()
    assert all(p.grad is None for p in encoder.backbone.parameters())


def test_standardise_makes_training_figures_standard(encoder):
    figures = random_figures(400)
    figures = figures._replace(slow=figures.slow * 7 + 3)
    encoder.standardise([figures])
    standard = encoder._standard("window", encoder.window_vector(figures))
    assert standard.mean(0).abs().max() < 0.2
    assert abs(float(standard.std()) - 1) < 0.2


@pytest.mark.parametrize("half", [False, True])
def test_a_saved_encoder_is_the_same(tmp_path, encoder, half):
    encoder.save(tmp_path, half)
    loaded = FigureEncoder.load(tmp_path)
    figures = random_figures(3)
    torch.testing.assert_close(loaded(figures).logits, encoder(figures).logits, atol=2e-2 if half else 0, rtol=0)
    assert (loaded.fingerprint() == encoder.fingerprint()) is not half


def test_the_fingerprint_is_of_weights_settings_and_figures(encoder, monkeypatch):
    before = encoder.fingerprint()
    monkeypatch.setattr("contrastive_artifacts.models.figure_encoder.VERSIONS", {"slow": 99})
    assert encoder.fingerprint() != before


def test_other_figures_and_other_files_are_refused(tmp_path, encoder):
    encoder.save(tmp_path)
    with pytest.raises(StorageError, match="does not describe an encoder"):
        Encoder.load(tmp_path)
    tensors = load_file(tmp_path / "encoder.safetensors")
    save_file({k: v for k, v in tensors.items() if k != "neck.0.bias"}, tmp_path / "encoder.safetensors")
    with pytest.raises(WeightsError, match="1 missing"):
        FigureEncoder.load(tmp_path)
    record = files.read_json(tmp_path / "encoder.json")
    files.write_json(tmp_path / "encoder.json", {**record, "figures": {"slow": 0}})
    with pytest.raises(FingerprintError, match="train it again"):
        FigureEncoder.load(tmp_path)
    files.write_json(tmp_path / "encoder.json", {**record, "settings": {**record["settings"], "hidden": -1}})
    with pytest.raises((StorageError, ParameterError)):
        FigureEncoder.load(tmp_path)


@pytest.mark.parametrize(
    "change", [{"states": ("clean",)}, {"window_s": 0.5}, {"channels": 12}, {"hidden": 0}, {"dropout": 1.0}]
)
def test_settings_out_of_range_are_refused(change):
    with pytest.raises(ParameterError):
        dataclasses.replace(SETTINGS, **change)


def test_gradients_are_finite_for_constant_figures(encoder):
    zeros = Figures(*(torch.zeros_like(part) for part in random_figures(2)))
    encoder.train()(zeros).logits.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in encoder.trained_parameters() if p.grad is not None)
    assert np.isfinite(encoder.eval()(zeros).h.detach().numpy()).all()
