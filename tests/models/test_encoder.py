"""The encoder: strict files, exact round trip, gradients everywhere, a fingerprint that notices."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from contrastive_artifacts.core.errors import ParameterError, StorageError, WeightsError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings, pool, spectral_statistics

SETTINGS = EncoderSettings(("clean", "hiss", "hum"), window_s=0.5, hidden=16, embedding=8)


@pytest.fixture
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(backbones.create("mn04", "none"), SETTINGS).eval()


def sound(batch: int = 2, samples: int = 16000) -> torch.Tensor:
    return 0.1 * torch.randn(batch, samples, generator=torch.Generator().manual_seed(1))


def test_shapes_and_norms(encoder):
    out = encoder(sound())
    assert [tuple(part.shape) for part in out[:4]] == [(2, 16), (2, 8), (2, 3), (2, 3)]
    assert out.frame_logits is None
    assert out.frame_probabilities is None
    assert torch.allclose(out.z.norm(dim=1), torch.ones(2))
    assert (out.severity > 0).all()
    assert (out.severity < 1).all()


def test_batch_equals_single(encoder):
    x = sound(3)
    with torch.no_grad():
        together, alone = encoder(x), [encoder(row[None]) for row in x]
    assert torch.allclose(together.h, torch.cat([single.h for single in alone]), atol=1e-5)


def test_every_parameter_gets_a_gradient_and_stands_in_one_stage(encoder):
    out = encoder.train()(sound())
    sum(part.square().sum() for part in (out.logits, out.severity, out.z[:, :3])).backward()
    named = dict(encoder.named_parameters())
    assert not [name for name, p in named.items() if p.grad is None]
    staged = [id(p) for stage in encoder.layer_groups() for p in stage.parameters()]
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


FRAMED = EncoderSettings(("clean", "hiss", "hum"), window_s=0.5, hidden=16, embedding=8, frame_hop_s=0.05)


def framed(name: str = "mn04") -> Encoder:
    torch.manual_seed(0)
    return Encoder(backbones.create(name, "none"), FRAMED).eval()


@pytest.mark.parametrize("name", ["mn04", "yamnet"])
def test_a_frame_head_answers_every_hop(name):
    encoder = framed(name)
    for seconds, frames in ((0.01, 1), (0.5, 10), (0.52, 10), (1.0, 20)):
        with torch.no_grad():
            encoded = encoder(sound(2, round(seconds * encoder.sample_rate)))
        assert encoded.frame_logits.shape == (2, frames, 3)
        assert torch.equal(encoded.frame_probabilities, encoded.frame_logits.sigmoid())


def test_frames_follow_what_happens_in_them():
    """A burst moves the answer where it is, by more than anywhere else."""
    encoder, quiet = framed(), sound(1, 32000)
    loud = quiet.clone()
    loud[:, 20800:22400] *= 20  # cell 13
    with torch.no_grad():
        change = (encoder(loud).frame_logits - encoder(quiet).frame_logits).abs().sum(2)[0]
    assert 11 <= int(change.argmax()) <= 15  # a verdict is formed from five cells


def test_the_frame_head_does_not_mix_rows_and_every_parameter_learns():
    encoder, x = framed(), sound(3)
    with torch.no_grad():
        alone = torch.cat([encoder(row[None]).frame_logits for row in x])
        assert torch.allclose(encoder(x).frame_logits, alone, atol=1e-5)
    out = encoder.train()(x)
    sum(part.square().sum() for part in (out.logits, out.severity, out.z[:, :3], out.frame_logits)).backward()
    assert not [name for name, p in encoder.named_parameters() if p.grad is None]
    staged = [id(p) for stage in encoder.layer_groups() for p in stage.parameters()]
    assert sorted(staged) == sorted(id(p) for p in encoder.parameters())


def test_a_frame_head_is_saved_and_its_absence_too(encoder, tmp_path):
    framed().save(tmp_path / "framed")
    again = Encoder.load(tmp_path / "framed")
    assert again.settings == FRAMED
    with torch.no_grad():
        assert torch.equal(again(sound()).frame_logits, framed()(sound()).frame_logits)
    encoder.save(tmp_path / "plain")
    record = json.loads((tmp_path / "plain" / "encoder.json").read_text())
    assert "frame_hop_s" not in record["settings"]  # as encoders from before there was such a head
    assert Encoder.load(tmp_path / "plain").frames is None


@pytest.mark.parametrize("change", [{"frames": 2}, {"states": None}])
def test_settings_of_another_kind_are_refused(encoder, tmp_path, change):
    encoder.save(tmp_path)
    record = json.loads((tmp_path / "encoder.json").read_text())
    record["settings"] |= change
    (tmp_path / "encoder.json").write_text(json.dumps(record))
    with pytest.raises(StorageError, match="settings"):
        Encoder.load(tmp_path)


@pytest.mark.parametrize("hop", [-1, 0.001, 0.6])
def test_the_frame_hop_is_checked(hop):
    with pytest.raises(ParameterError, match="frame_hop_s"):
        EncoderSettings(("clean",), 0.5, frame_hop_s=hop)
