"""Decisions of listeners to keep or reject clips, stored in a journal."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.errors import ParameterError
from ...core.journal import UNDO, Acts, Journal

KEEP, REJECT = "keep", "reject"
LONGEST_NOTE = 1000  # characters


@dataclass(frozen=True)
class Decision:
    """A decision ("keep" or "reject"), the person, the time (UTC, ISO 8601) and a note."""

    decision: str
    who: str
    time: str
    note: str


class Decisions:
    """All decisions so far, and new ones of one person.

    A decision is valid only for the samples that were judged, identified by their sha256.

    Args:
        journal: Where decisions are stored.
        who: Name of the person who decides now.
    """

    def __init__(self, journal: Journal, who: str) -> None:
        self.who, self._acts = who, Acts(journal, who, "decision")

    def in_force(self) -> dict[tuple[str, str], Decision]:
        """(clip id, sha256 of its samples) -> the last decision that was not undone."""
        return {
            (entry["clip"], entry["sha256"]): Decision(entry["decision"], entry["who"], entry["time"], entry["note"])
            for entry in self._acts.standing
        }

    def decide(self, clip_id: str, sha256: str, decision: str, note: str = "", reasons: tuple[str, ...] = ()) -> None:
        """Stores a decision.

        Raises:
            ParameterError: neither keep nor reject, or a note of more than 1000 characters.
            StorageError: it cannot be stored; nothing has changed.
        """
        if decision not in (KEEP, REJECT):
            raise ParameterError(f"A decision is {KEEP!r} or {REJECT!r}, not {decision!r}.")
        if len(note) > LONGEST_NOTE:
            raise ParameterError(f"The note has {len(note)} characters; {LONGEST_NOTE} at most.")
        about = {"clip": clip_id, "sha256": sha256}
        self._acts.add({**about, "decision": decision, "note": note, "reasons": list(reasons)})

    def undo(self) -> str | None:
        """Undoes this person's last decision; returns the id of its clip, or ``None`` if there is no decision."""
        entry = self._acts.last()
        if entry is None:
            return None
        self._acts.add({"clip": entry["clip"], "sha256": entry["sha256"], "decision": UNDO, "note": "", "reasons": []})
        return str(entry["clip"])
