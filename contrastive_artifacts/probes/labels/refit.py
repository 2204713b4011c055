"""User labels correct the probe in seconds; figures on held-out sources say whether they helped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from ...core.errors import ParameterError
from .. import AnyProbe, LinearProbe, Probe, SetProbe
from ..spaces import sample_rows
from ..storage import check_fingerprint
from .base import Base, training_rows
from .correction import corrected, corrected_sets
from .judging import Figures, Judgement, held_out, known_rows, scores
from .row import REJECT, RowLabel

FEWEST_SOURCES = 3  # of each of two labels, without an old probe


@dataclass(frozen=True)
class Refit:
    """A probe that was corrected by labels.

    Args:
        probe: For vectors of the same encoder; labels that users added are further classes.
        used: Number of labelled rows that it was trained on.
        left_out: Number of rows that it was not trained on: rejected ones and, for a probe of one label, rows that have
            several faults.
        judgement: Whether it is better than the one before.
    """

    probe: AnyProbe
    used: int
    left_out: int
    judgement: Judgement


def refit(
    vectors: np.ndarray, metadata: pa.Table, labels: Mapping[int, RowLabel], fingerprint: str, old: AnyProbe | None
) -> Refit:
    """Corrects a probe by labels.

    The old probe is corrected by the labelled rows (see :mod:`.correction`), which does not need the rows that it was
    trained on: an archive does not have them. The index of a probed run has them (rows of split "train" with an
    artifact); where users rejected or relabelled such rows, the probe is first fitted again without them, unless it is
    one of label sets, whose weights are the encoder's own. Without an old probe, a probe of one label is fitted on the
    labelled rows alone.

    Labels have no severity: known severities stay, and a new label has none.

    Args:
        vectors: [N, D] of an index.
        metadata: N rows; source, and artifact, severity and split where the index has them.
        labels: Row number (0..N-1) -> label, from ``Labels.matching(metadata)``.
        fingerprint: Of the encoder of the vectors.
        old: The probe before any label (not that of an earlier refit, which would keep labels that were undone since).

    Raises:
        ParameterError: a row number out of range; rows without a source; no labels to train on; too few labels to train
            a probe without an old one.
        FingerprintError: the old probe is of another encoder.
    """
    if len(vectors) != len(metadata) or any(not 0 <= row < len(metadata) for row in labels):
        raise ParameterError(f"{len(vectors)} vectors, {len(metadata)} rows, and labels of other rows; give an index.")
    if "source" not in metadata.column_names:
        raise ParameterError("the rows have no column 'source', which the evaluation by source needs.")
    if old is not None:
        check_fingerprint(old.fingerprint, fingerprint)
    of_sets = isinstance(old, SetProbe)
    fit = [row for row, label in labels.items() if label.action != REJECT and (of_sets or label.of_one)]
    rows = np.array(sorted(fit), np.int64)
    is_training_row = training_rows(metadata, old)
    changed = np.array([row for row, label in labels.items() if is_training_row[row] and _changes(label)], np.int64)
    if not len(rows) and not (len(changed) and old is not None):
        raise ParameterError("there is nothing to learn from; keep or relabel some rows first.")
    labelled = _Labelled(vectors, metadata, rows, np.array([labels[row].label for row in rows.tolist()], dtype=str))
    base = Base(vectors, metadata, is_training_row, changed, old)
    everything = np.ones(len(rows), bool)
    fitted = _corrected(labelled, base.type(np.zeros(0, np.str_), changed=True), everything)
    probe = fitted if isinstance(fitted, SetProbe) else Probe(fitted, base.severity(), fingerprint)
    before, after = held_out(
        labelled.x, labelled.labels, labelled.sources, base.type, partial(_corrected, labelled), bool(len(changed))
    )
    known = _known(vectors, metadata, labels, old, fitted)
    agreeing = int((_type_of(old).predict(labelled.x) == labelled.labels).sum()) if old and len(rows) else 0
    return Refit(probe, len(rows), len(labels) - len(rows), Judgement(before, after, *known, agreeing))


def _type_of(probe: AnyProbe) -> LinearProbe | SetProbe:
    return probe if isinstance(probe, SetProbe) else probe.type


def _known(
    vectors: np.ndarray, metadata: pa.Table, labels: Mapping[int, RowLabel], old: AnyProbe | None,
    fitted: LinearProbe | SetProbe,
) -> tuple[Figures | None, Figures | None]:  # fmt: skip
    """Figures of the old and the fitted probe on the rows whose artifact is known."""
    if old is None or "artifact" not in metadata.column_names:
        return None, None
    artifact = metadata.column("artifact").to_pylist()
    rows = known_rows(artifact, list(labels))
    truth, x = np.array([artifact[row] for row in rows], str), np.asarray(vectors[rows], np.float32)
    return scores(truth, _type_of(old).predict(x)), scores(truth, fitted.predict(x))


class _Labelled:
    """Labelled rows: vectors x, labels, sources; and a sample of all rows."""

    def __init__(self, vectors: np.ndarray, metadata: pa.Table, rows: np.ndarray, labels: np.ndarray) -> None:
        self.x, self.labels = np.asarray(vectors[rows], np.float32), labels
        self.sources = np.array(metadata.column("source").take(pa.array(rows)).to_pylist(), dtype=str)
        self.sample = np.asarray(vectors[sample_rows(len(vectors))], np.float32)


def _changes(label: RowLabel) -> bool:
    return label.action == REJECT or label.label != label.address["artifact"]


def _corrected(labelled: _Labelled, start: LinearProbe | SetProbe | None, which: np.ndarray) -> LinearProbe | SetProbe:
    """``start`` corrected by the labelled rows where ``which`` is true, or without it a probe fitted on them alone."""
    x, labels, sources = labelled.x[which], labelled.labels[which], labelled.sources[which]
    if start is not None and not len(x):
        return start
    if isinstance(start, SetProbe):
        return corrected_sets(start, labelled.sample, x, labels, sources)
    if start is not None:
        return corrected(start, labelled.sample, x, labels, sources)
    enough = [name for name in np.unique(labels) if len(np.unique(sources[labels == name])) >= FEWEST_SOURCES]
    if len(enough) < 2:
        raise ParameterError(
            f"{len(enough)} labels have rows of {FEWEST_SOURCES} sources or more; without an old probe two such labels "
            "are needed. Label rows of more sources."
        )
    return LinearProbe.fit(x, labels, sources)
