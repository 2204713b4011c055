"""The probe corrected by user labels: proposed with what it would change, and used once a person agreed."""

from __future__ import annotations

import itertools
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...core.errors import ParameterError
from ...core.lock import locked
from ...embedding import save_corrected
from ...probes import AnyProbe
from ...probes.labels import REJECT, Judgement, refit
from ...probes.precision import precisions
from .collection import CORRECTED, Collection

EXAMPLES = 10  # rows with another verdict that are proposed for listening
MOST_MOVES = 12  # pairs of verdicts that are listed


@dataclass(frozen=True)
class _Proposal:
    number: int
    probe: AnyProbe
    columns: dict[str, pa.Array]


class Retraining:
    """Corrects the probe of a collection.

    Args:
        collection: Its verdicts change when a proposal is used.
    """

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self._training, self._numbers = threading.Lock(), itertools.count(1)
        self._proposal: _Proposal | None = None

    @property
    def corrected(self) -> bool:
        """Whether the rows have the verdicts of a corrected probe."""
        return self.collection.probe is not self.collection.encoder.probe

    def propose(self) -> dict[str, Any]:
        """Corrects the probe without labels by those in force; nothing is saved and no verdict changes yet.

        Returns:
            ``proposal``: its number, for :meth:`use`; ``labels``, ``agreeing``, ``left_out``: numbers of labels;
            ``rows`` and ``changed``: of the collection, and with another verdict; ``moves``: [before, after, rows], the
            most frequent first; ``examples``: up to ten of these rows; ``figures``: [rows, before, after];
            ``precisions``: of the verdicts in use, [name, right, labelled, low, high, further labels until settled];
            ``verdict`` and ``losses``: see :class:`.Judgement`; ``corrected``: whether a corrected probe is in use.

        Raises:
            ParameterError: there are no labels to train with, or another retraining is running.
        """
        with self._alone():
            started, collection = time.perf_counter(), self.collection
            index = collection.index
            if "source" not in index.metadata.column_names:
                raise ParameterError("The rows have no column source, by which training and test rows are separated.")
            first = collection.encoder.probe
            refitted = refit(index.vectors(), index.metadata, collection.user_labels, index.fingerprint, first)
            columns = collection.verdicts(refitted.probe)
            self._proposal = _Proposal(next(self._numbers), refitted.probe, columns)
            changed = self._changed(columns)
            judgement = refitted.judgement
            return {
                "proposal": self._proposal.number,
                "seconds": round(time.perf_counter() - started, 3),
                "labels": refitted.used,
                "agreeing": judgement.agreeing,
                "left_out": refitted.left_out,
                "rows": len(collection),
                "changed": sum(map(len, changed.values())),
                "moves": [[*pair, len(rows)] for pair, rows in list(changed.items())[:MOST_MOVES]],
                "examples": self._examples(changed),
                "figures": _figures(judgement),
                "precisions": self._precisions(),
                "verdict": judgement.verdict,
                "losses": judgement.losses,
                "corrected": self.corrected,
            }

    def use(self, number: int) -> dict[str, Any]:
        """Saves a proposal with a copy of its encoder, for :func:`contrastive_artifacts.load`, and adopts its verdicts.

        Raises:
            ParameterError: it is not the last proposal.
            StorageError: the probe cannot be saved; the previous one stays in use.
        """
        with self._alone():
            proposal = self._proposal
            if proposal is None or proposal.number != number:
                raise ParameterError("This correction was replaced by a later one; retrain the probe again.")
            save_corrected(self.collection.encoder_folder, proposal.probe, self._folder)
            changed = self._changed(proposal.columns)
            self.collection.adopt(proposal.probe, self.collection.with_verdicts(proposal.columns))
            self._proposal = None
            return {"changed": sum(map(len, changed.values())), "saved": str(self._folder)}

    def back(self) -> dict[str, Any]:
        """Deletes the corrected probe; the rows have the verdicts of the encoder's own probe again. Labels stay."""
        with self._alone():
            if self._folder.exists():
                with locked(self._folder, "deleting a retrained probe"):
                    shutil.rmtree(self._folder)
            self.collection.adopt(self.collection.encoder.probe, self.collection.encoder_verdicts())
            self._proposal = None
            return {"corrected": False}

    def _precisions(self) -> list[list[Any]]:
        labels, table = self.collection.user_labels, self.collection.index.metadata
        verdict = "present" if "present" in table.column_names else "heard"
        rows = [row for row, label in labels.items() if label.action != REJECT and verdict in table.column_names]
        heard = table.column(verdict).take(pa.array(rows, pa.int64())).to_pylist() if rows else []
        pairs = [(text or "", labels[row].label) for row, text in zip(rows, heard, strict=True)]
        return [list(astuple(precision)) for precision in precisions(pairs)]

    @property
    def _folder(self) -> Path:
        return self.collection.home / CORRECTED

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._training.acquire(blocking=False):
            raise ParameterError("The probe is being retrained already; wait until that is done.")
        try:
            yield
        finally:
            self._training.release()

    def _changed(self, columns: dict[str, pa.Array]) -> dict[tuple[str, str], np.ndarray]:
        """(verdict in use, verdict of ``columns``) -> the rows where they differ, the most frequent pair first."""
        verdict, table = "present" if "present" in columns else "heard", self.collection.index.metadata
        known = verdict in table.column_names
        before = table.column(verdict).to_pylist() if known else [""] * len(table)
        rows: dict[tuple[str, str], list[int]] = {}
        for row, pair in enumerate(zip(before, columns[verdict].to_pylist(), strict=True)):
            if pair[0] != pair[1]:
                rows.setdefault((pair[0] or "", pair[1]), []).append(row)
        return {pair: np.array(rows[pair]) for pair in sorted(rows, key=lambda pair: -len(rows[pair]))}

    def _examples(self, changed: dict[tuple[str, str], np.ndarray]) -> list[dict[str, Any]]:
        """Rows with another verdict, of each pair of verdicts in turn."""
        rng = np.random.default_rng(0)
        drawn = [[(row, *pair) for row in rng.permutation(rows)[:EXAMPLES].tolist()] for pair, rows in changed.items()]
        turns = [example for turn in itertools.zip_longest(*drawn) for example in turn if example is not None]
        spans = [(self.collection.span(row), row, before, after) for row, before, after in turns[:EXAMPLES]]
        return [
            {"row": row, "name": span.name, "time": span.time, "before": before, "after": after}
            for span, row, before, after in spans
        ]


def _figures(judgement: Judgement) -> list[list[Any]]:
    """[what the rows are, figures before, figures after] where either is known."""
    kinds = [
        ["labelled rows, each source held out", judgement.before, judgement.after],
        ["rows whose artifact is known", judgement.known_before, judgement.known_after],
    ]
    return [kind for kind in kinds if kind[2] is not None]
