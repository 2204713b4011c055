"""Searches in a collection, with hits as JSON for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ...core.errors import ParameterError
from ...probes.label_sets import names_of
from ...search import retrieval
from ...search.index import Index
from ...search.retrieval import SpanHit
from .collection import ROW, Collection
from .columns import MIX
from .layout import NEAREST, among
from .tables import with_columns

Hits = list[dict[str, Any]]
_MOST = 500  # hits of one search


class Search:
    """Searches by rows, labels and vectors; windows that overlap are joined to one hit."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self._labelled: tuple[Index, Mapping[int, Any], Index] | None = None

    def neighbours(self, row: int, k: int, others: bool, shown: np.ndarray | None = None) -> Hits:
        """Hits similar to a row, without the row itself and, with ``others``, without its source."""
        return self.rows([row], [], k, None, others, shown)

    def rows(
        self, like: Sequence[int], unlike: Sequence[int], k: int, where: Mapping[str, Any] | None, others: bool,
        shown: np.ndarray | None = None,
    ) -> Hits:  # fmt: skip
        """Hits similar to the mean of some rows and not to that of others; the rows themselves are excluded.

        Args:
            like: Rows to search by.
            unlike: Rows to avoid; may be empty.
            k: Number of hits.
            where: Column of the page -> values, or [lowest, highest] for a column of numbers. Where rows have several
                names, those with any of the values.
            others: Exclude the sources of ``like``.
            shown: Rows that may be hits; all if not given.

        Raises:
            ParameterError: no rows, rows that cancel out, or a condition that does not fit its column.
        """
        vectors = self.collection.index.vectors()
        vector = retrieval.mean_of([np.array(vectors[row]) for row in like])
        if unlike:
            vector = retrieval.unlike(vector, retrieval.mean_of([np.array(vectors[row]) for row in unlike]))
        sources = {self.collection.facts(row).get("source") for row in like} - {None}
        if others and sources:
            exclude: dict[str, Any] = {"source": sorted(sources)}
        else:
            exclude = {ROW: sorted({near for row in [*like, *unlike] for near in self._overlapping(row)})}
        return self.vector(vector, k, where, exclude, sources, shown)

    def label(self, label: str, k: int, shown: np.ndarray | None = None) -> Hits:
        """Hits similar to the rows that have a label, alone or among others: rendered or found, else given by users.

        Raises:
            ParameterError: no row has this label; the message lists the labels in use.
        """
        labelled = [row for row, of_user in self.collection.user_labels.items() if label in names_of(of_user.label)]
        try:
            vector = retrieval.of_label(self.collection.index, label)
        except ParameterError:
            if not labelled:
                raise
            vector = retrieval.mean_of(np.array(self.collection.index.vectors()[sorted(labelled)]))
        return self.vector(vector, k, shown=shown)

    def vector(
        self,
        vector: np.ndarray,
        k: int,
        where: Mapping[str, Any] | None = None,
        exclude: Mapping[str, Any] | None = None,
        sources: set[Any] | None = None,
        shown: np.ndarray | None = None,
    ) -> Hits:
        """Hits nearest to a vector [D]; those of ``sources`` are marked as of the same source.

        With ``shown``, only these rows are hits.
        """
        if not 1 <= k <= _MOST:
            raise ParameterError(f"k is {k}; ask for 1 to {_MOST} hits.")
        index = self._table(where or {})
        conditions = {name: self._condition(name, values) for name, values in (where or {}).items()}
        if shown is not None:
            if not len(shown):
                return []
            conditions[ROW] = shown.tolist()
        spans = retrieval.retrieve(index, vector, k, conditions or None, exclude or None)
        return [self._hit(span, sources or set()) for span in spans]

    def place(self, vector: np.ndarray) -> tuple[float, float]:
        """Position of a vector [D] on the map: between the rows most similar to it."""
        hits = self.collection.index.search(vector, min(NEAREST, len(self.collection)))
        points = self.collection.layout.points[[hit.metadata[ROW] for hit in hits]]
        x, y = among(np.array([[hit.score for hit in hits]], np.float32), points[None])[0]
        return float(x), float(y)

    def _overlapping(self, row: int) -> list[int]:
        span = self.collection.span(row)
        return self.collection.overlapping(row, span.start, span.stop)

    def _hit(self, span: SpanHit, sources: set[Any]) -> dict[str, Any]:
        facts, row = span.metadata, int(span.metadata[ROW])
        label = self.collection.label_of(row, facts)
        return {
            "row": row,
            "score": round(span.score, 6),
            "name": span.name,
            "time": span.time,
            "title": title_of(label, facts),
            "label": label,
            "severity": _severity(label, facts),
            "same_source": facts.get("source") in sources,
        }

    def _condition(self, name: str, values: Any) -> Any:
        column = self.collection.columns.get(name)
        if column is None:
            known = ", ".join(sorted(self.collection.columns))
            raise ParameterError(f"There is no column {name!r} to filter by; the columns are {known}.")
        if not isinstance(values, list) or not values:
            raise ParameterError(f"{name!r}: give a list of values, or [lowest, highest] for numbers.")
        if column.ends is not None:
            if len(values) != 2 or not all(isinstance(v, int | float) and abs(v) < 1e9 for v in values):
                raise ParameterError(f"{name!r} holds numbers: give [lowest, highest], not {values!r}.")
            return tuple(float(v) for v in values)
        if not all(v is None or isinstance(v, str) for v in values):
            raise ParameterError(f"{name!r} holds texts; give texts, not {values!r}.")
        if name == "channel":
            return [None if v == MIX else int(v) - 1 for v in values if v == MIX or v in column.values]
        return values

    def _table(self, where: Mapping[str, Any]) -> Index:
        """The index with the columns that the conditions need; its own table has no user labels."""
        index, user_labels = self.collection.index, self.collection.user_labels
        if not {"label", "decision"} & set(where):
            return index
        if self._labelled is None or self._labelled[0] is not index or self._labelled[1] is not user_labels:
            columns = {}
            for name in ("label", "decision"):
                column = self.collection.columns[name]
                codes = pa.array(np.frombuffer(column.data, "<u2").astype(np.int32))
                columns[name] = pa.DictionaryArray.from_arrays(codes, pa.array(column.values)).cast(pa.string())
            self._labelled = (index, user_labels, with_columns(index, **columns))
        return self._labelled[2]


def title_of(label: str, facts: Mapping[str, Any]) -> str:
    """The label of a row, with its severity if that is known."""
    severity = _severity(label, facts)
    if not label:
        return "no verdict"
    return label if severity is None else f"{label}, severity {severity:.2f}"


def _severity(label: str, facts: Mapping[str, Any]) -> float | None:
    """Severity of a row with a label, if the label is the artifact that was rendered or heard."""
    rendered = facts.get("artifact")
    severity = facts.get("severity") if rendered else facts.get("heard_severity")
    return severity or None if label == (rendered or facts.get("heard")) and label != "clean" else None
