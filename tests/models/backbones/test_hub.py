"""Where weights come from: path, folder, cache, download, the encoder inside the package."""

from __future__ import annotations

import dataclasses
import json
import logging
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from contrastive_artifacts.core import download, files
from contrastive_artifacts.core.errors import DownloadError, WeightsError
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones import BACKBONES, factory, hub

FILENAME = "mn04_as_mAP_432.pt"


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch, mn04_file: Path) -> None:
    """The mn04 record, pinned to the random file, and no network."""
    record = BACKBONES["mn04"]
    source = dataclasses.replace(record.sources[0], size=mn04_file.stat().st_size, sha256=files.sha256(mn04_file))
    monkeypatch.setitem(factory.BACKBONES._items, "mn04", dataclasses.replace(record, sources=(source,)))

    def offline(*_: object) -> Path:
        raise DownloadError("no route to host")

    monkeypatch.setattr(download, "fetch", offline)
    monkeypatch.setattr(hub, "RELEASES", Path("/nonexistent"))


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pinned: None) -> Path:
    """An encoder over mn04 as it ships inside the package."""
    torch.manual_seed(0)
    backbone = backbones.create("mn04", "none")
    folder = tmp_path / "release" / "mn04"
    folder.mkdir(parents=True)
    tensors = {f"backbone.{k}": v for k, v in backbone.state_dict().items()}
    save_file(tensors | {"projector.weight": torch.zeros(2)}, folder / "encoder.safetensors")
    (folder / "encoder.json").write_text(json.dumps({"backbone": backbone.record}))
    monkeypatch.setattr(hub, "RELEASES", folder.parent)
    return folder


@pytest.mark.usefixtures("pinned")
def test_file_folder_and_cache_give_the_same(mn04_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(mn04_file, tmp_path / FILENAME)
    monkeypatch.setenv(download.CACHE_VARIABLE, str(tmp_path))
    waveform = torch.randn(1, 20000, generator=torch.Generator().manual_seed(0))
    created = [
        backbones.create("mn04", mn04_file),
        backbones.create("mn04", str(tmp_path)),
        backbones.create("mn04", "auto"),
        backbones.create("mn04", "auto", cache=tmp_path),
    ]
    with torch.no_grad():
        frames = [backbone(waveform).frames for backbone in created]
    assert all(torch.equal(frames[0], other) for other in frames[1:])
    assert created[1].record["sha256"] == files.sha256(mn04_file)
    assert created[1].record["licence"] == "MIT"
    json.dumps(created[1].record)


def test_download_is_asked_for_the_pinned_file(
    pinned: None, mn04_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fetch(url: str, target: Path, size: int, sha256: str, what: str) -> Path:
        asked.append((url, size, sha256))
        target.parent.mkdir(parents=True)
        shutil.copy(mn04_file, target)
        return target

    monkeypatch.setattr(download, "fetch", fetch)
    for _ in range(2):  # the second time it is in the cache
        backbones.create("mn04", "auto", cache=tmp_path / "cache")
    source = BACKBONES["mn04"].sources[0]
    assert asked == [(source.url, source.size, source.sha256)]
    assert source.url.startswith("https://")


@pytest.mark.usefixtures("pinned")
def test_offline_names_the_address_and_the_folder(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        backbones.create("mn04", "auto", cache=tmp_path)
    for part in (BACKBONES["mn04"].sources[0].url, str(tmp_path), FILENAME, "no route to host"):
        assert part in str(caught.value)


@pytest.mark.parametrize("damage", ["truncated", "altered"])
def test_altered_files_are_refused_even_where_a_release_could_stand_in(
    release: Path, mn04_file: Path, tmp_path: Path, damage: str
) -> None:
    content = mn04_file.read_bytes()
    changed = content[:-100] if damage == "truncated" else content[:-1] + bytes([content[-1] ^ 1])
    path = tmp_path / FILENAME
    path.write_bytes(changed)
    for weights in (path, tmp_path, "auto"):
        with pytest.raises(WeightsError, match=FILENAME):
            backbones.create("mn04", weights, cache=tmp_path)


def test_offline_falls_back_on_the_release_with_one_warning(
    release: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="contrastive_artifacts"):
        fallen_back = backbones.create("mn04", "auto", cache=tmp_path)
    assert len(caplog.records) == 1
    assert "using the backbone of the released encoder" in caplog.text
    given = backbones.create("mn04", release)
    direct = backbones.create("mn04", release / "encoder.safetensors")
    waveform = torch.randn(1, 20000, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(fallen_back(waveform).frames, given(waveform).frames)
        assert torch.equal(direct(waveform).frames, given(waveform).frames)
    assert given.record["options"] == {"norm": "batch"}


def test_a_release_of_another_backbone_or_with_missing_tensors_is_refused(release: Path) -> None:
    with pytest.raises(WeightsError, match="mn04"):
        backbones.create("yamnet", release)
    save_file({"backbone.blocks.0.conv.weight": torch.zeros(8, 1, 3, 3)}, release / "encoder.safetensors")
    with pytest.raises(WeightsError, match="missing"):
        backbones.create("mn04", release)
    (release / "encoder.safetensors").write_bytes(b"not safetensors")
    with pytest.raises(WeightsError, match=r"encoder\.safetensors"):
        backbones.create("mn04", release)
    (release / "encoder.json").unlink()
    with pytest.raises(WeightsError, match=r"encoder\.json"):
        backbones.create("mn04", release)


def test_paths_that_cannot_be_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"x")
    for weights in (tmp_path / "absent.pt", tmp_path, tmp_path / "weights.bin"):
        with pytest.raises(WeightsError, match=str(tmp_path)):
            backbones.create("mn04", weights)


def test_records_are_complete() -> None:
    for name in BACKBONES:
        record = BACKBONES[name]
        assert record.licence
        assert record.origin
        assert record.paper.startswith("https://")
        assert all(s.url.startswith("https://") for s in record.sources)
        assert all(s.sha256 is None or len(s.sha256) == 64 for s in record.sources)
