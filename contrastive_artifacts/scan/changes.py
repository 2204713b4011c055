"""What differs between two reports of an archive: recordings that came, went or changed, and their faults."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core import files
from ..core.errors import StorageError

Report = Mapping[str, Sequence[Mapping[str, Any]]]  # path of a recording -> the entries of its streams in files.json


@dataclass(frozen=True)
class Change:
    """A recording that differs from the report before.

    Attributes:
        path: The recording, as it was named.
        kind: "new", "changed" (its file, or what the scan says of it) or "gone" (the file does not exist any more).
        appeared, went: Artifacts with segments now and not before, and the reverse; "unreadable" is one of them.
    """

    path: str
    kind: str
    appeared: tuple[str, ...] = ()
    went: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The faults in words.

        >>> Change("a.wav", "changed", ("hum",), ("clicks", "hiss")).text
        'appeared: hum; went: clicks, hiss'
        """
        faults = {"appeared": self.appeared, "went": self.went}
        return "; ".join(f"{what}: {', '.join(names)}" for what, names in faults.items() if names) or "the same faults"


@dataclass(frozen=True)
class Changes:
    """All changes, and the number of recordings that are as before."""

    changes: tuple[Change, ...]
    unchanged: int

    def of(self, kind: str) -> list[Change]:
        return [change for change in self.changes if change.kind == kind]

    @property
    def line(self) -> str:
        """All of it in one line."""
        counts = ", ".join(f"{len(self.of(kind))} {kind}" for kind in ("new", "changed", "gone"))
        return f"{counts}, {self.unchanged} unchanged since the report before"

    def rows(self) -> Iterator[list[str]]:
        """The rows of ``changes.csv``."""
        yield ["path", "change", "appeared", "went"]
        for change in self.changes:
            yield [change.path, change.kind, ", ".join(change.appeared), ", ".join(change.went)]


def earlier_report(path: Path) -> Report | None:
    """The entries of a ``files.json``; None where there is none that can be read."""
    try:
        return grouped(files.read_json(path))
    except (StorageError, TypeError, KeyError):
        return None


def grouped(entries: Sequence[Mapping[str, Any]]) -> Report:
    """Entries by the path of their recording, in order of paths."""
    report: dict[str, list[Mapping[str, Any]]] = {}
    for entry in sorted(entries, key=lambda entry: str(entry["path"])):
        report.setdefault(entry["path"], []).append(entry)
    return report


def changes_between(before: Report, now: Report) -> Changes:
    """Compares two reports. What is not in the second, though its file is there, was not scanned: it is no change."""
    changes: list[Change] = []
    for path, entries in now.items():
        earlier = before.get(path, ())
        if not earlier:
            changes.append(Change(path, "new", _faults(entries)))
        elif [_content(entry) for entry in earlier] != [_content(entry) for entry in entries]:
            old, new = _faults(earlier), _faults(entries)
            appeared = tuple(name for name in new if name not in old)
            changes.append(Change(path, "changed", appeared, tuple(name for name in old if name not in new)))
    unchanged = len(now) - len(changes)
    gone = [path for path in before if path not in now and _existed(before[path]) and not os.path.lexists(path)]
    return Changes((*changes, *(Change(path, "gone", (), _faults(before[path])) for path in gone)), unchanged)


def _content(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(entry.get(name) for name in ("stream", "status", "state", "counts", "severities"))


def _existed(entries: Sequence[Mapping[str, Any]]) -> bool:
    return any(entry.get("state", "missing") != "missing" for entry in entries)


def _faults(entries: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    names = {name for entry in entries for name, count in entry.get("counts", {}).items() if count}
    unreadable = any(entry.get("status") == "failed" for entry in entries)
    return (*sorted(names), *(["unreadable"] if unreadable else []))
