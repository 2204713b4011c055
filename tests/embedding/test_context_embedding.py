"""A context module in use: windows of files, the same as by hand; folders that hold encoder and module together."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import FingerprintError, ParameterError
from contrastive_artifacts.embedding.context import ContextEmbedder
from contrastive_artifacts.embedding.embedder import WindowEmbedder
from contrastive_artifacts.embedding.opening import open_embedder
from contrastive_artifacts.embedding.pretrained import PretrainedEncoder
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.context import Context, ContextSettings, PatchEncoder, PatchSettings
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings
from contrastive_artifacts.models.slow import SLOW_FIGURES, slow_figures

RATE = 44100


@pytest.fixture(scope="module")
def embedder() -> ContextEmbedder:
    torch.manual_seed(0)
    encoder = Encoder(backbones.create("mn04", "none"), EncoderSettings(("clean", "hiss"), 1.0, hidden=16, embedding=8))
    patches = PatchEncoder(encoder.eval())
    sizes = {"max_s": 4.0, "width": 16, "heads": 2, "hidden": 12, "embedding": 8, "slow": len(SLOW_FIGURES)}
    settings = ContextSettings("attention", ("clean", "wow_flutter"), patches.dim, **sizes)
    return ContextEmbedder(patches, Context(settings))


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal((1, round(seconds * RATE)))).astype(np.float32)


def test_a_file_is_heard_window_by_window(embedder: ContextEmbedder, tmp_path: Path) -> None:
    """Windows of the module's longest input, at the file's own rate, by patches and slow figures."""
    audio.write(tmp_path / "x.wav", noise(9.0), RATE)
    found = embedder.embed(tmp_path / "x.wav")
    starts = np.array([0, 2, 4, 5]) * RATE
    assert found.samples.tolist() == [[s, s + 4 * RATE] for s in starts.tolist()]
    whole = audio.read(tmp_path / "x.wav")[0][0]
    for row, start in zip(found.frames, starts.tolist(), strict=True):
        part = whole[start : start + 4 * RATE]
        patches, slow = embedder.patches.patches(part, RATE), slow_figures(part, RATE)
        with torch.no_grad():
            told = embedder.context(torch.from_numpy(patches)[None], None, torch.from_numpy(slow)[None])
        np.testing.assert_allclose(row, told.h[0].numpy(), atol=1e-4)
    short = embedder.embed((noise(0.5), RATE))  # too short for slow figures
    assert short.frames.shape == (1, 12)
    assert np.isfinite(short.frames).all()


def test_batches_and_views_agree_with_single_inputs(embedder: ContextEmbedder) -> None:
    sounds = [(noise(4.0), RATE), (noise(7.0, 1), RATE)]
    for one, many in zip((embedder.embed(s) for s in sounds), embedder.embed_batch(sounds), strict=True):
        np.testing.assert_allclose(one.clip, many.clip, atol=1e-5)
    waveforms = [audio.resample(x[0], RATE, 32000) for x, _ in sounds]
    views = embedder.view_vectors(waveforms, [(x[0], RATE) for x, _ in sounds])
    np.testing.assert_allclose(views["h"], [embedder.embed(s).clip for s in sounds], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(views["z"], axis=1), 1, atol=1e-5)


def test_a_folder_with_a_module_hears_with_it(embedder: ContextEmbedder, tmp_path: Path) -> None:
    embedder.save(tmp_path / "both")
    again = open_embedder(tmp_path / "both")
    assert isinstance(again, ContextEmbedder)
    assert again.fingerprint == embedder.fingerprint
    used = PretrainedEncoder(again, None)
    assert used.labels == ("clean", "wow_flutter")
    assert used.window_s == 4.0
    assert used.hop_s == 2.0
    x = (noise(5.0), RATE)
    np.testing.assert_array_equal(used.embed(x).frames, embedder.embed(x).frames)
    embedder.encoder.save(tmp_path / "alone")
    assert isinstance(open_embedder(tmp_path / "alone"), WindowEmbedder)


def test_an_encoder_once_halved_is_stored_halved(embedder: ContextEmbedder, tmp_path: Path) -> None:
    embedder.encoder.save(tmp_path / "half", half=True)
    patches = PatchEncoder(Encoder.load(tmp_path / "half"))
    made = ContextEmbedder(patches, embedder.context)
    made.save(tmp_path / "both")
    embedder.save(tmp_path / "whole")
    sizes = [(tmp_path / name / "encoder.safetensors").stat().st_size for name in ("both", "whole")]
    assert sizes[0] < 0.6 * sizes[1]
    assert open_embedder(tmp_path / "both").fingerprint == made.fingerprint


def test_a_module_over_other_patches_is_refused(embedder: ContextEmbedder, tmp_path: Path) -> None:
    torch.manual_seed(1)
    other = Encoder(backbones.create("mn04", "none"), EncoderSettings(("clean", "hiss"), 1.0, hidden=16, embedding=8))
    other.save(tmp_path)
    embedder.save(tmp_path / "own")
    for name in ("context.json", "context.safetensors"):
        shutil.copy(tmp_path / "own" / name, tmp_path / name)
    with pytest.raises(FingerprintError, match="its own encoder"):
        open_embedder(tmp_path)
    with pytest.raises(FingerprintError, match="trained with"):
        ContextEmbedder(PatchEncoder(other.eval(), PatchSettings(parts=("bands",))), embedder.context)
    with pytest.raises(ParameterError, match="bare backbone"):
        ContextEmbedder(PatchEncoder(other.backbone), embedder.context)
