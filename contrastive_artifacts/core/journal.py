"""A journal: one JSON object a line, only ever added to. What was acknowledged survives a crash at any byte.

People's acts are kept in one: each entry says who did what and when, and each person can take back their last act.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from .errors import StorageError

UNDO = "undo"  # what an act is that takes another one back


class Journal:
    """Entries on disk, in the order in which they were added.

    Each entry goes down in one write to the end and is synced before :meth:`add` returns. A last line without its end
    was being written when the process died: it was never acknowledged, and opening takes it away. While a journal is
    open it is locked against other processes.

    Args:
        path: The file; made, with its folder, if need be.

    Raises:
        StorageError: another process has it open, or a line in it is no JSON object (the message names it).
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise StorageError(f"{self.path} is in use by another process; stop that one first.") from None
        try:
            self.entries: list[dict[str, Any]] = self._recovered()
        except StorageError:
            self.close()
            raise

    def add(self, entry: Mapping[str, Any]) -> None:
        """Adds an entry; when this returns, it is on the disk."""
        line = json.dumps(entry, allow_nan=False, ensure_ascii=False, sort_keys=True).encode() + b"\n"
        end = os.fstat(self._descriptor).st_size
        try:
            written = os.write(self._descriptor, line)
            if written != len(line):
                raise OSError(f"{written} of {len(line)} bytes were written")
            os.fsync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, end)
            raise StorageError(f"{self.path} cannot be written ({error}); make room or check its rights.") from error
        self.entries.append(json.loads(line))

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _recovered(self) -> list[dict[str, Any]]:
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.ftruncate(self._descriptor, whole)
            os.fsync(self._descriptor)
        return _parsed(data[:whole], self.path)


class Acts:
    """What people did, one entry a time, of which each person takes back the last one that is their own.

    Args:
        journal: Where the acts are kept.
        who: Name of the person who acts now.
        kind: The key of an entry that says what was done; "undo" there takes back that person's last act.

    Attributes:
        standing: The acts that were not taken back, in their order.

    Raises:
        StorageError: an entry names no person, or has no such key.
    """

    def __init__(self, journal: Journal, who: str, kind: str) -> None:
        self.journal, self.who, self.kind = journal, who, kind
        self.standing = standing(journal.entries, kind, journal.path)

    def add(self, act: Mapping[str, Any]) -> dict[str, Any]:
        """Stores an act at once, and returns it with the person, the time (UTC, ISO 8601) and the program's version."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        entry = {**act, "time": now, "who": self.who, "tool": tool_version()}
        self.journal.add(entry)
        _apply(self.standing, entry, self.kind)
        return entry

    def last(self) -> Mapping[str, Any] | None:
        """This person's last act that stands."""
        return next((entry for entry in reversed(self.standing) if entry["who"] == self.who), None)


def standing(entries: Iterable[Mapping[str, Any]], kind: str, path: str | Path) -> list[Mapping[str, Any]]:
    """The acts among the entries that were not taken back, in their order; ``path`` is named in errors.

    Raises:
        StorageError: an entry is no act: it lacks the key ``kind`` or the person.
    """
    left: list[Mapping[str, Any]] = []
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry.get(kind), str) or not isinstance(entry.get("who"), str):
            raise StorageError(f"{path}, line {number} lacks {kind!r} or 'who'; this is a journal of something else.")
        _apply(left, entry, kind)
    return left


def read_entries(path: str | Path) -> list[dict[str, Any]]:
    """What a journal holds, while another process may be writing it: a last line without its end is left out.

    Raises:
        StorageError: the file is missing, or a line in it is no JSON object.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error}).") from None
    return _parsed(data[: data.rfind(b"\n") + 1], path)


def _apply(left: list[Mapping[str, Any]], entry: Mapping[str, Any], kind: str) -> None:
    if entry[kind] != UNDO:
        left.append(entry)
        return
    for at in range(len(left) - 1, -1, -1):
        if left[at]["who"] == entry["who"]:
            del left[at]
            return


def _parsed(data: bytes, path: str | Path) -> list[dict[str, Any]]:
    entries = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise StorageError(f"{path}, line {number} is no JSON object; take that line out.")
        entries.append(entry)
    return entries


def tool_version() -> str:
    """Name and version of this package, for provenance."""
    try:
        return "contrastive-artifacts " + metadata.version("contrastive-artifacts")
    except metadata.PackageNotFoundError:
        return "contrastive-artifacts (not installed)"
