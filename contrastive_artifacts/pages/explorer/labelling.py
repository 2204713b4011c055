"""User labels of the rows of a collection."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...probes.label_sets import joined, names_of
from ...probes.labels import ACTIONS, RELABEL, Labels, write_labels
from .collection import Collection


@dataclass(frozen=True)
class Change:
    """Names that are added to a label and taken away from it; clean is what remains without any."""

    add: Sequence[str]
    remove: Sequence[str]

    def of(self, label: str) -> str:
        """A label after the change."""
        return joined({*names_of(label)} - {*self.remove} | {*self.add})


class Labelling:
    """Labels rows of a collection; each act is stored before the call returns.

    Args:
        collection: Its columns are updated with every label.
        labels: Store of the labels.
    """

    def __init__(self, collection: Collection, labels: Labels) -> None:
        self.collection, self.labels = collection, labels
        self._lock = threading.Lock()
        collection.set_labels(labels.matching(collection.index.metadata))

    def add(
        self, rows: Sequence[int], action: str, label: str, note: str, change: Change | None = None
    ) -> dict[str, Any]:
        """Labels many rows, as one act.

        Args:
            rows: Their numbers.
            action, label, note: As :meth:`contrastive_artifacts.probes.labels.Labels.add` takes them.
            change: With "relabel", in place of ``label``: artifacts added to the label of each row, and taken away.

        Returns:
            ``changed``: number of these rows; ``labels``: row -> its label, of relabelled rows; ``counts``: see
            :meth:`counts`.

        Raises:
            ParameterError: as :meth:`contrastive_artifacts.probes.labels.Labels.add`.
            StorageError: it could not be stored; nothing has changed.
        """
        numbers = sorted(set(rows))
        with self._lock:
            facts = self._facts(numbers)
            labels = label if change is None or action != RELABEL else [change.of(self.labels.shown(f)) for f in facts]
            changed = self.labels.add(facts, action, labels, note)
            self._update(numbers)
            user_labels = self.collection.user_labels if action == RELABEL else {}
            texts = {row: user_labels[row].label for row in numbers if row in user_labels}
            return {"changed": changed, "labels": texts, "counts": self.counts()}

    def shown(self, rows: Sequence[int]) -> dict[str, int]:
        """Name -> number of these rows whose label holds it."""
        labels = [self.labels.shown(facts) for facts in self._facts(sorted(set(rows)))]
        return dict(Counter(name for label in labels for name in names_of(label)))

    def undo(self) -> dict[str, Any]:
        """Undoes this user's last act.

        Returns:
            ``rows``: rows whose label changed; ``counts``: see :meth:`counts`.
        """
        with self._lock:
            before = self.collection.user_labels
            self.labels.undo()
            self._update(sorted(before))  # only a row that has a label can lose it
            after = self.collection.user_labels
            return {"rows": [row for row in sorted(before) if before[row] != after.get(row)], "counts": self.counts()}

    def counts(self) -> dict[str, int]:
        """Action -> number of rows of this collection with such a label."""
        counted = Counter(user_label.action for user_label in self.collection.user_labels.values())
        return {action: counted[action] for action in ACTIONS}

    def export(self, shown: np.ndarray | None = None) -> bytes:
        """All labels as the bytes of a CSV file, or those of the rows ``shown`` of this collection."""
        with tempfile.TemporaryDirectory(prefix="explore-") as folder, self._lock:
            path = Path(folder) / "labels.csv"
            if shown is None:
                self.labels.export(path)
            else:
                of_rows = self.collection.user_labels
                write_labels(path, [of_rows[row] for row in shown.tolist() if row in of_rows])
            return path.read_bytes()

    def _facts(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """The metadata of some rows, with their ids in the index."""
        ids, facts = self.collection.index.ids, self.collection.many_facts(rows)
        return [{**row_facts, "id": int(ids[row])} for row, row_facts in zip(rows, facts, strict=True)]

    def _update(self, rows: Sequence[int]) -> None:
        """Looks the labels of some rows up again; for a million rows this would take seconds after each act."""
        table, updated = self.collection.index.metadata.take(pa.array(rows, pa.int64())), set(rows)
        others = {row: label for row, label in self.collection.user_labels.items() if row not in updated}
        self.collection.set_labels(others | self.labels.matching(table, rows))
