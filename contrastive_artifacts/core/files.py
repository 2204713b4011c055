"""Files that are whole or absent: written to a temporary name, fsynced, renamed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import StorageError


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path beside ``path`` (same suffix); renames it over ``path`` when the block ends well.

    The folder is made if need be. When the block raises, ``path`` keeps what it had and the temporary file goes.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # some writers make their files private, as safetensors does
        _fsync(temporary)
        os.replace(temporary, path)
        _fsync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(path: str | Path, rows: Iterable[Iterable[Any]]) -> None:
    """Writes rows of cells, the header among them."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(path, text.getvalue())


def write_json(path: str | Path, value: Any) -> None:
    """Writes JSON with sorted keys; NaN is refused, because other readers refuse it too."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Reads JSON.

    Raises:
        StorageError: the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StorageError(f"{path} does not exist.") from None
    except (OSError, ValueError) as error:
        raise StorageError(f"{path} is not readable JSON ({error}); write it again.") from error


def commit(path: str | Path) -> str:
    """The commit of the checkout that holds ``path``, with a plus where files differ from it; "unknown" outside of one
    and where there is no git."""
    command = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(path).parent)
    except OSError:
        return "unknown"
    return told.stdout.strip() or "unknown"


def sha256(path: str | Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
