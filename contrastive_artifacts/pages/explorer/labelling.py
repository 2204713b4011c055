"""User labels of the rows of a collection, and the probe that is retrained with them."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ...core.errors import FingerprintError, ParameterError
from ...core.lock import locked
from ...embedding import copy_encoder
from ...probes import AnyProbe, load_any_probe
from ...probes.label_sets import joined, names_of
from ...probes.labels import ACTIONS, RELABEL, Labels, Refit, refit
from .collection import Collection

SAVED = "relabelled"  # folder of the retrained probe and its encoder, inside that of the run or the index


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

    If a probe was retrained for this collection before, the rows are classified with it.

    Args:
        collection: Its columns are updated with every label.
        labels: Store of the labels.

    Raises:
        StorageError: the retrained probe is damaged; its folder can be deleted.
    """

    def __init__(self, collection: Collection, labels: Labels) -> None:
        self.collection, self.labels = collection, labels
        self._first_probe = collection.probe
        self._lock, self._training = threading.Lock(), threading.Lock()
        collection.set_labels(labels.matching(collection.index.metadata))
        saved = collection.home / SAVED
        if (saved / "probe.json").exists():
            with suppress(FingerprintError):  # the rows were embedded by another encoder since
                collection.classify(load_any_probe(saved, collection.index.fingerprint))

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

    def export(self) -> bytes:
        """All labels as the bytes of a CSV file."""
        with tempfile.TemporaryDirectory(prefix="explore-") as folder, self._lock:
            path = Path(folder) / "labels.csv"
            self.labels.export(path)
            return path.read_bytes()

    def retrain(self) -> dict[str, Any]:
        """Retrains the probe with the user labels, saves it, and classifies every row with it.

        Training always starts from the probe without labels. The new probe is saved with a copy of its encoder in the
        folder "relabelled" of the run or the index, which :func:`contrastive_artifacts.load` opens.

        Raises:
            ParameterError: there are no labels to train with, or another retraining is running.
            StorageError: the probe cannot be saved; the previous one stays in use.
        """
        if not self._training.acquire(blocking=False):
            raise ParameterError("The probe is being retrained already; wait until that is done.")
        try:
            started, collection = time.perf_counter(), self.collection
            index = collection.index
            if "source" not in index.metadata.column_names:
                raise ParameterError("The rows have no column source, by which training and test rows are separated.")
            refitted = refit(
                index.vectors(), index.metadata, collection.user_labels, index.fingerprint, self._first_probe
            )
            folder = self._save(refitted.probe)
            changed = collection.classify(refitted.probe)
            return {
                "seconds": round(time.perf_counter() - started, 3),
                "rows": len(collection),
                "labels": refitted.used,
                "left_out": refitted.left_out,
                "before": refitted.before,
                "after": refitted.after,
                "changed": changed,
                "saved": str(folder),
                "note": _note(refitted),
            }
        finally:
            self._training.release()

    def _save(self, probe: AnyProbe) -> Path:
        folder = self.collection.home / SAVED
        with locked(folder, "saving a retrained probe"):
            copy_encoder(self.collection.encoder_folder, folder)
            probe.save(folder)
        return folder

    def _facts(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """The metadata of some rows, with their ids in the index."""
        ids, facts = self.collection.index.ids, self.collection.many_facts(rows)
        return [{**row_facts, "id": int(ids[row])} for row, row_facts in zip(rows, facts, strict=True)]

    def _update(self, rows: Sequence[int]) -> None:
        """Looks the labels of some rows up again; for a million rows this would take seconds after each act."""
        table, updated = self.collection.index.metadata.take(pa.array(rows, pa.int64())), set(rows)
        others = {row: label for row, label in self.collection.user_labels.items() if row not in updated}
        self.collection.set_labels(others | self.labels.matching(table, rows))


def _note(refitted: Refit) -> str:
    if refitted.after is None:
        return "Labels of a single source cannot be tested on others: label rows of more sources to measure the gain."
    rows = f"{refitted.after['rows']:.0f} labelled rows, each classified without the labels of its own source"
    if refitted.before is None:
        return f"Measured on {rows}."
    gain = refitted.after["accuracy"] - refitted.before["accuracy"]
    verdict = "better" if gain > 0 else "worse" if gain < 0 else "no better and no worse"
    return f"Measured on {rows}: {verdict} than before, {100 * gain:+.1f} points of accuracy."
