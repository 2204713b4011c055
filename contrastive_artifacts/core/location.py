"""Files on other file systems than the local one, by their addresses (``s3://bucket/film.mp4``), read in place.

fsspec has the file systems, universal_pathlib gives their files the methods of :class:`pathlib.Path`. Neither is
imported where no address is used. Only parts of a file are fetched, as the decoder asks for them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from .errors import ParameterError


def is_address(path: Any) -> bool:
    """Whether a path or word is an address: it has ``://``, which a name of a local file has not."""
    return not isinstance(path, Path) and "://" in str(path)


def location(path: str | Path) -> Path:
    """A path, or an address with the methods of a path.

    Raises:
        ParameterError: there is no such file system, or a library that it needs is not installed.
    """
    if not is_address(path):
        return Path(path)
    try:
        from fsspec import get_filesystem_class
        from upath import UPath

        get_filesystem_class(str(path).partition("://")[0])
        return cast(Path, UPath(path))
    except ImportError as error:
        raise ParameterError(
            f"{path}: {str(error).rstrip('.')}; pip install 'contrastive-artifacts[remote]' has S3, Google Cloud "
            "Storage and Hugging Face."
        ) from None
    except ValueError as error:
        raise ParameterError(
            f"{path}: {str(error).rstrip('.')}; give s3://, gs://, hf:// or another of fsspec."
        ) from None


def relative_name(path: Path) -> str:
    """The address of a file as a relative path: ``s3/bucket/films/a.mp4``."""
    return str(path).replace("://", "/", 1).replace("//", "/")
