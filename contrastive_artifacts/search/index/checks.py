"""Checks of what an index is built from and searched with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from ...core.errors import ParameterError
from ...core.vectors import unit_rows
from .metadata import table_of

ID = "_id"  # the metadata column that ties a row to its vector
MAX_DIM = 1 << 16
Metadata: TypeAlias = "Sequence[Mapping[str, Any]] | pa.Table"
Ids: TypeAlias = "Sequence[int] | np.ndarray"
_BLOCK = 1 << 16  # rows that are normalised at a time


def check_rows(vectors: np.ndarray, metadata: Metadata, dim: int | None = None) -> tuple[np.ndarray, pa.Table]:
    """Normalised vectors and the table of their metadata.

    Raises:
        ParameterError: shapes, counts or values that do not fit.
    """
    unit = check_vectors(vectors, dim)
    table = metadata if isinstance(metadata, pa.Table) else table_of(metadata)
    if len(metadata) != len(unit):
        raise ParameterError(f"{len(unit)} vectors but {len(metadata)} rows of metadata; give one row per vector.")
    if ID in table.column_names:
        raise ParameterError(f"the metadata has a column {ID!r}, which the index keeps its ids in; rename it.")
    return unit, table


def check_vectors(vectors: Any, dim: int | None = None) -> np.ndarray:
    """Validated, L2-normalised float32 [N, D].

    Raises:
        ParameterError: a wrong shape, a value that is not finite, a vector of length zero.
    """
    try:
        rows = np.asarray(vectors, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"vectors cannot be read as numbers ({error}); give float32 [N, D].") from None
    if rows.ndim != 2 or not 1 <= rows.shape[1] <= MAX_DIM or (dim is not None and rows.shape[1] != dim):
        raise ParameterError(f"vectors has shape {rows.shape}; expected [N, {'D' if dim is None else dim}].")
    unit = np.empty(rows.shape, np.float32)
    for start in range(0, len(rows), _BLOCK):  # the rows may be mapped: memory holds the result and one block
        block = rows[start : start + _BLOCK]
        _check_values(block, start)
        # Divided by the largest value first, so that no square over- or underflows.
        unit[start : start + _BLOCK] = unit_rows(block / np.abs(block).max(axis=1, keepdims=True))
    return unit


def _check_values(block: np.ndarray, start: int) -> None:
    bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
    if len(bad):
        raise ParameterError(
            f"vectors: {len(bad)} rows hold NaN or infinity, the first is row {start + bad[0]}; drop them."
        )
    zero = np.flatnonzero(~block.any(axis=1))
    if len(zero):
        raise ParameterError(
            f"vectors: {len(zero)} rows have length zero, the first is row {start + zero[0]}; drop them."
        )


def check_ids(ids: Ids | None, count: int, first: int = 0) -> np.ndarray:
    """``ids`` as int64 [count]; from ``first`` on where none are given.

    Raises:
        ParameterError: another number of ids, one that stands twice, or one beyond int64.
    """
    if ids is None:
        if first + count > np.iinfo(np.int64).max:
            raise ParameterError(f"no ids are left after {first - 1}; give ids= of your own.")
        return np.arange(first, first + count, dtype=np.int64)
    checked = np.asarray(ids)
    if checked.shape != (count,) or (count and checked.dtype.kind not in "iu"):
        raise ParameterError(f"ids have shape {checked.shape} and type {checked.dtype}; give {count} whole numbers.")
    if checked.dtype.kind == "u" and count and int(checked.max()) > np.iinfo(np.int64).max:
        raise ParameterError(f"the id {checked.max()} does not fit into 64 bits with a sign.")
    unique, counts = np.unique(checked, return_counts=True)
    if len(unique) < count:
        raise ParameterError(f"the id {unique[counts > 1][0]} stands twice; every row needs one of its own.")
    return checked.astype(np.int64)


def check_disjoint(ids: np.ndarray) -> None:
    """Checks that no id of several shards stands twice.

    Raises:
        ParameterError: one does.
    """
    unique, counts = np.unique(ids, return_counts=True)
    if len(unique) < len(ids):
        raise ParameterError(
            f"{len(ids) - len(unique)} ids stand twice, the first is {unique[counts > 1][0]}; build the shards "
            "with ids= of their own (hashes of what the rows are), or remove the rows from one shard."
        )


def check_fingerprint(fingerprint: Any) -> None:
    """Checks that a fingerprint is a text.

    Raises:
        ParameterError: it is not, or is empty.
    """
    if not isinstance(fingerprint, str) or not fingerprint:
        raise ParameterError(f"fingerprint is {fingerprint!r}; give the fingerprint of the encoder, a text.")


def check_k(k: Any) -> None:
    """Checks a number of hits.

    Raises:
        ParameterError: it is not a whole number, or less than 1.
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ParameterError(f"k is {k!r}; give a whole number of at least 1.")
