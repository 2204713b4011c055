"""A saved encoder may refer to the folder beside it, and to nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from contrastive_artifacts.core import files
from contrastive_artifacts.core.errors import StorageError
from contrastive_artifacts.embedding import RELEASE, copy_encoder
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings
from contrastive_artifacts.models.encoder_files import encoder_folder_of, refer_to


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Holds "first", an encoder, and "second", which refers to it."""
    torch.manual_seed(0)
    settings = EncoderSettings(("clean", "hiss"), 0.5, hidden=16, embedding=8)
    Encoder(backbones.create("mn04", "none"), settings).save(tmp_path / "first")
    refer_to(tmp_path / "second", "first")
    return tmp_path


def test_a_reference_loads_the_encoder_beside_it(folder: Path) -> None:
    assert encoder_folder_of(folder / "first") == folder / "first"
    assert encoder_folder_of(folder / "second") == folder / "first"
    assert Encoder.load(folder / "second").fingerprint() == Encoder.load(folder / "first").fingerprint()
    waveform = 0.1 * torch.randn(1, 32000, generator=torch.Generator().manual_seed(0))
    direct, referred = (backbones.create("mn04", folder / name) for name in ("first", "second"))
    with torch.no_grad():
        assert torch.equal(direct(waveform).frames, referred(waveform).frames)


def test_a_copy_needs_no_other_folder(folder: Path) -> None:
    copy_encoder(folder / "second", folder / "elsewhere" / "copy")
    assert encoder_folder_of(folder / "elsewhere" / "copy") == folder / "elsewhere" / "copy"
    assert Encoder.load(folder / "elsewhere" / "copy").fingerprint() == Encoder.load(folder / "first").fingerprint()


@pytest.mark.parametrize("name", ["../first", "/etc", "..", "", "first/..", 3])
def test_only_the_name_of_a_sibling_is_followed(folder: Path, name: object) -> None:
    files.write_json(folder / "second" / "encoder.json", {"format": 1, "encoder": name, "sha256": ""})
    with pytest.raises(StorageError, match="not the name of a folder beside it"):
        Encoder.load(folder / "second")


def test_a_missing_or_changed_encoder_is_named(folder: Path) -> None:
    with pytest.raises(StorageError, match="third"):
        refer_to(folder / "second", "third")
    (folder / "first" / "encoder.safetensors").rename(folder / "away")
    with pytest.raises(StorageError, match=r"first, which is not there"):
        Encoder.load(folder / "second")
    (folder / "first" / "encoder.safetensors").write_bytes((folder / "away").read_bytes() + b"\0")
    with pytest.raises(StorageError, match="is not the encoder that"):
        Encoder.load(folder / "second")


def test_no_two_released_folders_hold_the_same_tensors() -> None:
    digests = [files.sha256(path) for path in RELEASE.glob("*/*.safetensors")]
    assert len(digests) > 3
    assert len(set(digests)) == len(digests)
