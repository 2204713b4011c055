"""Patches of a waveform: where they lie, what is in them, and that files refuse what is not theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import AudioError, FingerprintError, ParameterError, StorageError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.context import PatchEncoder, PatchSettings, PatchTable
from contrastive_artifacts.models.detail import NativeDetail
from contrastive_artifacts.models.detail.native import native_detail
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(0)
    backbone = backbones.create("mn04", "none")
    return Encoder(backbone, EncoderSettings(("clean", "hiss"), 1.0, hidden=16, embedding=8)).eval()


def noise(seconds: float, rate: int = 32000, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate))).astype(np.float32)


RATE = 32000


def test_a_patch_depends_on_its_own_samples(encoder: Encoder) -> None:
    patches = PatchEncoder(encoder)
    x = noise(4.0)
    before = patches.patches(x, RATE)
    assert before.shape == (1 + (len(x) - patches.window) // patches.hop, patches.dim)
    x[2 * patches.hop - 1] += 0.5  # the last sample before patch 2, inside patches 0 and 1
    changed = np.abs(patches.patches(x, RATE) - before).max(axis=1) > 1e-3
    assert changed.tolist() == [True, True] + [False] * (len(changed) - 2)


def test_the_branches_are_the_encoders_own(encoder: Encoder) -> None:
    """The neck over them says what the encoder says of the patch as a clip."""
    patches, x = PatchEncoder(encoder), noise(0.96)
    branches = torch.from_numpy(patches.part(patches.patches(x, RATE), "branches"))
    with torch.no_grad():
        torch.testing.assert_close(encoder.neck(branches), encoder(torch.from_numpy(x)[None]).h, atol=1e-4, rtol=1e-3)


def test_a_short_waveform_is_one_patch_and_none_is_refused(encoder: Encoder) -> None:
    patches = PatchEncoder(encoder)
    assert patches.patches(noise(0.1), RATE).shape == (1, patches.dim)
    for bad in (np.zeros(0, np.float32), noise(1.0)[None]):
        with pytest.raises(AudioError, match="mono waveform"):
            patches.patches(bad, RATE)


def test_patches_lie_where_they_are_asked_for_and_zeros_around_the_waveform(encoder: Encoder) -> None:
    patches, x = PatchEncoder(encoder), noise(3.0)
    every, hop_s = patches.patches(x, RATE), patches.hop_s
    np.testing.assert_allclose(patches.at(x, RATE, np.array([2 * hop_s, 0.0])), every[[2, 0]], atol=1e-4)
    before = patches.at(x, RATE, np.array([-0.2, 2.5]))
    padded = np.pad(x, (round(0.2 * RATE), RATE))
    np.testing.assert_allclose(before, patches.at(padded, RATE, np.array([0.0, 2.7])), atol=1e-3)


def test_detail_figures_are_those_of_the_own_rate(encoder: Encoder) -> None:
    """Clipping at 48 kHz leaves flat tops there, which resampling to the encoder's 32 kHz blurs."""
    patches, rate = PatchEncoder(encoder), 48000
    x = np.clip(noise(2.0, rate), -0.1, 0.1)
    detail = patches.part(patches.patches(x, rate), "detail")
    expected = NativeDetail(rate).pooled(native_detail(torch.from_numpy(x[None, : round(0.96 * rate)]), rate))
    np.testing.assert_allclose(detail[0], expected[0].numpy(), atol=1e-3)
    blurred = patches.part(patches.patches(audio.resample(x, rate, RATE), RATE), "detail")
    assert np.abs(detail[0] - blurred[0]).max() > 0.3


def test_fingerprints_follow_weights_and_settings(encoder: Encoder) -> None:
    bare = encoder.backbone
    kinds = [
        PatchEncoder(encoder), PatchEncoder(encoder, PatchSettings(hop_s=0.96)),
        PatchEncoder(encoder, PatchSettings(parts=("bands",))), PatchEncoder(bare),
    ]  # fmt: skip
    assert len({kind.fingerprint for kind in kinds}) == 4
    assert PatchEncoder(encoder).fingerprint == kinds[0].fingerprint
    assert kinds[3].widths == {"frames": bare.dim}
    with pytest.raises(ParameterError, match="give an encoder"):
        PatchEncoder(bare, PatchSettings(parts=("branches",)))
    with pytest.raises(ParameterError, match="no part loudness"):
        PatchSettings(parts=("loudness",))


def test_tables_are_cached_by_fingerprint(encoder: Encoder, tmp_path: Path) -> None:
    patches, path = PatchEncoder(encoder), tmp_path / "patches.safetensors"
    table = PatchTable.make(patches, [("a", noise(3.0), RATE), ("b", noise(1.5, seed=1), RATE)])
    table.save(path)
    loaded = PatchTable.load(path, patches.fingerprint, ("a", "b"))
    assert [r.shape for r in loaded.rows] == [r.shape for r in table.rows]
    np.testing.assert_array_equal(loaded.rows[1], table.rows[1])
    np.testing.assert_allclose(loaded.rows[1], patches.patches(noise(1.5, seed=1), RATE), atol=0.02, rtol=1e-3)
    with pytest.raises(FingerprintError, match="delete it"):
        PatchTable.load(path, "of another")
    with pytest.raises(StorageError, match="other waveforms"):
        PatchTable.load(path, patches.fingerprint, ("a", "c"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StorageError, match="compute it again"):
        PatchTable.load(path, patches.fingerprint)
