"""Encoders are shared in the layout of transformers: by folder and by a hub on this machine; refusals say why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import huggingface_hub.constants
import huggingface_hub.errors
import numpy as np
import pytest
import yaml
from hub_server import COMMIT, hub_of
from safetensors.numpy import load_file

import contrastive_artifacts as ca
from contrastive_artifacts.core.errors import ParameterError, StorageError, WeightsError
from contrastive_artifacts.embedding import hub, released

RATE = 22050
USE = """
import sys
import numpy as np
import contrastive_artifacts as ca
encoder = ca.load(sys.argv[1])
print(encoder.fingerprint, encoder.classify((np.sin(np.arange(66150) * .05).astype(np.float32) * .2, 22050)).label)
"""


@pytest.fixture
def noise() -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal(4 * RATE)).astype(np.float32)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared") / "mn04"
    ca.load("release/mn04").save_pretrained(folder, licence="apache-2.0")
    return folder


@pytest.mark.parametrize("name", released())
def test_a_shared_folder_is_the_same_encoder(name: str, noise: np.ndarray, tmp_path: Path) -> None:
    encoder = ca.load(f"release/{name}")
    encoder.save_pretrained(tmp_path)
    encoder.save_pretrained(tmp_path)  # replaces the earlier copy
    again = ca.load(tmp_path)
    assert again.fingerprint == encoder.fingerprint
    assert again.labels == encoder.labels
    np.testing.assert_array_equal(again.embed((noise, RATE)).clip, encoder.embed((noise, RATE)).clip)
    assert again.classify((noise, RATE)) == encoder.classify((noise, RATE))
    config = json.loads((tmp_path / "config.json").read_text())
    assert [config["id2label"][str(number)] for number in range(len(encoder.labels))] == list(encoder.labels)
    assert {path.name for path in tmp_path.iterdir()} == {
        "README.md",
        "config.json",
        "model.safetensors",
        *config["files"],
    }
    assert load_file(tmp_path / "model.safetensors")


def test_the_card_is_filled(shared: Path) -> None:
    _, header, text = (shared / "README.md").read_text().split("---\n", 2)
    assert yaml.safe_load(header)["license"] == "apache-2.0"
    assert yaml.safe_load(header)["library_name"] == "contrastive_artifacts"
    assert ca.load(shared).fingerprint in text
    assert all(f"- `{label}`" in text for label in ca.load(shared).labels)
    assert "USER" not in text
    assert "None" not in text


def test_a_folder_with_something_else_is_not_replaced(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"seed": 1}')
    with pytest.raises(StorageError, match="something else"):
        ca.load(shared).save_pretrained(tmp_path)
    assert (tmp_path / "config.json").read_text() == '{"seed": 1}'
    with pytest.raises(StorageError, match="holds no encoder"):
        ca.load(tmp_path)


def load_elsewhere(address: str, cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {"HF_HOME": str(cache), "CONTRASTIVE_ARTIFACTS_CACHE": str(cache / "own"), "OMP_NUM_THREADS": "1"}
    variables |= {"HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1", **environment}
    command = [sys.executable, "-c", USE, address]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | variables)


def test_an_encoder_on_a_hub_is_downloaded_once_and_used_offline(shared: Path, tmp_path: Path) -> None:
    with hub_of(shared, "user/repo", "v1") as (endpoint, requests):
        online = load_elsewhere("hf://user/repo@v1", tmp_path, HF_ENDPOINT=endpoint)
        assert online.returncode == 0, online.stderr
        assert online.stdout.split()[0] == ca.load(shared).fingerprint
        downloads = [path for path in requests if "model.safetensors" in path]
        assert load_elsewhere("hf://user/repo@v1", tmp_path, HF_ENDPOINT=endpoint).stdout == online.stdout
        assert [path for path in requests if "model.safetensors" in path] == downloads, "it is in the cache"
        assert not [path for path in requests if "README" in path]
        unknown = load_elsewhere("hf://user/repo@v2", tmp_path, HF_ENDPOINT=endpoint)
        assert "WeightsError" in unknown.stderr
    offline = load_elsewhere("hf://user/repo@v1", tmp_path, HF_HUB_OFFLINE="1")
    assert offline.stdout == online.stdout


def test_offline_the_error_names_the_files_and_their_place(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setenv("CONTRASTIVE_ARTIFACTS_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match=r"config\.json and model\.safetensors of https://.*/user/repo/") as refusal:
        ca.load("hf://user/repo@v1")
    place = hub.manual_folder("user/repo", "v1")
    assert str(place) in str(refusal.value)
    place.mkdir(parents=True)
    with pytest.raises(WeightsError, match=r"has no config\.json"):
        ca.load("hf://user/repo@v1")
    for name in ("config.json", "model.safetensors", "probe.json"):
        (place / name).write_bytes((shared / name).read_bytes())
    with pytest.raises(WeightsError, match=r"has no probe\.safetensors.*put probe\.safetensors of"):
        ca.load("hf://user/repo@v1")
    (place / "probe.safetensors").write_bytes((shared / "probe.safetensors").read_bytes())
    assert ca.load("hf://user/repo@v1").fingerprint == ca.load(shared).fingerprint


def test_another_model_is_no_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTRASTIVE_ARTIFACTS_CACHE", str(tmp_path))
    folder = hub.manual_folder("facebook/wav2vec2-base", "main")
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "wav2vec2"}')
    with pytest.raises(StorageError, match="backbone=hf"):
        ca.load("hf://facebook/wav2vec2-base")


@pytest.mark.parametrize(
    "address", ["hf://", "hf://repo", "hf://a/b/c", "hf://../b", "hf://a/b@", "hf://a/b@../..", "hf://a b/c"]
)
def test_an_address_of_another_form_is_refused(address: str) -> None:
    with pytest.raises(ParameterError, match="USER/REPO"):
        ca.load(address)


def test_push_uploads_the_folder_in_one_commit(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, Any]] = []

    def upload(self: Any, *, repo_id: str, folder_path: str, revision: str, commit_message: str) -> Any:
        calls.append(("upload", (repo_id, revision, sorted(os.listdir(folder_path)))))
        assert 'ca.load("hf://user/repo")' in (Path(folder_path) / "README.md").read_text()
        return SimpleNamespace(oid=COMMIT)

    monkeypatch.setattr(
        huggingface_hub.HfApi, "create_repo", lambda self, *a, **k: calls.append(("repository", (a, k)))
    )
    monkeypatch.setattr(huggingface_hub.HfApi, "create_branch", lambda self, *a, **k: calls.append(("branch", (a, k))))
    monkeypatch.setattr(huggingface_hub.HfApi, "upload_folder", upload)
    assert ca.load(shared).push_to_hub("user/repo", revision="dev", private=True) == f"hf://user/repo@{COMMIT}"
    names = ["README.md", "config.json", "model.safetensors", "probe.json", "probe.safetensors"]
    assert calls == [
        ("repository", (("user/repo",), {"private": True, "exist_ok": True})),
        ("branch", (("user/repo",), {"branch": "dev", "exist_ok": True})),
        ("upload", ("user/repo", "dev", names)),
    ]


def test_a_push_that_is_refused_says_what_to_do(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise huggingface_hub.errors.OfflineModeIsEnabled("offline mode is enabled")

    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", refuse)
    with pytest.raises(StorageError, match=r"offline mode.*hf auth login.*hf upload user/repo FOLDER"):
        ca.load(shared).push_to_hub("user/repo")
