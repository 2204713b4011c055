"""Results at an address (``s3://bucket/report``): written to a local folder, then uploaded file by file.

The local folder is in the cache folder of the user and stays, with the journals of the verb: after an interruption the
same command on the same machine goes on, and uploads what is new. An object store shows a file when it is complete.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from . import files
from .console import console
from .download import cache_folder
from .errors import ParameterError
from .location import is_address, location

_STAY = (".*", "journal*.jsonl", "unfinished", "*.parts")  # names of what belongs to an unfinished job
_RECORD = ".uploaded.json"  # file -> its state when it was uploaded


@contextmanager
def uploaded(target: str, is_file: bool, shared: bool) -> Iterator[str]:
    """Yields where to write: the target, or for an address a local path, whose files are uploaded after the block.

    Nothing is uploaded if the block raises. Files that lie at the address and have not changed since are left as they
    are; the files of the folder itself, which describe the others, are uploaded last.

    Args:
        target: Folder of the results, or its address.
        is_file: The target is a file, or the beginning of the names of several, in such a folder.
        shared: Several machines write to the target.

    Raises:
        ParameterError: the address cannot be written, before the block or after it; or several machines should.
    """
    if not is_address(target):
        yield target
        return
    if shared:
        raise ParameterError(f"out={target}: one machine writes there; shard= and engine=ray need a folder they share.")
    there = location(target)
    folder: Any = there.parent if is_file else there
    here = local_folder("outbox", str(there))
    with _writable(target):
        probe = folder / ".contrastive-artifacts"
        _make(folder)
        probe.write_bytes(b"")
        probe.unlink()
    yield str(here / there.name if is_file else here)
    with _writable(target):
        count = _upload(here, folder)
    console.print(f"uploaded  {count} files to {folder}; the local ones stay in {here}")


def local_folder(purpose: str, address: str) -> Path:
    """Where this machine stores what belongs to an address and cannot lie there: a folder of its own in the cache."""
    return cache_folder() / purpose / hashlib.blake2b(address.encode(), digest_size=12).hexdigest()


def _upload(here: Path, folder: Any) -> int:
    """Uploads the files of a local folder that are new; their number."""
    record = files.read_json(here / _RECORD) if (here / _RECORD).exists() else {}
    system, root = folder.fs, folder.path
    sizes = {name.removeprefix(root).lstrip("/"): about["size"] for name, about in _listed(system, root).items()}
    results = [path for path in here.rglob("*") if path.is_file() and not _stays(path.relative_to(here))]
    count = 0
    try:
        for path in sorted(results, key=lambda path: (-len(path.parts), path)):
            name, state = path.relative_to(here).as_posix(), files.state(path)
            if record.get(name) == state and sizes.get(name) == path.stat().st_size:
                continue
            target = folder / name
            _make(target.parent)
            system.put_file(str(path), target.path)
            record[name], count = state, count + 1
    finally:
        files.write_json(here / _RECORD, record)
    return count


def _make(folder: Any) -> None:
    """Creates a folder of a local file system (``file://``); s3fs would create a bucket that is misspelt."""
    if "file" in (folder.fs.protocol, *folder.fs.protocol):
        folder.mkdir(parents=True, exist_ok=True)


def _listed(system: Any, root: str) -> dict[str, Any]:
    system.invalidate_cache()
    return dict(system.find(root, detail=True))


def _stays(path: Path) -> bool:
    return any(fnmatchcase(part, pattern) for part in path.parts for pattern in _STAY)


@contextmanager
def _writable(target: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # each file system has its own classes
        raise ParameterError(
            f"out={target} cannot be written ({type(error).__name__}: {error}); check the address and the credentials. "
            "Local results are kept: the same command again goes on."
        ) from error
