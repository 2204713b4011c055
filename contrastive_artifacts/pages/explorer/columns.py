"""Metadata columns as a page receives them: codes of two bytes for categories, float32 for numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...probes import CHANCE
from ...probes.label_sets import SETS

MISSING = 65535  # code of a row without a value
MOST_VALUES = MISSING - 1
CATEGORIES = ("artifact", "source", "corpus", "category", "split", "heard", "present", "channel")
TIME = "time_s"  # where a row begins in its recording
NUMBERS = ("severity", "heard_severity", "heard_probability", TIME)
MIX = "mix"  # channel of a row whose channels were embedded as one mix


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        name: As in the index.
        data: uint16 [N], codes of a category (places in ``values``), or float32 [N], NaN for missing; little-endian.
        values: Of a category; empty for numbers.
        ends: Smallest and largest number; None for a category.
        distinct: Number of values of a category with more than MOST_VALUES; it has no data and cannot colour the map.
    """

    name: str
    data: bytes
    values: tuple[str, ...] = ()
    ends: tuple[float, float] | None = None
    distinct: int = 0

    def about(self) -> dict[str, Any]:
        """Everything but the data, as plain JSON."""
        if self.distinct:
            return {"name": self.name, "kind": "many", "distinct": self.distinct}
        if self.ends is not None:
            return {"name": self.name, "kind": "number", "low": self.ends[0], "high": self.ends[1]}
        return {"name": self.name, "kind": "category", "values": list(self.values), "sets": self.name in SETS}


def columns_of(table: pa.Table, first: Sequence[str]) -> dict[str, Column]:
    """The columns of an index that can colour the map: those with more than one value.

    Args:
        first: Values that come first, in this order, if they occur; the others follow by name.
    """
    columns = [category(name, _texts(table, name), first) for name in CATEGORIES if name in table.column_names]
    chances = [name for name in table.column_names if name.startswith(CHANCE)]
    columns += [_number(name, table.column(name)) for name in (*NUMBERS, *chances) if name in table.column_names]
    return {column.name: column for column in columns if column is not None}


def category(name: str, values: pa.Array | pa.ChunkedArray, first: Sequence[str] = ()) -> Column | None:
    """A column of texts; None if it holds a single value only, without data if two bytes cannot number its values."""
    encoded = pc.dictionary_encode(values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values)
    texts = [str(text) for text in encoded.dictionary.to_pylist()]
    if len(texts) + (encoded.null_count > 0) < 2:
        return None
    if len(texts) > MOST_VALUES:
        return Column(name, b"", distinct=len(texts))
    rank = {text: place for place, text in enumerate(first)}
    order = sorted(range(len(texts)), key=lambda n: (rank.get(texts[n], len(rank)), texts[n]))
    codes = np.empty(len(texts) + 1, np.uint16)
    codes[order] = np.arange(len(texts))
    codes[-1] = MISSING
    places = pc.fill_null(encoded.indices, len(texts)).to_numpy(zero_copy_only=False)
    return Column(name, codes[places].astype("<u2").tobytes(), tuple(texts[n] for n in order))


def coded(name: str, codes: np.ndarray, values: Sequence[str]) -> Column:
    """A column of a category whose codes are given."""
    return Column(name, codes.astype("<u2").tobytes(), tuple(values))


def _number(name: str, values: pa.ChunkedArray) -> Column | None:
    if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type)):
        return None
    data = values.cast(pa.float32()).to_numpy()  # missing becomes NaN
    data = np.where(np.isfinite(data), data, np.nan).astype("<f4")
    known = data[~np.isnan(data)]
    if not len(known) or known.min() == known.max():
        return None
    return Column(name, data.tobytes(), ends=(float(known.min()), float(known.max())))


def _texts(table: pa.Table, name: str) -> pa.ChunkedArray:
    values = table.column(name)
    if name == "channel":
        shown = pc.add(values, 1) if pa.types.is_integer(values.type) else values  # shown to users, who count from 1
        return pc.fill_null(shown.cast(pa.string()), MIX)
    return values.cast(pa.string())
