"""What people decided after listening: a fold over a journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..errors import ParameterError
from ..journal import Journal, tool_version

KEEP, REJECT, UNDO = "keep", "reject", "undo"
LONGEST_NOTE = 1000  # characters


@dataclass(frozen=True)
class Decision:
    """Keep or reject, by whom, when (UTC, ISO 8601), and a note."""

    decision: str
    who: str
    time: str
    note: str


class Decisions:
    """Decisions of one person on top of all earlier ones.

    A decision is about samples: it counts for a clip only as long as their sha256 is the same.

    Args:
        journal: Where they are kept.
        who: Name of the person who decides now.
    """

    def __init__(self, journal: Journal, who: str) -> None:
        self.journal, self.who = journal, who
        self._live: list[Mapping[str, Any]] = []
        for entry in journal.entries:
            self._apply(entry)

    def in_force(self) -> dict[tuple[str, str], Decision]:
        """(clip id, sha256 of its samples) -> the decision that stands."""
        return {
            (entry["clip"], entry["sha256"]): Decision(entry["decision"], entry["who"], entry["time"], entry["note"])
            for entry in self._live
        }

    def decide(self, clip_id: str, sha256: str, decision: str, note: str = "", reasons: tuple[str, ...] = ()) -> None:
        """Stores a decision at once.

        Raises:
            ParameterError: neither keep nor reject, or a note of more than 1000 characters.
            StorageError: it could not be stored; nothing has changed.
        """
        if decision not in (KEEP, REJECT):
            raise ParameterError(f"A decision is {KEEP!r} or {REJECT!r}, not {decision!r}.")
        if len(note) > LONGEST_NOTE:
            raise ParameterError(f"The note has {len(note)} characters; {LONGEST_NOTE} at most.")
        self._store({"clip": clip_id, "sha256": sha256, "decision": decision, "note": note, "reasons": list(reasons)})

    def undo(self) -> str | None:
        """Takes back this person's last decision that stands; the id of its clip, or ``None`` when there is none."""
        entry = self._last(self.who)
        if entry is None:
            return None
        self._store({"clip": entry["clip"], "sha256": entry["sha256"], "decision": UNDO, "note": "", "reasons": []})
        return str(entry["clip"])

    def _store(self, entry: dict[str, Any]) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        entry |= {"time": now, "who": self.who, "tool": tool_version()}
        self.journal.add(entry)
        self._apply(entry)

    def _apply(self, entry: Mapping[str, Any]) -> None:
        if entry["decision"] != UNDO:
            self._live.append(entry)
        elif (last := self._last(entry["who"])) is not None:
            self._live = [other for other in self._live if other is not last]

    def _last(self, who: str) -> Mapping[str, Any] | None:
        return next((entry for entry in reversed(self._live) if entry["who"] == who), None)
