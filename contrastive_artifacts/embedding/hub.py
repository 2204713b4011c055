"""Encoders on the Hugging Face hub: an address ``hf://USER/REPO@REVISION`` -> a folder with its files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..core import download, files
from ..core.errors import ParameterError, StorageError, WeightsError
from ..models.encoder_files import CONTEXT_RECORD, CONTEXT_TENSORS, MODEL_TYPE, SHARED_RECORD, SHARED_TENSORS
from ..probes.storage import PROBE_ARRAYS, PROBE_RECORD

SCHEME = "hf://"
PROBE_FILES = (PROBE_RECORD, PROBE_ARRAYS)
CONTEXT_FILES = (CONTEXT_RECORD, CONTEXT_TENSORS)
_WANTED = (SHARED_RECORD, SHARED_TENSORS, *PROBE_FILES, *CONTEXT_FILES)
_NAME = r"[A-Za-z0-9][\w.-]*"
_ADDRESS = re.compile(rf"({_NAME}/{_NAME})(?:@([\w][\w./-]*))?", re.ASCII)


def parse(address: str) -> tuple[str, str]:
    """``hf://USER/REPO@REVISION`` (or without scheme, or revision) -> ``USER/REPO`` and the revision.

    Raises:
        ParameterError: it has another form.
    """
    match = _ADDRESS.fullmatch(address.removeprefix(SCHEME))
    if match is None or ".." in address:
        raise ParameterError(
            f"{address!r} is no address on the hub; give {SCHEME}USER/REPO or {SCHEME}USER/REPO@REVISION."
        )
    return match[1], match[2] or "main"


def downloaded(address: str) -> Path:
    """The folder with the files of an encoder.

    It is the folder that a user has filled by hand (:func:`manual_folder`), or else that of a snapshot in the cache of
    huggingface_hub, to which the files are downloaded once per commit. Nothing in them is executed.

    Raises:
        ParameterError: the address has another form.
        WeightsError: a file is neither here nor could it be downloaded; the message names it, and the place for it.
        StorageError: the repository holds no encoder of this package.
    """
    repository, revision = parse(address)
    folder = manual_folder(repository, revision)
    if folder.is_dir():
        return _complete(folder, repository, revision)
    from ..models.backbones.repository import Repository  # imports huggingface_hub

    try:
        snapshot = Repository(repository, revision).snapshot(_WANTED)
    except WeightsError as error:
        reason = str(error.__cause__).partition("\n")[0].rstrip(".")
        raise WeightsError(
            f"{SCHEME}{repository}@{revision} is not in the cache of the hub and could not be downloaded ({reason}). "
            f"{_by_hand(_WANTED[:2], repository, revision)}"
        ) from error
    return _complete(snapshot, repository, revision)


def manual_folder(repository: str, revision: str) -> Path:
    """Where files that were downloaded by hand are put, on a machine without network."""
    return download.cache_folder() / "hub" / f"{repository}@{revision}"


def _complete(folder: Path, repository: str, revision: str) -> Path:
    """``folder``, if all files are there that its ``config.json`` lists."""
    config = _config(folder, repository, revision)
    listed = config.get("files", [])
    for name in [SHARED_TENSORS, *(n for n in (*PROBE_FILES, *CONTEXT_FILES) if n in listed)]:
        if not (folder / name).is_file():
            raise WeightsError(f"{folder} has no {name}. {_by_hand((name,), repository, revision)}")
    return folder


def _config(folder: Path, repository: str, revision: str) -> dict[str, Any]:
    if not (folder / SHARED_RECORD).is_file():
        raise WeightsError(f"{folder} has no {SHARED_RECORD}. {_by_hand(_WANTED[:2], repository, revision)}")
    config = files.read_json(folder / SHARED_RECORD)
    if not isinstance(config, dict) or config.get("model_type") != MODEL_TYPE:
        raise StorageError(
            f"{SCHEME}{repository}@{revision} is no encoder of this package: its {SHARED_RECORD} has no model_type "
            f"{MODEL_TYPE!r}. A network of the transformers library is used as a backbone: backbone=hf."
        )
    return config


def _by_hand(names: tuple[str, ...], repository: str, revision: str) -> str:
    from huggingface_hub import hf_hub_url

    address = hf_hub_url(repository, names[0], revision=revision).removesuffix(names[0])
    return f"Without network: put {' and '.join(names)} of {address} into {manual_folder(repository, revision)}."
