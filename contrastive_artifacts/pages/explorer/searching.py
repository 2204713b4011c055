"""Searches over a collection, answered as rows for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ...core.errors import ParameterError
from ...search import retrieval
from ...search.index import Index
from ...search.retrieval import SpanHit
from .collection import ROW, Collection
from .columns import MIX
from .layout import NEAREST, among
from .tables import with_columns

Hits = list[dict[str, Any]]
_MOST = 500  # spans of one search


class Search:
    """Finds rows by rows, labels and vectors; spans that overlap are one hit."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self._labelled: tuple[Index, Mapping[int, Any], Index] | None = None

    def neighbours(self, row: int, k: int, others: bool) -> Hits:
        """What sounds like a row, without itself and, with ``others``, without its source."""
        return self.rows([row], [], k, None, others)

    def rows(
        self, like: Sequence[int], unlike: Sequence[int], k: int, where: Mapping[str, Any] | None, others: bool
    ) -> Hits:
        """What is like the mean of some rows and unlike that of others; none of the rows themselves.

        Args:
            where: Column of the page -> values, or [lowest, highest] for a column of numbers.
            others: Leave the sources of ``like`` out.

        Raises:
            ParameterError: no rows, rows that cancel out, or a condition that does not fit.
        """
        vectors = self.collection.index.vectors()
        vector = retrieval.mean_of([np.array(vectors[row]) for row in like])
        if unlike:
            vector = retrieval.unlike(vector, retrieval.mean_of([np.array(vectors[row]) for row in unlike]))
        sources = {self.collection.facts(row).get("source") for row in like} - {None}
        if others and sources:
            left_out: dict[str, Any] = {"source": sorted(sources)}
        else:
            left_out = {ROW: sorted({near for row in [*like, *unlike] for near in self._around(row)})}
        return self.vector(vector, k, where, left_out, sources)

    def label(self, label: str, k: int) -> Hits:
        """What sounds like the rows of a label: as people said, as known, or as heard.

        Raises:
            ParameterError: no row has it; the message lists the labels that there are.
        """
        said = [row for row, one in self.collection.said.items() if one.label == label]
        try:
            vector = retrieval.of_label(self.collection.index, label)
        except ParameterError:
            if not said:
                raise
            vector = retrieval.mean_of(np.array(self.collection.index.vectors()[sorted(said)]))
        return self.vector(vector, k)

    def vector(
        self,
        vector: np.ndarray,
        k: int,
        where: Mapping[str, Any] | None = None,
        left_out: Mapping[str, Any] | None = None,
        sources: set[Any] | None = None,
    ) -> Hits:
        """What lies nearest to a vector [D]; ``sources`` are those that count as the same one."""
        if not 1 <= k <= _MOST:
            raise ParameterError(f"k is {k}; ask for 1 to {_MOST} hits.")
        index = self._table(where or {})
        conditions = {name: self._condition(name, values) for name, values in (where or {}).items()}
        found = retrieval.retrieve(index, vector, k, conditions or None, left_out or None)
        return [self._hit(span, sources or set()) for span in found]

    def place(self, vector: np.ndarray) -> tuple[float, float]:
        """Where a vector [D] would lie on the map: among the rows that it is most similar to."""
        hits = self.collection.index.search(vector, min(NEAREST, len(self.collection)))
        points = self.collection.layout.points[[hit.metadata[ROW] for hit in hits]]
        x, y = among(np.array([[hit.score for hit in hits]], np.float32), points[None])[0]
        return float(x), float(y)

    def _around(self, row: int) -> list[int]:
        found = self.collection.found(row)
        return self.collection.overlapping(row, found.start, found.stop)

    def _hit(self, span: SpanHit, sources: set[Any]) -> dict[str, Any]:
        facts, row = span.metadata, int(span.metadata[ROW])
        label = self.collection.shown(row, facts)
        return {
            "row": row,
            "score": round(span.score, 6),
            "name": span.name,
            "time": span.time,
            "title": title_of(label, facts),
            "label": label,
            "same_source": facts.get("source") in sources,
        }

    def _condition(self, name: str, values: Any) -> Any:
        column = self.collection.columns.get(name)
        if column is None:
            known = ", ".join(sorted(self.collection.columns))
            raise ParameterError(f"There is no column {name!r} to filter by; there are {known}.")
        if not isinstance(values, list) or not values:
            raise ParameterError(f"{name!r}: give a list of values, or [lowest, highest] for numbers.")
        if column.ends is not None:
            if len(values) != 2 or not all(isinstance(v, int | float) and abs(v) < 1e9 for v in values):
                raise ParameterError(f"{name!r} holds numbers: give [lowest, highest], not {values!r}.")
            return tuple(float(v) for v in values)
        if not all(v is None or isinstance(v, str) for v in values):
            raise ParameterError(f"{name!r} holds texts; {values!r} has something else.")
        if name == "channel":
            return [None if v == MIX else int(v) - 1 for v in values if v == MIX or v in column.values]
        return values

    def _table(self, where: Mapping[str, Any]) -> Index:
        """The index with the columns that the conditions need: what people said is not in its own table."""
        index, said = self.collection.index, self.collection.said
        if not {"label", "decision"} & set(where):
            return index
        if self._labelled is None or self._labelled[0] is not index or self._labelled[1] is not said:
            columns = {}
            for name in ("label", "decision"):
                column = self.collection.columns[name]
                codes = pa.array(np.frombuffer(column.data, "<u2").astype(np.int32))
                columns[name] = pa.DictionaryArray.from_arrays(codes, pa.array(column.values)).cast(pa.string())
            self._labelled = (index, said, with_columns(index, **columns))
        return self._labelled[2]


def title_of(label: str, facts: Mapping[str, Any]) -> str:
    """The label of a row with the severity that belongs to it."""
    severity = facts.get("severity") if facts.get("artifact") else facts.get("heard_severity")
    own = facts.get("artifact") or facts.get("heard")
    if not label:
        return "no verdict"
    return f"{label} {severity:.2f}" if severity and label == own and label != "clean" else label
