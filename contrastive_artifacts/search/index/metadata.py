"""The metadata of an index: from dicts to a table, and from conditions to a mask over its rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...core.errors import ParameterError
from ...probes.label_sets import SETS, names_of

Where = Mapping[str, Any]


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A table with a column for every key of any row; dicts and lists become JSON text, marked in the column's field.

    Raises:
        ParameterError: rows that are not dicts, or a column of several types.
    """
    if any(not isinstance(row, Mapping) for row in rows):
        raise ParameterError("metadata must be a pyarrow Table or a list of dicts.")
    names = list(dict.fromkeys(str(key) for row in rows for key in row))
    fields, columns = [], []
    for name in names:
        values = [row.get(name) for row in rows]
        values = [value.item() if isinstance(value, np.generic) else value for value in values]
        nested = any(isinstance(value, (dict, list, tuple)) for value in values)
        try:
            if nested:
                values = [None if value is None else json.dumps(value) for value in values]
            column = pa.array(values)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise ParameterError(
                f"metadata column {name!r} cannot be stored ({error}); use one type per key."
            ) from None
        fields.append(pa.field(name, column.type, metadata={"json": "1"} if nested else None))
        columns.append(column)
    return pa.table(columns, schema=pa.schema(fields))


def rows_at(table: pa.Table, positions: np.ndarray) -> list[dict[str, Any]]:
    """The rows at ``positions`` as dicts, JSON columns parsed; a text that is not JSON is returned unchanged."""
    if not table.num_columns:
        return [{} for _ in positions]
    rows: list[dict[str, Any]] = table.take(pa.array(positions, pa.int64())).to_pylist()
    for name in (field.name for field in table.schema if is_json(field)):
        for row in rows:
            row[name] = _unpacked(row[name])
    return rows


def mask_of(table: pa.Table, conditions: Where) -> np.ndarray:
    """Boolean [N]: the rows that match every condition.

    Raises:
        ParameterError: an unknown column, a nested one, or a value that its type cannot be compared with.
    """
    mask = np.ones(table.num_rows, dtype=bool)
    for name, value in conditions.items():
        if name not in table.column_names:
            known = ", ".join(table.column_names) or "none"
            raise ParameterError(f"the index has no metadata column {name!r}; its columns: {known}.")
        mask &= _matches(table.schema.field(name), table.column(name), value)
    return mask


def _matches(field: pa.Field, column: pa.ChunkedArray, value: Any) -> np.ndarray:
    kind = field.type
    if is_json(field) or pa.types.is_nested(kind):
        raise ParameterError(f"metadata column {field.name!r} holds nested values; filter by a plain column.")
    try:
        if isinstance(value, tuple):
            if len(value) != 2 or not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
                raise ParameterError(
                    f"{field.name!r}: {value!r} is not a range; a tuple is (low, high) on a column of numbers ({kind}) "
                    "and a list means any of its values."
                )
            # The bounds are rounded as the column is, so that 0.6 is within (0, 0.6) in float32 too.
            low, high = (as_stored(bound, kind) if pa.types.is_floating(kind) else bound for bound in value)
            result = pc.and_(pc.greater_equal(column, low), pc.less_equal(column, high))
        else:
            values = value if isinstance(value, (list, set, frozenset)) else [value]
            texts = field.name in SETS and pa.types.is_string(kind)
            asked = _with_sets(column, values) if texts else values
            result = pc.is_in(column, value_set=pa.array([as_stored(item, kind) for item in asked], kind))
    except (pa.ArrowException, TypeError, ValueError) as error:
        if isinstance(error, ParameterError):
            raise
        raise ParameterError(
            f"{field.name!r}: {value!r} cannot be compared with a column of {kind} ({error})."
        ) from None
    return np.asarray(pc.fill_null(result, False).to_numpy(), dtype=bool)


def _with_sets(column: pa.ChunkedArray, asked: Iterable[Any]) -> list[Any]:
    """The values that are asked for, and those of a column of label sets that hold one of them."""
    asked = list(asked)
    return asked + [text for text in column.unique().to_pylist() if any(name in asked for name in names_of(text or ""))]


def as_stored(value: Any, kind: pa.DataType) -> Any:
    """``value`` as the column stores it; a column of integers accepts floats without a fraction."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bool) and not pa.types.is_boolean(kind):
        raise ParameterError(f"{value!r} is not a value of a column of {kind}.")
    return pa.scalar(value).cast(kind, safe=not pa.types.is_floating(kind)).as_py()


def _unpacked(text: Any) -> Any:
    try:
        return None if text is None else json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return text


def is_json(field: pa.Field) -> bool:
    return bool(field.metadata and field.metadata.get(b"json") == b"1")
