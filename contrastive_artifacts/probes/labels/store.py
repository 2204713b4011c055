"""The labels that people gave: a fold over a journal, where one act is one entry and can be taken back as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...core.errors import ParameterError
from ...core.journal import Acts, Journal
from .export import write_labels
from .fold import fold, say
from .match import matching
from .row import ACTIONS, KEEP, REJECT, RELABEL, UNDO, RowLabel, address_of, check_name, key_of

LONGEST_NOTE = 1000  # characters
MOST_ROWS = 20_000  # of one act


class Labels:
    """Labels of one person on top of all earlier ones.

    A label is about a sound, not about its vector: it is kept by the address of the sound and outlives the index in
    which it was given. So nothing is refused for being of another encoder; each label names the one that was looked
    at. The last word on a sound holds, whoever said it; what is taken back uncovers what held before.

    Args:
        journal: Where they are kept.
        who: Name of the person who labels now.
        fingerprint: Of the encoder whose index is looked at.

    Raises:
        StorageError: the journal holds something else than labels.
    """

    def __init__(self, journal: Journal, who: str, fingerprint: str) -> None:
        self.who, self.fingerprint = who, fingerprint
        self._acts = Acts(journal, who, "action")
        self._standing = fold(self._acts.standing, journal.path)

    def say(self, rows: Sequence[Mapping[str, Any]], action: str, label: str = "", note: str = "") -> int:
        """Stores one act over one row or many, at once; how many different rows it was about.

        Args:
            rows: Metadata of rows of the index, with ``id`` their int64 in it. The label that is shown is what a person
                said last, else ``artifact``, else ``heard``.
            action: "keep" (the label shown is right), "reject" (leave the row out) or "relabel".
            label: With "relabel" the one that holds from now on: 1 to 40 of a-z, 0-9 and _.
            note: At most 1000 characters.

        Raises:
            ParameterError: unfit values, no rows or more than 20,000, or a row to keep that shows no label.
            StorageError: it could not be stored; nothing has changed.
        """
        if action not in ACTIONS:
            raise ParameterError(f"an action is one of {', '.join(ACTIONS)}, not {action!r}.")
        if not 1 <= len(rows) <= MOST_ROWS:
            raise ParameterError(f"{len(rows)} rows; one act labels 1 to {MOST_ROWS:,}.")
        if not isinstance(note, str) or len(note) > LONGEST_NOTE:
            raise ParameterError(f"the note has {len(str(note))} characters; {LONGEST_NOTE} at most.")
        if action == RELABEL:
            check_name(label)
        elif label != "":
            raise ParameterError(f"{action!r} takes no label, got {label!r}; use {RELABEL!r} to give another one.")
        said = {named["id"]: named for named in (self._named(row, action) for row in rows)}
        entry = {"action": action, "label": label, "note": note, "fingerprint": self.fingerprint}
        stored = self._acts.add(entry | {"rows": list(said.values())})
        say(self._standing, stored)
        return len(said)

    def undo(self) -> list[int]:
        """Takes back this person's last act that stands; ids of its rows, in the index in which it was done."""
        act = self._acts.last()
        if act is None:
            return []
        self._acts.add({"action": UNDO, "label": "", "note": "", "fingerprint": self.fingerprint, "rows": []})
        self._standing = fold(self._acts.standing, self._acts.journal.path)
        return [int(row["id"]) for row in act["rows"]]

    def in_force(self) -> dict[int, RowLabel]:
        """Row id -> the label that holds, by the ids of the index in which each was given.

        The ids of a probed run change when it is probed anew: take :meth:`matching` for the rows of an index.
        """
        return {label.id: label for label in self._standing.values()}

    def matching(self, metadata: pa.Table, ids: Sequence[int] | np.ndarray | None = None) -> dict[int, RowLabel]:
        """Row id -> the label that holds, for any index; see :func:`contrastive_artifacts.probes.labels.matching`."""
        return matching(self._standing.values(), metadata, ids)

    def export(self, path: str | Path) -> int:
        """Writes what holds as .csv, .parquet or .jsonl, one row a label with address and provenance; how many.

        Raises:
            ParameterError: another suffix.
        """
        return write_labels(path, list(self._standing.values()))

    def _named(self, row: Mapping[str, Any], action: str) -> dict[str, Any]:
        """A row as the journal keeps it."""
        number = row.get("id")
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not -(2**63) <= number < 2**63:
            raise ParameterError(f"a row's id is {number!r}; give its int64 in the index.")
        address = address_of(row)
        earlier = self._standing.get(key_of(address))
        shown = earlier.label if earlier and earlier.action != REJECT else row.get("artifact") or row.get("heard") or ""
        if action == KEEP and not shown:
            raise ParameterError(f"row {number} shows no label that could be kept; relabel it instead.")
        return {"id": int(number), "before": str(shown), **address}
