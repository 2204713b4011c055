"""The encoder: strict files, exact round trip, gradients everywhere, a fingerprint that notices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from contrastive_artifacts import backbones
from contrastive_artifacts.encoder import Encoder, EncoderSettings, pool, spectral_statistics
from contrastive_artifacts.errors import ParameterError, StorageError, WeightsError

SETTINGS = EncoderSettings(("clean", "hiss", "hum"), window_s=0.5, hidden=16, embedding=8)


@pytest.fixture
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(backbones.create("mn04", "none"), SETTINGS).eval()


def sound(batch: int = 2, samples: int = 16000) -> torch.Tensor:
    return 0.1 * torch.randn(batch, samples, generator=torch.Generator().manual_seed(1))


def test_shapes_and_norms(encoder):
    out = encoder(sound())
    assert [tuple(part.shape) for part in out] == [(2, 16), (2, 8), (2, 3), (2, 3)]
    assert torch.allclose(out.z.norm(dim=1), torch.ones(2))
    assert (out.severity > 0).all()
    assert (out.severity < 1).all()


def test_batch_equals_single(encoder):
    x = sound(3)
    with torch.no_grad():
        together, alone = encoder(x), [encoder(row[None]) for row in x]
    assert torch.allclose(together.h, torch.cat([one.h for one in alone]), atol=1e-5)


def test_every_parameter_gets_a_gradient_and_stands_in_one_stage(encoder):
    out = encoder.train()(sound())
    sum(part.square().sum() for part in (out.logits, out.severity, out.z[:, :3])).backward()
    named = dict(encoder.named_parameters())
    assert not [name for name, p in named.items() if p.grad is None]
    staged = [id(p) for stage in encoder.stages() for p in stage.parameters()]
    assert sorted(staged) == sorted(id(p) for p in named.values())


def test_saved_and_loaded_it_answers_the_same(encoder, tmp_path):
    encoder.save(tmp_path)
    again = Encoder.load(tmp_path)
    with torch.no_grad():
        assert torch.equal(encoder(sound()).h, again(sound()).h)
    assert again.settings == SETTINGS
    assert again.fingerprint() == encoder.fingerprint()
    assert {f.name for f in tmp_path.iterdir()} == {"encoder.json", "encoder.safetensors"}


def test_half_precision_is_close_and_half_as_large(encoder, tmp_path):
    encoder.save(tmp_path / "full")
    encoder.save(tmp_path / "half", half=True)
    sizes = [(tmp_path / name / "encoder.safetensors").stat().st_size for name in ("full", "half")]
    assert sizes[1] < 0.55 * sizes[0]
    with torch.no_grad():
        assert torch.allclose(Encoder.load(tmp_path / "half")(sound()).h, encoder(sound()).h, atol=0.02)


def test_the_fingerprint_notices_one_weight(encoder):
    before = encoder.fingerprint()
    with torch.no_grad():
        encoder.types.bias[0] += 1e-3
    assert encoder.fingerprint() != before


@pytest.mark.parametrize("damage", ["missing", "extra", "shape", "truncated", "absent"])
def test_weights_that_do_not_fit_in_full_are_refused(encoder, tmp_path, damage):
    encoder.save(tmp_path)
    path = tmp_path / "encoder.safetensors"
    tensors = load_file(path)
    if damage == "missing":
        del tensors["types.bias"]
    elif damage == "extra":
        tensors["more"] = torch.zeros(1)
    elif damage == "shape":
        tensors["types.bias"] = torch.zeros(9)
    save_file(tensors, path)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "absent":
        path.unlink()
    with pytest.raises(WeightsError, match="encoder"):
        Encoder.load(tmp_path)


def test_a_folder_without_an_encoder_is_refused(tmp_path):
    with pytest.raises(StorageError, match="does not exist"):
        Encoder.load(tmp_path)
    (tmp_path / "encoder.json").write_text('{"format": 99}')
    with pytest.raises(StorageError, match="format"):
        Encoder.load(tmp_path)


def test_pooling_is_mean_maximum_deviation():
    frames = torch.tensor([[[0.0], [2.0], [4.0]]])
    assert np.allclose(pool(frames).numpy(), [[2, 4, np.sqrt(8 / 3)]], atol=1e-4)
    assert pool(frames[:, :1]).shape == (1, 3)


def test_dropout_is_checked():
    with pytest.raises(ParameterError):
        EncoderSettings(("clean",), 1.0, dropout=1.0)


def test_spectral_statistics_by_hand():
    spectrogram = torch.tensor([[[1.0, 3.0, 2.0]]])
    values = spectral_statistics(spectrogram)[0].numpy()
    assert np.allclose(values, [2, np.sqrt(2 / 3), 1, 3, 1.5, 0.5, 2], atol=1e-3)


@pytest.mark.parametrize("name", ["mn04", "yamnet"])
def test_every_backbone_fits(name):
    encoder = Encoder(backbones.create(name, "none"), SETTINGS).eval()
    with torch.no_grad():
        features = encoder.backbone(sound(samples=encoder.sample_rate))
        assert features.spectrogram.shape[:2] == (2, encoder.backbone.bands)
        assert torch.isfinite(encoder(sound(samples=encoder.sample_rate)).h).all()
