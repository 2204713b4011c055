"""The conformance checks of HEAR and X-ARES, as their validators make them, and what they cannot see."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import contrastive_artifacts as ca
from contrastive_artifacts.adapters import hear, xares
from contrastive_artifacts.adapters.windowed import mirrored
from contrastive_artifacts.core.errors import StorageError
from contrastive_artifacts.embedding import RELEASE, released


@pytest.fixture(scope="module", params=released())
def model(request: pytest.FixtureRequest) -> hear.HearModel:
    return hear.load_model(str(RELEASE / request.param))


def noise(rate: int, seconds: float, batch: int) -> torch.Tensor:
    return 2 * torch.rand(batch, int(seconds * rate), generator=torch.Generator().manual_seed(1)) - 1


def test_hear_model(model: hear.HearModel) -> None:
    assert isinstance(model, torch.nn.Module)
    assert model.sample_rate in (16000, 22050, 44100, 48000)
    assert isinstance(model.scene_embedding_size, int)
    assert isinstance(model.timestamp_embedding_size, int)


@pytest.mark.parametrize("seconds", [1.07, 1.98])
def test_hear_timestamps(model: hear.HearModel, seconds: float) -> None:
    embeddings, timestamps = hear.get_timestamp_embeddings(noise(model.sample_rate, seconds, 2), model)
    assert embeddings.dtype == torch.float32
    assert embeddings.shape == (2, *timestamps.shape[1:], model.timestamp_embedding_size)
    assert timestamps.shape[0] == 2
    steps = timestamps.diff(dim=1)
    assert steps.max() <= 50
    assert (steps - steps.mean()).abs().max() <= 1
    assert timestamps.min() <= steps.mean()
    assert 1000 * seconds - 2 * 50 <= timestamps.max() <= 1000 * seconds


def test_hear_scenes(model: hear.HearModel) -> None:
    batch = noise(model.sample_rate, 2.74, 4)
    embeddings = hear.get_scene_embeddings(batch, model)
    assert embeddings.dtype == torch.float32
    assert embeddings.shape == (4, model.scene_embedding_size)
    torch.testing.assert_close(embeddings[2:3], hear.get_scene_embeddings(batch[2:3], model), rtol=1e-3, atol=1e-4)


def test_timestamps_are_where_the_sound_is() -> None:
    """A vector at time t is the encoder's of the window around t."""
    model = hear.load_model(str(RELEASE / "yamnet"))
    batch = noise(16000, 8.0, 1)
    embeddings, timestamps = hear.get_timestamp_embeddings(batch, model)
    window = round(model.encoder.window_s * 16000)
    start = round(4.0 * 16000) - window // 2
    expected = model.encoder.embed((batch[:, start : start + window], 16000)).frames
    at_4_s = embeddings[:, int((timestamps[0] == 4000).nonzero())]
    torch.testing.assert_close(at_4_s, torch.from_numpy(expected), rtol=1e-3, atol=1e-4)


def test_xares() -> None:
    encoder = xares.ArtifactEncoder(str(RELEASE / "yamnet"))
    assert type(encoder).__name__.endswith("Encoder")
    assert isinstance(encoder, torch.nn.Module)
    frames = encoder(torch.randn(2, 50000, generator=torch.Generator().manual_seed(0)))
    expected = 50000 / encoder.sampling_rate * 1000 / encoder.hop_size_in_ms
    assert frames.shape == (2, int(expected), encoder.output_dim)
    assert not frames.requires_grad
    assert encoder(torch.zeros(10)).shape == (1, 1, encoder.output_dim)


@pytest.mark.parametrize("samples", [1, 2, 5, 100])
def test_ends_are_mirrored_as_often_as_it_takes(samples: int) -> None:
    wave = np.arange(samples, dtype=np.float32)[None]
    expected = np.pad(wave, ((0, 0), (12, 30)), mode="reflect" if samples > 1 else "edge")
    np.testing.assert_array_equal(mirrored(torch.from_numpy(wave), 12, 30).numpy(), expected)


def test_the_names_are_those_of_load() -> None:
    assert hear.load_model().encoder.fingerprint == ca.load("release").fingerprint
    with pytest.raises(StorageError, match="no encoder"):
        hear.load_model("nowhere")
