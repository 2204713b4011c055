"""Opening an encoder: a name or a folder -> what embeds with it, its context module included.

Everything that uses a saved encoder opens it here. :func:`open_embedder` honours a context module; who needs the bare
network (patches, ONNX) takes :func:`open_encoder`, which refuses a folder that holds a context module.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from ..core.errors import ParameterError, StorageError
from ..core.files import atomic_path, write_json
from ..core.lock import locked
from ..models.context import Context, PatchEncoder
from ..models.encoder import Encoder
from ..models.encoder_files import (
    CONTEXT_RECORD,
    CONTEXT_TENSORS,
    RECORD,
    TENSORS,
    holds_encoder,
    record_of,
    tensors_of,
)  # fmt: skip
from ..models.figure_encoder import FigureEncoder, is_figure_record
from ..probes import AnyProbe
from . import hub
from .context import ContextEmbedder
from .embedder import WindowEmbedder
from .figures import FigureEmbedder

RELEASE = Path(__file__).parents[1] / "release"


def released() -> list[str]:
    """Names of the encoders that ship with the package."""
    return sorted(path.parent.name for path in RELEASE.glob(f"*/{RECORD}"))


def encoder_folder(name: str | Path) -> Path:
    """The folder with ``encoder.json`` that a name stands for.

    Args:
        name: ``"release"``, ``"release/NAME"`` (a name of :func:`released`), a run directory, a folder with
            ``encoder.json`` or one that was saved to be shared, or ``"hf://USER/REPO@REVISION"`` on the Hugging Face
            hub, downloaded if needed.

    Raises:
        StorageError: there is none.
        WeightsError: it is neither in the cache of the hub nor could it be downloaded.
    """
    if isinstance(name, str) and name.startswith(hub.SCHEME):
        return hub.downloaded(name)
    directory = Path(name)
    if name == "release":
        directory = RELEASE / (RELEASE / "default").read_text(encoding="utf-8").strip()
    elif isinstance(name, str) and name.startswith("release/") and not directory.exists():
        directory = RELEASE / name.removeprefix("release/")
    if not (directory / RECORD).exists() and holds_encoder(directory / "encoder"):
        directory = directory / "encoder"
    if not holds_encoder(directory):
        raise StorageError(
            f"{directory} holds no encoder; give 'release', 'release/NAME' (NAME of {', '.join(released())}), a run "
            f"directory, a folder with {RECORD}, or 'hf://USER/REPO'."
        )
    return directory


def open_embedder(name: str | Path) -> WindowEmbedder | ContextEmbedder | FigureEmbedder:
    """The embedder of a saved encoder; with a context module in its folder, the embedder of that module.

    Args:
        name: As :func:`encoder_folder` takes it.

    Raises:
        StorageError, WeightsError: there is no encoder, or its files are damaged or do not match in full.
        FingerprintError: the context module was trained on another encoder.
    """
    directory = encoder_folder(name)
    if of_sets(directory):
        return FigureEmbedder(FigureEncoder.load(directory))
    encoder = Encoder.load(directory)
    if not has_context(directory):
        return WindowEmbedder(encoder)
    patches = PatchEncoder(encoder)
    return ContextEmbedder(patches, Context.load(directory, patches.fingerprint))


def open_encoder(name: str | Path, purpose: str) -> Encoder:
    """The encoder network itself, in evaluation mode.

    Args:
        name: As :func:`encoder_folder` takes it.
        purpose: What it is opened for, for the message ("the ONNX export").

    Raises:
        ParameterError: the folder holds a context module, which the network alone would drop, or an encoder of label
            sets.
        StorageError, WeightsError: as :func:`open_embedder`.
    """
    directory = encoder_folder(name)
    if has_context(directory):
        raise ParameterError(
            f"{directory} holds a context module over an encoder. {purpose[:1].upper()}{purpose[1:]} works on the "
            "encoder alone and would drop the module; give an encoder without one."
        )
    if of_sets(directory):
        raise ParameterError(
            f"{directory} holds an encoder of label sets, which takes figures and no samples. {purpose[:1].upper()}"
            f"{purpose[1:]} works on encoders of one label; give another."
        )
    return Encoder.load(directory)


def open_set_encoder(name: str | Path) -> FigureEncoder:
    """An encoder of label sets itself, in evaluation mode.

    Raises:
        ParameterError: it is an encoder of one label.
        StorageError, WeightsError: as :func:`open_embedder`.
    """
    embedder = open_embedder(name)
    if not isinstance(embedder, FigureEmbedder):
        raise ParameterError(f"{name} holds an encoder of one label, none of label sets.")
    return embedder.encoder


def of_sets(directory: Path) -> bool:
    """Whether a folder with an encoder holds one of label sets."""
    return is_figure_record(record_of(directory)[1])


def has_context(directory: Path) -> bool:
    """Whether a folder with an encoder holds a context module as well."""
    return (directory / CONTEXT_RECORD).exists()


def copy_encoder(name: str | Path, target: str | Path) -> None:
    """Copies an encoder, with its context module, into another folder; a probe is not copied.

    Raises:
        StorageError: there is no encoder, another process is writing the target, or it cannot be written.
    """
    directory, target = encoder_folder(name), Path(target)
    with locked(target, "copying an encoder"):
        for path, copy in (
            (tensors_of(directory), TENSORS),
            (directory / CONTEXT_TENSORS, CONTEXT_TENSORS),
            (directory / CONTEXT_RECORD, CONTEXT_RECORD),
        ):
            if path.exists():
                with atomic_path(target / copy) as temporary:
                    shutil.copyfile(path, temporary)
        write_json(target / RECORD, record_of(directory)[1])


def save_corrected(name: str | Path, probe: AnyProbe, target: str | Path) -> None:
    """Saves a corrected probe with a copy of its encoder, for :func:`contrastive_artifacts.load`.

    Raises:
        StorageError: as :func:`copy_encoder`.
    """
    with locked(target, "saving a retrained probe"):
        copy_encoder(name, target)
        probe.save(target)
