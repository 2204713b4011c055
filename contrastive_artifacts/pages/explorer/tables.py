"""The metadata table of an index: added columns, and the order of its rows in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...search.index import Index


def is_rendered(facts: Mapping[str, Any]) -> bool:
    """Whether a row is a rendered view of a clip; otherwise it is a window of a recording."""
    return facts.get("params") not in (None, "", "{}", {})


def any_rendered(table: pa.Table) -> bool:
    """Whether a table has rendered views."""
    return "params" in table.column_names and not pc.all(_as_is(table)).as_py()


def with_columns(index: Index, **columns: pa.Array) -> Index:
    """A copy of an index with columns added to its table or replaced; the vectors are shared."""
    table = index.metadata.drop_columns([name for name in columns if name in index.metadata.column_names])
    for name, values in columns.items():
        table = table.append_column(name, values)
    return index.with_metadata(table)


def times(table: pa.Table) -> pa.Array:
    """Where each row begins in its recording, in seconds, float32 [N]."""
    return pc.divide(table.column("start").cast(pa.float64()), table.column("sample_rate")).cast(pa.float32())


def in_time(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """The previous and the next row of each row in its recording, int64 [N]; -1 for none and for rendered views."""

    def codes(name: str) -> np.ndarray:
        if name not in table.column_names:
            return np.zeros(len(table), np.int32)
        column = table.column(name).combine_chunks()
        return np.asarray(pc.fill_null(pc.dictionary_encode(column).indices, -1).to_numpy(zero_copy_only=False))

    keys = [codes(name) for name in ("corpus", "clip", "channel")]
    start = table.column("start").to_numpy()
    order = np.lexsort((start, *keys))
    same = np.logical_and.reduce([key[order][1:] == key[order][:-1] for key in keys])
    if "params" in table.column_names:
        as_is = np.asarray(_as_is(table).to_numpy())[order]
        same &= as_is[1:] & as_is[:-1]
    before, after = np.full(len(table), -1, np.int64), np.full(len(table), -1, np.int64)
    before[order[1:][same]], after[order[:-1][same]] = order[:-1][same], order[1:][same]
    return before, after


def _as_is(table: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(table.column("params").cast(pa.string()), value_set=pa.array(["", "{}", None], pa.string()))
