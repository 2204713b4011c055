"""Every released encoder through every way to open it: the same vectors, or a refusal that names what it would drop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import contrastive_artifacts as ca
from contrastive_artifacts.adapters import hear, xares
from contrastive_artifacts.core.errors import ParameterError, StorageError
from contrastive_artifacts.embedding import encoder_folder, open_embedder, open_encoder, released
from contrastive_artifacts.embedding.context import ContextEmbedder
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.context import Context, ContextSettings, PatchEncoder
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings
from contrastive_artifacts.models.slow import SLOW_FIGURES
from contrastive_artifacts.runs.comparing import Candidate
from contrastive_artifacts.runs.comparing.candidates import embedder

PACKAGE = Path(ca.__file__).parent
names = pytest.mark.parametrize("name", released())


def clicks_in_noise(seconds: float, rate: int) -> np.ndarray:
    x = np.random.default_rng(0).normal(0, 0.05, round(seconds * rate)).astype(np.float32)
    x[:: rate // 3] += 0.5
    return x


@names
def test_every_way_to_open_an_encoder_gives_the_same_vectors(name: str) -> None:
    encoder = ca.load(f"release/{name}")
    model = hear.load_model(f"release/{name}")
    x = clicks_in_noise(encoder.window_s, model.sample_rate)
    expected = encoder.embed((x, model.sample_rate))
    assert expected.frames.shape == (1, encoder.dim)
    compared = embedder(Candidate(name, "trained", f"release/{name}").load())
    at_encoder_rate = encoder.embed((clicks_in_noise(encoder.window_s, encoder.sample_rate), encoder.sample_rate))
    ways = {
        "open_embedder": (open_embedder(f"release/{name}").embed((x, model.sample_rate)).clip, expected.clip),
        "a folder": (ca.load(PACKAGE / "release" / name).embed((x, model.sample_rate)).clip, expected.clip),
        "compare": (
            compared.view_vectors([clicks_in_noise(encoder.window_s, encoder.sample_rate)])["h"][0],
            at_encoder_rate.clip,
        ),
    }
    for way, (vector, reference) in ways.items():
        np.testing.assert_allclose(vector, reference, rtol=1e-4, atol=1e-5, err_msg=way)


@pytest.fixture(scope="module")
def context_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder under a context module."""
    torch.manual_seed(0)
    encoder = Encoder(backbones.create("mn04", "none"), EncoderSettings(("clean", "hiss"), 1.0, hidden=16, embedding=8))
    patches = PatchEncoder(encoder.eval())
    sizes = {"max_s": 4.0, "width": 16, "heads": 2, "hidden": 12, "embedding": 8, "slow": len(SLOW_FIGURES)}
    folder = tmp_path_factory.mktemp("context") / "both"
    module = Context(ContextSettings("attention", ("clean", "wow_flutter"), patches.dim, **sizes))
    ContextEmbedder(patches, module).save(folder)
    return folder


@pytest.mark.parametrize("name", [*(f"release/{name}" for name in released()), "context module"])
def test_the_adapters_use_the_whole_encoder(name: str, context_folder: Path) -> None:
    """A waveform of one window: HEAR's scene vector is the mean of two windows, the whole one and its reflection."""
    name = name if name.startswith("release/") else str(context_folder)
    encoder, model = ca.load(name), hear.load_model(name)
    rate = model.sample_rate
    x = clicks_in_noise(encoder.window_s, rate)
    whole = encoder.embed((x, rate)).frames[0]
    around = np.pad(x, len(x) // 2, mode="reflect")[: len(x)]  # centred at sample 0
    frames = np.stack([encoder.embed((around, rate)).frames[0], whole])
    scene = hear.get_scene_embeddings(torch.from_numpy(x)[None], model)[0].numpy()
    mean = frames.mean(axis=0)
    np.testing.assert_allclose(scene, mean / np.linalg.norm(mean), rtol=1e-3, atol=1e-4)
    short = torch.from_numpy(clicks_in_noise(0.3, encoder.sample_rate))[None]
    frame = xares.ArtifactEncoder(name)(short)
    assert frame.shape == (1, 1, encoder.dim)


def test_what_would_drop_a_context_module_is_refused_by_name(context_folder: Path) -> None:
    for purpose in ("the ONNX export", "the long-range analysis"):
        with pytest.raises(ParameterError, match=f"(?i)both holds a context module.*{purpose}"):
            open_encoder(context_folder, purpose)
    assert open_encoder("release/mn04", "the ONNX export").fingerprint() == ca.load("release/mn04").fingerprint


def test_only_this_room_reads_encoder_files() -> None:
    """Who calls Encoder.load or Context.load elsewhere would drop one of the two."""
    readers = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if any(f"{name}.load(" in path.read_text(encoding="utf-8").replace("`", "") for name in ("Encoder", "Context"))
    }
    assert readers <= {"embedding", "models"}


def test_names_and_folders(tmp_path: Path) -> None:
    assert encoder_folder("release") == encoder_folder("release/all") == PACKAGE / "release" / "all"
    (tmp_path / "run" / "encoder").mkdir(parents=True)
    (tmp_path / "run" / "encoder" / "encoder.json").write_text("{}")
    assert encoder_folder(tmp_path / "run") == encoder_folder(tmp_path / "run" / "encoder")
    with pytest.raises(StorageError, match=r"all, mn04, yamnet"):
        encoder_folder(tmp_path / "nothing")
