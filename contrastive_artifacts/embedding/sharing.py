"""Encoders to share: a folder in the layout of the transformers library, and its upload to the Hugging Face hub."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core import files
from ..core.errors import StorageError
from ..core.lock import locked
from ..models.encoder import fits_half
from ..models.encoder_files import MODEL_TYPE, RECORD, SHARED_RECORD, SHARED_TENSORS, TENSORS, holds_encoder, is_shared
from ..probes import AnyProbe, SetProbe, ordered
from .card import card
from .context import ContextEmbedder
from .embedder import Embedder, WindowEmbedder
from .figures import FigureEmbedder
from .hub import CONTEXT_FILES, PROBE_FILES, SCHEME, parse

CARD = "README.md"


def write_shared(
    embedder: Embedder[Any],
    probe: AnyProbe | None,
    folder: str | Path,
    licence: str | None = None,
    address: str = "FOLDER",
) -> None:
    """Writes an encoder under the names of the transformers library, ``config.json`` last.

    Tensors are in half precision where that loses nothing, so that the fingerprint stays. The card shows ``address`` as
    what is loaded.

    Raises:
        StorageError: the folder holds another config.json or an encoder under other names, another process is writing
            it, or it cannot be written.
    """
    folder = Path(folder)
    if (holds_encoder(folder) or (folder / SHARED_RECORD).exists()) and not is_shared(folder):
        raise StorageError(f"{folder} holds something else, which is not replaced; give another folder.")
    with locked(folder, "saving an encoder"), tempfile.TemporaryDirectory(dir=folder, prefix=".sharing-") as scratch:
        source = Path(scratch)
        _save(embedder, probe, source)
        names = [name for name in (*CONTEXT_FILES, *PROBE_FILES) if (source / name).exists()]
        config = _config(embedder, probe, files.read_json(source / RECORD), names)
        (folder / SHARED_RECORD).unlink(missing_ok=True)  # while it is absent, the folder holds no encoder
        for name in (*CONTEXT_FILES, *PROBE_FILES):
            (folder / name).unlink(missing_ok=True)
        os.replace(source / TENSORS, folder / SHARED_TENSORS)
        for name in names:
            os.replace(source / name, folder / name)
        files.write_text(folder / CARD, card(config, licence, address))
        files.write_json(folder / SHARED_RECORD, config)


def push(
    embedder: Embedder[Any],
    probe: AnyProbe | None,
    repository: str,
    revision: str,
    private: bool,
    licence: str | None,
) -> str:
    """Uploads what :func:`write_shared` writes, in one commit; returns its address with the commit.

    Raises:
        ParameterError: ``repository`` is not ``USER/REPO``.
        StorageError: the hub refused it or could not be reached.
    """
    name, _ = parse(repository)
    with tempfile.TemporaryDirectory() as folder, _refused(name):
        from huggingface_hub import HfApi

        write_shared(embedder, probe, folder, licence, f"{SCHEME}{name}")
        api = HfApi(library_name=MODEL_TYPE)
        api.create_repo(name, private=private, exist_ok=True)
        if revision != "main":
            api.create_branch(name, branch=revision, exist_ok=True)
        commit = api.upload_folder(
            repo_id=name, folder_path=folder, revision=revision, commit_message=f"Encoder {embedder.fingerprint}"
        )
    return f"{SCHEME}{name}@{commit.oid}"


@contextmanager
def _refused(repository: str) -> Iterator[None]:
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        yield
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise StorageError(
            f"The encoder was not uploaded to {repository} ({reason}). Sign in with `hf auth login` and a token that "
            f"may write, or save it with save_pretrained(FOLDER) and upload that: `hf upload {repository} FOLDER`."
        ) from error


def _save(embedder: Embedder[Any], probe: AnyProbe | None, folder: Path) -> None:
    if isinstance(embedder, ContextEmbedder):
        embedder.save(folder)
    else:
        assert isinstance(embedder, WindowEmbedder | FigureEmbedder)
        embedder.encoder.save(folder, half=fits_half(embedder.encoder))
    if probe is not None:
        probe.save(folder)


def _config(
    embedder: Embedder[Any], probe: AnyProbe | None, record: dict[str, Any], names: list[str]
) -> dict[str, Any]:
    labels = embedder.states if probe is None else ordered(probe.classes, embedder.states)
    return {
        "model_type": MODEL_TYPE,
        "architectures": [type(embedder).__name__.removesuffix("Embedder") + "Encoder"],
        "encoder": record,
        "files": names,
        "fingerprint": embedder.fingerprint,
        "hidden_size": embedder.dim,
        "sampling_rate": embedder.sample_rate,
        "window_s": embedder.window_s,
        "hop_s": embedder.hop_s,
        "problem_type": "multi_label_classification" if isinstance(probe, SetProbe) else "single_label_classification",
        "id2label": {str(number): label for number, label in enumerate(labels)},
        "label2id": {label: number for number, label in enumerate(labels)},
    }
