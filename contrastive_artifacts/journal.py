"""A journal: one JSON object a line, only ever added to. What was acknowledged survives a crash at any byte."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from .errors import StorageError


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
        entries = []
        for number, line in enumerate(data[:whole].splitlines(), start=1):
            try:
                entry = json.loads(line)
            except ValueError:
                entry = None
            if not isinstance(entry, dict):
                raise StorageError(f"{self.path}, line {number} is no JSON object; take that line out.")
            entries.append(entry)
        return entries


def tool_version() -> str:
    """Name and version of this package, for provenance."""
    try:
        return "contrastive-artifacts " + metadata.version("contrastive-artifacts")
    except metadata.PackageNotFoundError:
        return "contrastive-artifacts (not installed)"
