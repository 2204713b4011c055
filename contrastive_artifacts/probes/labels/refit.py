"""What people said, fed back to the probe in seconds, and whether it helped on sources that it was not told about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...core.errors import ParameterError
from .. import Embedded, LinearProbe, Probe, SeverityProbe, accuracy, macro_f1
from ..bundle import severity_probes, type_rows
from ..spaces import sample_rows
from ..storage import check_fingerprint
from .correction import corrected
from .row import REJECT, RowLabel

FOLDS = 5
FEWEST_SOURCES = 3  # of each of two labels, where there is no probe to start from

Figures = dict[str, float]


@dataclass(frozen=True)
class Refit:
    """A probe that has learned from labels.

    Args:
        probe: For vectors of the same encoder; labels that people added are classes of it.
        used: Labelled rows that it learned from.
        left_out: Rows that it was not to learn from: those that people rejected.
        before, after: {"macro_f1", "accuracy", "rows"} on the labelled rows themselves, people's labels taken for the
            truth. Each row is told by a probe that never saw its source: ``after`` with the labels of the other
            sources, ``before`` without any. ``None`` with labelled rows of fewer than two sources; ``before`` also
            where there was no probe.
    """

    probe: Probe
    used: int
    left_out: int
    before: Figures | None
    after: Figures | None


def refit(
    vectors: np.ndarray, metadata: pa.Table, labels: Mapping[int, RowLabel], fingerprint: str, old: Probe | None
) -> Refit:
    """The probe as labels change it.

    The old probe is corrected by the labelled rows (see :func:`.correction.corrected`): whatever it was trained on need
    not be at hand, as it is not for an archive. In the index of a probed run it is: the rows of known artifacts of side
    "train". Where people rejected or relabelled such rows, the probe is first fitted anew without them. Without an old
    probe one is fitted on the labelled rows alone.

    People say what is wrong, not how bad it is: the severity probes stay as they are, and a new label has none.

    Args:
        vectors: [N, D], those of an index.
        metadata: N rows; source, and artifact, severity and split where there are any.
        labels: Row number (0..N-1) -> label, as ``Labels.matching(metadata)`` gives them.
        fingerprint: Of the encoder of the vectors.
        old: The probe from before any label (not the last refit: what was undone since would stay in it).

    Raises:
        ParameterError: a row number out of range; rows without a source; nothing to learn from; too few labels to do
            without an old probe.
        FingerprintError: the old probe belongs to another encoder.
    """
    if len(vectors) != len(metadata) or any(not 0 <= row < len(metadata) for row in labels):
        raise ParameterError(f"{len(vectors)} vectors, {len(metadata)} rows, and labels of other rows; give an index.")
    if "source" not in metadata.column_names:
        raise ParameterError("the rows have no column 'source'; without it nothing can be judged by source.")
    if old is not None:
        check_fingerprint(old.fingerprint, fingerprint)
    told = np.array(sorted(row for row, label in labels.items() if label.action != REJECT), np.int64)
    known = _known(metadata)
    changed = np.array([row for row, label in labels.items() if known[row] and _contradicts(label)], np.int64)
    if not len(told) and not (len(changed) and old is not None):
        raise ParameterError("there is nothing to learn from; keep or relabel some rows first.")
    people = _People(vectors, metadata, told, np.array([labels[row].label for row in told.tolist()], dtype=str))
    ground = _Ground(vectors, metadata, known, changed, old)
    before, after = _figures(people, ground)
    everything = np.ones(len(told), bool)
    told_by = _learned(people, ground.type(np.zeros(0, np.str_), changed=True), everything)
    return Refit(Probe(told_by, ground.severity(), fingerprint), len(told), len(labels) - len(told), before, after)


class _People:
    """Labelled rows: vectors x, labels, sources; and a sample of all rows."""

    def __init__(self, vectors: np.ndarray, metadata: pa.Table, rows: np.ndarray, labels: np.ndarray) -> None:
        self.x, self.labels = np.asarray(vectors[rows], np.float32), labels
        self.sources = np.array(metadata.column("source").take(pa.array(rows)).to_pylist(), dtype=str)
        self.sample = np.asarray(vectors[sample_rows(len(vectors))], np.float32)


class _Ground:
    """The probe that labels correct, fitted anew without some sources where it may have seen them."""

    def __init__(
        self, vectors: np.ndarray, metadata: pa.Table, known: np.ndarray, changed: np.ndarray, old: Probe | None
    ) -> None:
        self.old, self.changed = old, changed
        self._vectors, self._metadata, self._rows = vectors, metadata, np.flatnonzero(known)
        self._sources = np.array(metadata.column("source").take(pa.array(self._rows)).to_pylist(), dtype=str)

    def type(self, without: np.ndarray, changed: bool) -> LinearProbe | None:
        """The type probe without these sources; and without the rows that people changed, or as if they had not.

        Raises:
            ParameterError: fewer than two classes are left.
        """
        out = np.isin(self._sources, without) | (np.isin(self._rows, self.changed) if changed else False)
        if self.old is None or not out.any():
            return self.old.type if self.old else None
        train = self._train(~out)
        labels, rows = type_rows(train)
        return self.old.type.again(train.x[rows], labels[rows])

    def severity(self) -> dict[str, SeverityProbe]:
        """The severity probes without the rows that people changed."""
        if self.old is None or not len(self.changed):
            return self.old.severity if self.old else {}
        return severity_probes(self._train(~np.isin(self._rows, self.changed)))

    def _train(self, which: np.ndarray) -> Embedded:
        rows = self._rows[which]
        facts = self._metadata.select(["artifact", "severity"]).take(pa.array(rows))
        artifact, severity = (facts.column(name).to_numpy() for name in ("artifact", "severity"))
        return Embedded(np.asarray(self._vectors[rows], np.float32), artifact, severity, self._sources[which])


def _known(metadata: pa.Table) -> np.ndarray:
    """Boolean [N]: rows that a run's probe was fitted on."""
    if not {"artifact", "split", "severity"} <= set(metadata.column_names):
        return np.zeros(len(metadata), bool)
    rows = pc.and_(pc.not_equal(metadata.column("artifact"), ""), pc.equal(metadata.column("split"), "train"))
    return np.asarray(pc.fill_null(rows, False).to_numpy(), bool)


def _contradicts(label: RowLabel) -> bool:
    return label.action == REJECT or label.label != label.address["artifact"]


def _learned(people: _People, start: LinearProbe | None, mine: np.ndarray) -> LinearProbe:
    """``start`` corrected by those of the labelled rows that ``mine`` marks, or a probe of them alone."""
    x, labels, sources = people.x[mine], people.labels[mine], people.sources[mine]
    if start is not None:
        return corrected(start, people.sample, x, labels, sources) if len(x) else start
    enough = [name for name in np.unique(labels) if len(np.unique(sources[labels == name])) >= FEWEST_SOURCES]
    if len(enough) < 2:
        raise ParameterError(
            f"{len(enough)} labels were given to rows of {FEWEST_SOURCES} sources or more; without a probe to start "
            "from it takes two such labels."
        )
    return LinearProbe.fit(x, labels, sources)


def _figures(people: _People, ground: _Ground) -> tuple[Figures | None, Figures | None]:
    """Before and after, each source judged by what never saw it."""
    names = np.unique(people.sources)
    if len(names) < 2:
        return None, None
    truth: list[np.ndarray] = []
    before: list[np.ndarray] = []
    after: list[np.ndarray] = []
    for fold in range(min(FOLDS, len(names))):
        judged = names[fold::FOLDS]
        rows = np.isin(people.sources, judged)
        try:
            plain = ground.type(judged, changed=False)
            start = ground.type(judged, changed=True) if len(ground.changed) else plain
            after.append(_learned(people, start, ~rows).predict(people.x[rows]))
        except ParameterError:  # too little is left without these sources
            return None, None
        truth.append(people.labels[rows])
        if plain is not None:
            before.append(plain.predict(people.x[rows]))
    return _scores(truth, before), _scores(truth, after)


def _scores(truth: list[np.ndarray], told: list[np.ndarray]) -> Figures | None:
    if not told:
        return None
    labels, heard = np.concatenate(truth), np.concatenate(told)
    return {"macro_f1": macro_f1(labels, heard), "accuracy": accuracy(labels, heard), "rows": len(labels)}
