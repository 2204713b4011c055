"""Finds the verified file of a checkpoint: in the cache, by download, or in the package."""

from __future__ import annotations

from pathlib import Path

from ...core import download, files
from ...core.errors import DownloadError, WeightsError
from ..encoder_files import TENSORS
from .spec import Checkpoint, Source

RELEASES = Path(__file__).parents[2] / "release"


def cache_folder(cache: Path | None = None) -> Path:
    """``cache``, or else :func:`.download.cache_folder`, the folder of all downloads."""
    return download.cache_folder() if cache is None else Path(cache)


def locate(checkpoint: Checkpoint, cache: Path | None = None) -> Path:
    """A verified file of this checkpoint: one in the cache, or else the first source, downloaded into the cache.

    Raises:
        WeightsError: a cached file is altered, the download failed, or the user must accept a licence first. The
            message names the address and the folder.
    """
    folder = cache_folder(cache)
    cached = known_file(checkpoint, folder)
    if cached is not None:
        return cached
    if not checkpoint.sources:
        raise WeightsError(
            f"{checkpoint.name} has no public weights; create it with weights='none' to train it from scratch, or give "
            f"a saved encoder."
        )
    source = checkpoint.sources[0]
    target = folder / source.filename
    if source.terms is not None:
        raise WeightsError(
            f"The weights of {checkpoint.name} are under a licence ({checkpoint.licence}) that you have to read and "
            f"accept yourself, so they are not downloaded: {source.terms}. If you accept it, put {source.filename} "
            f"from {source.url} into {folder}, or pass its path as weights."
        )
    try:
        return download.fetch(source.url, target, source.size, source.sha256, f"{checkpoint.name} weights")
    except DownloadError as error:
        raise WeightsError(
            f"The weights of {checkpoint.name} are not in {folder} and could not be downloaded ({error}). "
            f"Put {source.filename} from {source.url} into {folder}, or pass its path as weights."
        ) from error


def known_file(checkpoint: Checkpoint, folder: Path) -> Path | None:
    """The verified file of the first source that is in ``folder``; ``None`` if there is none."""
    for source in checkpoint.sources:
        path = folder / source.filename
        if path.is_file():
            verify(path, source)
            return path
    return None


def verify(path: Path, source: Source) -> None:
    """Checks size and sha256 of a file, if the record has them.

    Raises:
        WeightsError: the file is truncated or altered.
    """
    size = path.stat().st_size
    if source.size is not None and size != source.size:
        raise WeightsError(f"{path} has {size} bytes, {source.size} were expected; delete it and fetch {source.url}.")
    if source.sha256 is not None and (digest := files.sha256(path)) != source.sha256:
        raise WeightsError(
            f"{path} has sha256 {digest}, {source.sha256} was expected; delete it and fetch {source.url}."
        )


def bundled(name: str) -> Path | None:
    """The file of a released encoder with backbone ``name`` in this package, or ``None``."""
    path = RELEASES / name / TENSORS
    return path if path.is_file() else None
