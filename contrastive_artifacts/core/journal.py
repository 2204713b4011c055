"""A journal: a file of JSON lines to which entries are appended durably. An added entry survives a crash at any byte.

What a person does (a decision, a label) is an act: an entry that says who did what and when. Each person can undo their
own last act.
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

from . import files
from .errors import StorageError, UnwritableError

UNDO = "undo"  # value of an act that undoes another one


class Journal:
    """Entries on disk, in the order in which they were added.

    Each entry is appended in one write and fsynced before :meth:`add` returns. A last line without a line end was being
    written when the process died, so :meth:`add` had not returned; opening removes it. An open journal is locked
    against other processes.

    Args:
        path: The file; created, with its folder, if it does not exist.

    Attributes:
        entries: All entries, oldest first.

    Raises:
        StorageError: another process has it open, it cannot be written, or a line is no JSON object (the message names
            the line).
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with files.writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the system frees it if the process dies
        except OSError:
            os.close(self._descriptor)
            raise StorageError(f"{self.path} is in use by another process; stop that one first.") from None
        try:
            files.fsync(self.path.parent)  # the name of a new file
            self.entries: list[dict[str, Any]] = self._recovered()
        except StorageError:
            self.close()
            raise

    def add(self, entry: Mapping[str, Any]) -> None:
        """Appends an entry; it is on the disk when this returns.

        Raises:
            UnwritableError: it cannot be written; the file is as before.
        """
        line = json.dumps(entry, allow_nan=False, ensure_ascii=False, sort_keys=True).encode() + b"\n"
        end = os.fstat(self._descriptor).st_size
        try:
            written = os.write(self._descriptor, line)
            if written != len(line):
                raise OSError(f"{written} of {len(line)} bytes were written")
            os.fsync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, end)
            raise UnwritableError(
                f"{self.path} cannot be written ({error}); free space or check its rights."
            ) from error
        self.entries.append(json.loads(line))

    def clear(self) -> None:
        """Removes all entries."""
        self._truncate(0)
        self.entries = []

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
            self._truncate(whole)
        return _parsed(data[:whole], self.path)

    def _truncate(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)
        os.fsync(self._descriptor)


class Acts:
    """What people did, one entry per act; each person can undo the last one of their own.

    Args:
        journal: Where the acts are stored.
        who: Name of the person who acts now.
        kind: The key of an entry whose value says what was done; the value "undo" undoes that person's last act.

    Attributes:
        standing: The acts that were not undone, in their order.

    Raises:
        StorageError: an entry names no person, or lacks the key ``kind``.
    """

    def __init__(self, journal: Journal, who: str, kind: str) -> None:
        self.journal, self.who, self.kind = journal, who, kind
        self.standing = standing(journal.entries, kind, journal.path)

    def add(self, act: Mapping[str, Any]) -> dict[str, Any]:
        """Stores an act and returns it with the person, the time (UTC, ISO 8601) and the version of this package."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        entry = {**act, "time": now, "who": self.who, "tool": tool_version()}
        self.journal.add(entry)
        _apply(self.standing, entry, self.kind)
        return entry

    def last(self) -> Mapping[str, Any] | None:
        """This person's last act that was not undone; None if there is none."""
        return next((entry for entry in reversed(self.standing) if entry["who"] == self.who), None)


def standing(entries: Iterable[Mapping[str, Any]], kind: str, path: str | Path) -> list[Mapping[str, Any]]:
    """The acts among the entries that were not undone, in their order; ``path`` is named in errors.

    Raises:
        StorageError: an entry is no act: it lacks the key ``kind`` or the person.
    """
    acts: list[Mapping[str, Any]] = []
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry.get(kind), str) or not isinstance(entry.get("who"), str):
            raise StorageError(f"{path}, line {number} lacks {kind!r} or 'who'; this is a journal of something else.")
        _apply(acts, entry, kind)
    return acts


def read_entries(path: str | Path) -> list[dict[str, Any]]:
    """Entries of a journal that another process may be writing; a last line without a line end is left out.

    Raises:
        StorageError: the file is missing, or a line is no JSON object.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error}).") from None
    return _parsed(data[: data.rfind(b"\n") + 1], path)


def _apply(acts: list[Mapping[str, Any]], entry: Mapping[str, Any], kind: str) -> None:
    if entry[kind] != UNDO:
        acts.append(entry)
        return
    for index in range(len(acts) - 1, -1, -1):
        if acts[index]["who"] == entry["who"]:
            del acts[index]
            return


def _parsed(data: bytes, path: str | Path) -> list[dict[str, Any]]:
    entries = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise StorageError(f"{path}, line {number} is no JSON object; remove that line.")
        entries.append(entry)
    return entries


def tool_version() -> str:
    """Name and version of this package, stored with entries and manifests as their origin."""
    try:
        return "contrastive-artifacts " + metadata.version("contrastive-artifacts")
    except metadata.PackageNotFoundError:
        return "contrastive-artifacts (not installed)"
