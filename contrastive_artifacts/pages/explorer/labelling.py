"""What people say of the rows of a collection, and the probe that is trained anew from it."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from ...core.errors import FingerprintError, ParameterError, StorageError
from ...embedding import copy_encoder
from ...probes import Probe
from ...probes import labels as said
from ...probes.labels import ACTIONS, Labels
from .collection import Collection

SAVED = "relabelled"  # folder of the retrained probe with its encoder, in that of the run or the index


class Labelling:
    """Labels of a collection; each act is stored before it is answered.

    Where a probe was retrained here before, the collection is heard with that one.

    Args:
        collection: What is labelled; its columns follow.
        labels: Where labels are kept.

    Raises:
        StorageError: the retrained probe is damaged; its folder can be deleted.
    """

    def __init__(self, collection: Collection, labels: Labels) -> None:
        self.collection, self.labels = collection, labels
        self._first = collection.probe
        self._lock, self._training = threading.Lock(), threading.Lock()
        collection.say(labels.matching(collection.index.metadata))
        saved = collection.home / SAVED
        if (saved / "probe.json").exists():
            with suppress(FingerprintError):  # embedded anew by another encoder since: that probe is of no use
                collection.hear(Probe.load(saved, collection.index.fingerprint))

    def say(self, rows: Sequence[int], action: str, label: str, note: str) -> dict[str, Any]:
        """One act over many rows; how many they are, and how many are labelled by now.

        Raises:
            ParameterError: as :meth:`contrastive_artifacts.probes.labels.Labels.say`.
            StorageError: it could not be stored; nothing has changed.
        """
        wanted = sorted(set(rows))
        facts = self.collection.many_facts(wanted)
        named = [{**one, "id": int(self.collection.index.ids[row])} for row, one in zip(wanted, facts, strict=True)]
        with self._lock:
            changed = self.labels.say(named, action, label, note)
            self._follow(wanted)
            return {"changed": changed, "counts": self.counts()}

    def undo(self) -> dict[str, Any]:
        """Takes this person's last act back; the rows of which something else holds now."""
        with self._lock:
            before = self.collection.said
            self.labels.undo()
            self._follow(sorted(before))  # what is taken back was said of rows that have a label
            after = self.collection.said
            return {"rows": [row for row in sorted(before) if before[row] != after.get(row)], "counts": self.counts()}

    def counts(self) -> dict[str, int]:
        """Action -> rows of this collection that it holds for."""
        counted = Counter(one.action for one in self.collection.said.values())
        return {action: counted[action] for action in ACTIONS}

    def export(self) -> bytes:
        """All labels as CSV."""
        with tempfile.TemporaryDirectory(prefix="explore-") as folder, self._lock:
            path = Path(folder) / "labels.csv"
            self.labels.export(path)
            return path.read_bytes()

    def retrain(self) -> dict[str, Any]:
        """Corrects the probe by what people said, saves it, and listens with it to every row.

        The probe that it starts from is always the one from before any label. The new one lies with a copy of its
        encoder in the folder "relabelled" of the run or the index, for :func:`contrastive_artifacts.load`.

        Raises:
            ParameterError: there is nothing to learn from, or another retraining is under way.
            StorageError: it cannot be saved; the old probe stays in use.
        """
        if not self._training.acquire(blocking=False):
            raise ParameterError("The probe is being retrained already; wait for that.")
        try:
            started, one = time.perf_counter(), self.collection
            if "source" not in one.index.metadata.column_names:
                raise ParameterError("The rows have no column source, by which training and judging are kept apart.")
            refit = said.refit(one.index.vectors(), one.index.metadata, one.said, one.index.fingerprint, self._first)
            folder = self._save(refit.probe)
            changed = one.hear(refit.probe)
            return {
                "seconds": round(time.perf_counter() - started, 3),
                "rows": len(one),
                "labels": refit.used,
                "left_out": refit.left_out,
                "before": refit.before,
                "after": refit.after,
                "changed": changed,
                "saved": str(folder),
                "note": _note(refit),
            }
        finally:
            self._training.release()

    def _save(self, probe: Probe) -> Path:
        folder = self.collection.home / SAVED
        copy_encoder(self.collection.encoder_folder, folder)
        try:
            probe.save(folder)
        except OSError as error:
            raise StorageError(
                f"{folder} cannot be written ({error.strerror}); make room or check its rights."
            ) from None
        return folder

    def _follow(self, rows: Sequence[int]) -> None:
        """Looks up again what holds for some rows: to look up a million after each act takes seconds."""
        part = self.collection.index.metadata.take(pa.array(rows, pa.int64()))
        again = set(rows)
        others = {row: one for row, one in self.collection.said.items() if row not in again}
        self.collection.say(others | self.labels.matching(part, rows))


def _note(refit: said.Refit) -> str:
    if refit.after is None:
        return "Labels of one source tell nothing of others: label rows of more sources to see whether it helps."
    rows, start = f"{refit.after['rows']:.0f} labelled rows", "each judged without the labels of its own source"
    if refit.before is None:
        return f"Measured on {rows}, {start}."
    gain = refit.after["accuracy"] - refit.before["accuracy"]
    told = "better" if gain > 0 else "worse" if gain < 0 else "no better and no worse"
    return f"Measured on {rows}, {start}: {told} than before, {100 * gain:+.1f} points of accuracy."
