"""The folders whose recordings an index or a run may name.

The column ``file`` of an index and the corpus of a run can name any path. One that somebody else made must not lead to
other files of this machine, so only files in given folders are opened to be heard: those of the setting ``roots=``, or
else its own folder and the folders that were embedded into it. These are recorded in its folder with a code
(HMAC-SHA256) under a random key of this user, so that one from elsewhere cannot state its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from ...core import files
from ...core.download import cache_folder
from ...core.errors import StorageError
from ...core.location import is_address

RECORD = "roots.json"
_KEY = "roots.key"
_KEY_BYTES = 32


class OutsideRootsError(StorageError):
    """A recording that lies outside of the folders that an index or a run may name."""


class Roots:
    """Folders; the files in them and in their sub-folders may be opened. Symbolic links count by where they lead."""

    def __init__(self, folders: Iterable[str | Path]) -> None:
        self.folders = tuple(Path(folder).resolve() for folder in folders)

    def __contains__(self, path: object) -> bool:
        return self._inside(Path(str(path)).resolve())

    def file(self, path: str | Path) -> Path:
        """The file with all links resolved.

        Raises:
            OutsideRootsError: it lies outside of all folders.
        """
        resolved = Path(path).resolve()
        if is_address(path):
            raise OutsideRootsError(
                f"{path} is at an address; recordings of an index are opened in local folders only."
            )
        if not self._inside(resolved):
            raise OutsideRootsError(
                f"{path} lies outside of the folders that this index or run may name; if you trust it, give the folder "
                "of its recordings (or a list of folders): roots=FOLDER."
            )
        return resolved

    def _inside(self, resolved: Path) -> bool:
        return any(resolved.is_relative_to(folder) for folder in self.folders)


NOWHERE = Roots(())  # contains no file


def roots_of(directory: str | Path, folders: str | Path | Iterable[str | Path] | None = None) -> Roots:
    """The roots of an index or a run.

    Args:
        directory: Its folder, which is always one of them.
        folders: The others, if the user gave any; by default those recorded when this user embedded recordings into it.
    """
    if folders is None:
        folders = _recorded(Path(directory) / RECORD)
    return Roots([directory, *([folders] if isinstance(folders, str | Path) else folders)])


def record_roots(directory: str | Path, recordings: Iterable[str | Path]) -> None:
    """Records the local folders of the recordings of an index or a run.

    Nothing is recorded where the user has no writable cache folder for the key.

    Args:
        directory: Folder of the index or the run.
        recordings: Absolute paths of all its recordings; addresses are left out.
    """
    folders: list[str] = []
    local = {Path(recording).parent for recording in recordings if not is_address(recording)}
    for folder in sorted(local, key=lambda folder: folder.parts):
        if not folders or not folder.is_relative_to(folders[-1]):  # sub-folders follow their folder in this order
            folders.append(str(folder))
    key = _key(create=True)
    if key is not None:
        files.write_json(Path(directory) / RECORD, {"folders": folders, "code": _code(key, folders)})


def _recorded(path: Path) -> list[str]:
    """The folders of a record; none if it is missing, damaged or not by this user."""
    key = _key(create=False)
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        record = json.loads(path.read_bytes()) if key else {}
        if key and hmac.compare_digest(_code(key, record["folders"]), str(record["code"])):
            return list(record["folders"])
    return []


def _code(key: bytes, folders: list[str]) -> str:
    return hmac.new(key, json.dumps(folders).encode(), hashlib.sha256).hexdigest()


def _key(create: bool) -> bytes | None:
    path = cache_folder() / _KEY
    with contextlib.suppress(OSError):
        if create and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            private = os.O_CREAT | os.O_EXCL | os.O_WRONLY
            with contextlib.suppress(FileExistsError), open(os.open(path, private, 0o600), "wb") as stream:
                stream.write(secrets.token_bytes(_KEY_BYTES))
        key = path.read_bytes()
        return key if len(key) == _KEY_BYTES else None
    return None
