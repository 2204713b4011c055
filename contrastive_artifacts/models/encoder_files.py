"""The files of a saved encoder, which two folders may share.

``encoder.json`` holds either the record of an encoder whose tensors are in ``encoder.safetensors``, or a reference to a
sibling folder that holds both files: ``{"format": 1, "encoder": "mn04", "sha256": "..."}``. The folder of a context
module refers to a released encoder in this way and does not store its tensors a second time.

A folder that was saved to be shared has the names of the transformers library instead: ``model.safetensors``, and
``config.json`` with the record under ``"encoder"``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core import files
from ..core.errors import StorageError

FORMAT = 1
RECORD, TENSORS = "encoder.json", "encoder.safetensors"
CONTEXT_RECORD, CONTEXT_TENSORS = "context.json", "context.safetensors"
SHARED_RECORD, SHARED_TENSORS = "config.json", "model.safetensors"
MODEL_TYPE = "contrastive_artifacts"  # in config.json; runs and other models have files of that name, too


def is_shared(directory: str | Path) -> bool:
    """Whether a folder holds an encoder under the names of the transformers library."""
    path = Path(directory) / SHARED_RECORD
    if not path.is_file() or (path.parent / RECORD).exists():
        return False
    config = files.read_json(path)
    return isinstance(config, dict) and config.get("model_type") == MODEL_TYPE


def holds_encoder(directory: str | Path) -> bool:
    """Whether a folder holds an encoder, under either names, or refers to one."""
    return (Path(directory) / RECORD).exists() or is_shared(directory)


def record_of(directory: str | Path) -> tuple[Path, Any]:
    """The file with the record of an encoder, and the record.

    Raises:
        StorageError: the file is missing or not JSON.
    """
    directory = Path(directory)
    if is_shared(directory):
        path = directory / SHARED_RECORD
        return path, files.read_json(path).get("encoder")
    path = directory / RECORD
    return path, files.read_json(path)


def tensors_of(directory: str | Path) -> Path:
    """The file with the tensors of an encoder."""
    return Path(directory) / (SHARED_TENSORS if is_shared(directory) else TENSORS)


def encoder_folder_of(directory: str | Path) -> Path:
    """The folder that holds the record and the tensors: ``directory``, or the sibling that its ``encoder.json`` names.

    Raises:
        StorageError: the sibling is missing or holds another encoder, or the reference is not the name of a sibling.
    """
    directory = Path(directory)
    if is_shared(directory):
        return directory
    path, record = record_of(directory)
    if not isinstance(record, dict) or "encoder" not in record:
        return directory
    name, sha256 = record["encoder"], record.get("sha256")
    if not isinstance(name, str) or Path(name).name != name or name in ("", ".", ".."):
        raise StorageError(f"{path} refers to {name!r}, which is not the name of a folder beside it; export it again.")
    sibling = directory.resolve().parent / name
    if not (sibling / RECORD).is_file() or not (sibling / TENSORS).is_file():
        raise StorageError(f"{path} refers to the encoder in {sibling}, which is not there; copy that folder as well.")
    if files.sha256(sibling / TENSORS) != sha256:
        raise StorageError(f"{sibling / TENSORS} is not the encoder that {path} refers to; export {directory} again.")
    return sibling


def refer_to(directory: str | Path, encoder: str) -> None:
    """Writes an ``encoder.json`` that refers to the folder ``encoder`` beside ``directory``.

    Raises:
        StorageError: that folder holds no encoder of its own.
    """
    directory = Path(directory)
    tensors = directory.resolve().parent / encoder / TENSORS
    if not tensors.is_file():
        raise StorageError(f"{tensors} does not exist; a reference must name a folder that holds an encoder.")
    files.write_json(directory / RECORD, {"format": FORMAT, "encoder": encoder, "sha256": files.sha256(tensors)})
