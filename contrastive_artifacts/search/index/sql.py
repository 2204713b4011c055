"""Conditions on metadata as SQL, for engines that filter by themselves; they match what :func:`.mask_of` matches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa

from ...core.errors import ParameterError
from ...probes.label_sets import SEPARATOR, SETS
from .metadata import Where, as_stored, is_json

_LEAST = np.iinfo(np.int64).min


def sql_of(schema: pa.Schema, where: Where | None, exclude: Where | None = None) -> str | None:
    """A filter for rows that match ``where`` and not ``exclude``; None where all rows pass.

    Raises:
        ParameterError: an unknown column, a nested one, or a value that its type cannot be compared with.
    """
    parts = [_condition(schema, name, value) for name, value in (where or {}).items()]
    if exclude:
        parts.append(f"(({' AND '.join(_condition(schema, n, v) for n, v in exclude.items())}) IS NOT TRUE)")
    return " AND ".join(parts) or None


def ids_in(column: str, ids: np.ndarray) -> str:
    """A filter for rows with one of these ids."""
    return f"`{column}` IN ({', '.join(map(_literal, ids.tolist()))})" if len(ids) else "false"


def _condition(schema: pa.Schema, name: str, value: Any) -> str:
    if name not in schema.names:
        known = ", ".join(schema.names) or "none"
        raise ParameterError(f"the index has no metadata column {name!r}; its columns: {known}.")
    field = schema.field(name)
    if is_json(field) or pa.types.is_nested(field.type):
        raise ParameterError(f"metadata column {name!r} holds nested values; filter by a plain column.")
    column = f"`{name.replace('`', '``')}`"
    try:
        if isinstance(value, tuple):
            return _range(column, name, field.type, value)
        values = list(value) if isinstance(value, (list, set, frozenset)) else [value]
        stored = [as_stored(item, field.type) for item in values]
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, ParameterError):
            raise
        raise ParameterError(
            f"{name!r}: {value!r} cannot be compared with a column of {field.type} ({error})."
        ) from None
    options = [f"{column} IS NULL"] if None in stored else []
    literals = [_literal(item) for item in stored if item is not None]
    if literals:
        options.append(f"{column} IN ({', '.join(literals)})")
        if name in SETS and pa.types.is_string(field.type):
            options += [f"array_has(string_to_array({column}, '{SEPARATOR}'), {literal})" for literal in literals]
    return f"({' OR '.join(options)})" if options else "false"


def _range(column: str, name: str, kind: pa.DataType, value: tuple[Any, ...]) -> str:
    if len(value) != 2 or not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise ParameterError(
            f"{name!r}: {value!r} is not a range; a tuple is (low, high) on a column of numbers ({kind}) "
            "and a list means any of its values."
        )
    low, high = (float(bound) if not isinstance(bound, (int, np.integer)) else int(bound) for bound in value)
    if pa.types.is_integer(kind):
        low, high = (math.ceil(low), math.floor(high)) if math.isfinite(low) and math.isfinite(high) else (low, high)
    else:  # the bounds are rounded as the column is, so that 0.6 is within (0, 0.6) in float32 too
        low, high = as_stored(low, kind), as_stored(high, kind)
    limits = [(">=", low), ("<=", high)]
    if (
        any(isinstance(bound, float) and math.isnan(bound) for _, bound in limits)
        or low == math.inf
        or high == -math.inf
    ):
        return "false"
    finite = [f"{column} {sign} {_literal(bound)}" for sign, bound in limits if math.isfinite(bound)]
    return f"({' AND '.join(finite or [f'{column} IS NOT NULL'])})"


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        quoted = value.replace("'", "''")
        return f"'{quoted}'"
    if value == _LEAST:
        return f"({_LEAST + 1} - 1)"  # the parser takes the sign for an operator and 2 ** 63 does not fit
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    raise ParameterError(f"{value!r} cannot be written in SQL; filter by texts, whole or finite numbers.")
