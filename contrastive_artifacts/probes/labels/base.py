"""The probe that labels correct, without the sources or rows that it must not know."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .. import AnyProbe, Embedded, LinearProbe, SetProbe, SeverityProbe
from ..bundle import severity_probes, type_rows


class Base:
    """A probe before labels; one of one label is fitted again without some sources where it was trained on them.

    Args:
        vectors: [N, D] of an index.
        metadata: N rows.
        is_training: Boolean [N], see :func:`training_rows`.
        changed: Numbers of the training rows that users rejected or relabelled.
        old: The probe; None where there is none.
    """

    def __init__(
        self, vectors: np.ndarray, metadata: pa.Table, is_training: np.ndarray, changed: np.ndarray,
        old: AnyProbe | None,
    ) -> None:  # fmt: skip
        self.old, self.changed = old, changed
        self._vectors, self._metadata, self._rows = vectors, metadata, np.flatnonzero(is_training)
        self._sources = np.array(metadata.column("source").take(pa.array(self._rows)).to_pylist(), dtype=str)

    def type(self, without: np.ndarray, changed: bool) -> LinearProbe | SetProbe | None:
        """The classifier without the sources ``without``; with ``changed``, also without the rows that users changed.

        Raises:
            ParameterError: fewer than two classes remain.
        """
        if self.old is None or isinstance(self.old, SetProbe):
            return self.old
        excluded = np.isin(self._sources, without) | (np.isin(self._rows, self.changed) if changed else False)
        if not excluded.any():
            return self.old.type
        train = self._train(~excluded)
        labels, rows = type_rows(train)
        return self.old.type.again(train.x[rows], labels[rows])

    def severity(self) -> dict[str, SeverityProbe]:
        """The severity probes of a probe of one label, fitted without the rows that users changed."""
        if self.old is None or isinstance(self.old, SetProbe):
            return {}
        if not len(self.changed):
            return self.old.severity
        return severity_probes(self._train(~np.isin(self._rows, self.changed)))

    def _train(self, which: np.ndarray) -> Embedded:
        rows = self._rows[which]
        columns = self._metadata.select(["artifact", "severity"]).take(pa.array(rows))
        artifact, severity = (columns.column(name).to_numpy() for name in ("artifact", "severity"))
        return Embedded(np.asarray(self._vectors[rows], np.float32), artifact, severity, self._sources[which])


def training_rows(metadata: pa.Table, probe: AnyProbe | None) -> np.ndarray:
    """Boolean [N]: rows that the probe of a run was trained on; none for one of label sets, which no rows train."""
    if isinstance(probe, SetProbe) or not {"artifact", "split", "severity"} <= set(metadata.column_names):
        return np.zeros(len(metadata), bool)
    rows = pc.and_(pc.not_equal(metadata.column("artifact"), ""), pc.equal(metadata.column("split"), "train"))
    return np.asarray(pc.fill_null(rows, False).to_numpy(), bool)
