"""Labels of users in a journal: one act over one or many rows is one entry, and is undone as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...core.errors import ParameterError
from ...core.journal import Acts, Journal
from .export import write_labels
from .fold import FORMAT, apply_act, fold
from .match import matching
from .row import ACTIONS, KEEP, REJECT, RELABEL, UNDO, RowLabel, address_of, check_label, key_of, shown_label

LONGEST_NOTE = 1000  # characters
MOST_ROWS = 20_000  # of one act


class Labels:
    """Labels of all users of a journal, to which one user adds labels.

    A label is stored by the address of the sound, not by its vector, so that it is valid for other indexes and other
    encoders; each label states the encoder of the index in which it was given. The last label of a sound is in force,
    whoever gave it; undoing it puts the one before in force again.

    Args:
        journal: Where labels are stored.
        who: Name of the user who labels now.
        fingerprint: Of the encoder of the index in use.

    Raises:
        StorageError: the journal has other entries than labels.
    """

    def __init__(self, journal: Journal, who: str, fingerprint: str) -> None:
        self.who, self.fingerprint = who, fingerprint
        self._acts = Acts(journal, who, "action")
        self._standing = fold(self._acts.standing, journal.path)

    def add(
        self, rows: Sequence[Mapping[str, Any]], action: str, label: str | Sequence[str] = "", note: str = ""
    ) -> int:
        """Stores one act over one or many rows and returns the number of different rows.

        Args:
            rows: Metadata of rows of the index, with ``id`` their int64 id.
            action: "keep" (the label that :meth:`shown` gives is right), "reject" (leave the row out) or "relabel".
            label: The new label with "relabel", of all rows or one for each row: "clean", or the names of the faults
                joined by ", ", each 1 to 40 of a-z, 0-9 and _.
            note: At most 1000 characters.

        Raises:
            ParameterError: unfit values, no rows or more than 20,000, or "keep" for a row without a label.
            StorageError: it could not be stored; the labels have not changed.
        """
        if action not in ACTIONS:
            raise ParameterError(f"an action is one of {', '.join(ACTIONS)}, not {action!r}.")
        if not 1 <= len(rows) <= MOST_ROWS:
            raise ParameterError(f"{len(rows)} rows; one act labels 1 to {MOST_ROWS:,}.")
        if not isinstance(note, str) or len(note) > LONGEST_NOTE:
            raise ParameterError(f"the note has {len(str(note))} characters; {LONGEST_NOTE} at most.")
        if action != RELABEL and label != "":
            raise ParameterError(f"{action!r} takes no label, got {label!r}; use {RELABEL!r} to give another one.")
        labels = [label] * len(rows) if isinstance(label, str) else label
        if len(labels) != len(rows):
            raise ParameterError(f"{len(labels)} labels for {len(rows)} rows; give one for each, or one for all.")
        entries = [self._entry(row, action, text) for row, text in zip(rows, labels, strict=True)]
        different = {entry["id"]: entry for entry in entries}
        apply_act(self._standing, self._acts.add(self._act(action, list(different.values()), note)))
        return len(different)

    def shown(self, row: Mapping[str, Any]) -> str:
        """The label of a row by its metadata: the last one of a user, else what the index says; "" without any."""
        earlier = self._standing.get(key_of(address_of(row)))
        return earlier.label if earlier and earlier.action != REJECT else shown_label(row)

    def undo(self) -> list[int]:
        """Undoes this user's last act in force and returns the ids of its rows, in the index where it was done."""
        act = self._acts.last()
        if act is None:
            return []
        self._acts.add(self._act(UNDO, [], ""))
        self._standing = fold(self._acts.standing, self._acts.journal.path)
        return [int(row["id"]) for row in act["rows"]]

    def in_force(self) -> dict[int, RowLabel]:
        """Row id -> the label in force, by the ids of the index in which each was given.

        The ids of a probed run change when it is probed again: use :meth:`matching` for the rows of an index.
        """
        return {label.id: label for label in self._standing.values()}

    def matching(self, metadata: pa.Table, ids: Sequence[int] | np.ndarray | None = None) -> dict[int, RowLabel]:
        """Row id -> the label in force, for any index; see :func:`contrastive_artifacts.probes.labels.matching`."""
        return matching(self._standing.values(), metadata, ids)

    def export(self, path: str | Path) -> int:
        """Writes the labels in force as .csv, .parquet or .jsonl, one row per label, and returns their number.

        Raises:
            ParameterError: another suffix.
        """
        return write_labels(path, list(self._standing.values()))

    def _act(self, action: str, rows: list[dict[str, Any]], note: str) -> dict[str, Any]:
        return {"format": FORMAT, "action": action, "rows": rows, "note": note, "fingerprint": self.fingerprint}

    def _entry(self, row: Mapping[str, Any], action: str, label: str) -> dict[str, Any]:
        """A row as the journal stores it."""
        number = row.get("id")
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not -(2**63) <= number < 2**63:
            raise ParameterError(f"a row's id is {number!r}; give its int64 in the index.")
        address, before = address_of(row), self.shown(row)
        if action == KEEP and not before:
            raise ParameterError(f"row {number} has no label to keep; relabel it instead.")
        text = "" if action == REJECT else check_label(before if action == KEEP else label)
        return {"id": int(number), "before": before, "label": text, **address}
