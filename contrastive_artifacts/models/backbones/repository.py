"""Files of a model on the Hugging Face hub, or in a local folder of the same layout; no code in them is executed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import huggingface_hub
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from ...core import files
from ...core.errors import StorageError, WeightsError
from . import published
from .spec import State

WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")


@dataclass(frozen=True)
class Repository:
    """One model.

    Args:
        id: ``owner/name`` on the hub, or the path of a folder.
        revision: Branch, tag or commit; only a commit always gives the same files.
        cache: Folder for downloads; ``None`` for the cache of huggingface_hub.
    """

    id: str
    revision: str = "main"
    cache: Path | None = None

    @property
    def local(self) -> bool:
        return Path(self.id).is_dir()

    @property
    def where(self) -> str:
        return self.id if self.local else f"https://huggingface.co/{self.id}/tree/{self.revision}"

    @property
    def stated(self) -> str:
        """Place of the licence, for records; without local paths, as records are shared."""
        return "that of " + self.label if self.local else self.where

    @property
    def label(self) -> str:
        """Name of the model, for records."""
        return Path(self.id).name if self.local else f"{self.id}@{self.revision}"

    def file(self, name: str) -> Path | None:
        """The path of a file, downloaded if needed; ``None`` if the repository has no file of that name.

        Raises:
            WeightsError: it could not be downloaded; the message names the address and the folder.
        """
        if self.local:
            path = Path(self.id) / name
            return path if path.is_file() else None
        try:
            return Path(huggingface_hub.hf_hub_download(self.id, name, revision=self.revision, cache_dir=self.cache))
        except LocalEntryNotFoundError as error:  # offline; a subclass of EntryNotFoundError, but the file may exist
            raise self._unreachable(name, error) from error
        except EntryNotFoundError:
            return None
        except (HfHubHTTPError, HFValidationError, OSError, RuntimeError) as error:
            raise self._unreachable(name, error) from error

    def snapshot(self, patterns: tuple[str, ...]) -> Path:
        """A folder with all files that match one of the patterns.

        Raises:
            WeightsError: they could not be downloaded.
        """
        if self.local:
            return Path(self.id)
        try:
            return Path(
                huggingface_hub.snapshot_download(
                    self.id, revision=self.revision, cache_dir=self.cache, allow_patterns=list(patterns)
                )
            )
        except (HfHubHTTPError, HFValidationError, OSError, RuntimeError) as error:
            raise self._unreachable(" and ".join(patterns), error) from error

    def json(self, name: str) -> dict[str, Any] | None:
        """The content of a JSON file; ``None`` if the repository has no file of that name.

        Raises:
            WeightsError: it could not be downloaded, or is not a JSON object.
        """
        path = self.file(name)
        if path is None:
            return None
        try:
            content = files.read_json(path)
        except StorageError as error:
            raise WeightsError(f"{path} cannot be read ({error}); download it again.") from error
        if not isinstance(content, dict):
            raise WeightsError(f"{path} holds no JSON object; download it again.")
        return content

    def config(self) -> dict[str, Any]:
        """``config.json``.

        Raises:
            WeightsError: there is none.
        """
        config = self.json("config.json")
        if config is None:
            raise WeightsError(f"{self.where} holds no config.json, so it is not a model that transformers can build.")
        return config

    def state(self) -> tuple[State, str]:
        """The published tensors and the sha256 of their file; with several files, the sha256 of their digests.

        Raises:
            WeightsError: there is no file of weights, or it is damaged.
        """
        for name in WEIGHTS:
            path = self.file(name)
            if path is None:
                continue
            if path.suffix == ".json":
                return self._shards(path)
            read = published.torch_state if path.suffix == ".bin" else published.safetensors_state
            return read(path), files.sha256(path)
        raise WeightsError(f"{self.where} holds no weights; expected one of: {', '.join(WEIGHTS)}.")

    def _shards(self, index: Path) -> tuple[State, str]:
        state: State = {}
        digest = hashlib.sha256()
        for name in sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())):
            path = self.file(name)
            if path is None:
                raise WeightsError(f"{self.where} lists {name} in {index.name} but does not hold it.")
            state |= published.safetensors_state(path)
            digest.update(files.sha256(path).encode())
        return state, digest.hexdigest()

    def _unreachable(self, name: str, error: Exception) -> WeightsError:
        folder = self.cache or huggingface_hub.constants.HF_HUB_CACHE
        address = f"https://huggingface.co/{self.id}/resolve/{self.revision}/{name}"
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return WeightsError(
            f"{name} of {self.id} is not in {folder} and could not be downloaded from {address} ({reason}). "
            "Download the repository elsewhere and give its folder in place of the name."
        )
