"""The files of a saved encoder: ``encoder.json`` with its record, ``encoder.safetensors`` with its tensors.

A folder that was saved to be shared has the names of the transformers library instead: ``model.safetensors``, and
``config.json`` with the record under ``"encoder"``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core import files

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
    """Whether a folder holds an encoder, under either names."""
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
