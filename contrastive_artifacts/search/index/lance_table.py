"""Access to LanceDB: the package is imported here, and only when an index of kind "lance" is asked for.

https://lancedb.github.io/lancedb: a table is a folder of immutable files; each write is a new version, committed by one
rename (or a conditional put in an object store), so a reader has the old version or the new one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...core.errors import ArtifactsError, ParameterError, StorageError
from ...core.lock import locked
from .checks import ID

VECTOR = "_vector"
NAME = "index"  # of the table; its folder is index.lance
BATCH = 1 << 16  # rows in memory at a time
_RECORD = "contrastive_artifacts"  # key in the metadata of the vector column
_KEPT = timedelta(days=1)  # old versions stay so long for those who read them


def connected(location: str) -> Any:
    """A connection to a folder or an address.

    Raises:
        ParameterError: LanceDB is not installed.
    """
    os.environ.setdefault("LANCE_LOG", "error")
    try:
        import lancedb
    except ImportError as error:
        raise ParameterError(
            f"An index of kind 'lance' needs {error.name}: pip install 'contrastive-artifacts[lance]', "
            "or leave out the kind."
        ) from error
    return lancedb.connect(location)


@contextmanager
def errors_of(location: str) -> Iterator[None]:
    """Inside the block, whatever LanceDB raises becomes a StorageError that names the index."""
    try:
        yield
    except ArtifactsError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # of Rust
            raise
        text = " ".join(str(error).split(", /root/")[0].split())[:300]
        raise StorageError(f"{location} cannot be read or written by LanceDB ({text}).") from error


def lock_of(location: str, purpose: str) -> Any:
    """The lock of a local folder; in an object store LanceDB itself refuses one of two commits that do not fit."""
    return nullcontext() if "://" in location else locked(Path(location), purpose)


def open_table(location: str) -> tuple[Any, dict[str, Any]]:
    """The latest version of the table, and the record of the index.

    Raises:
        StorageError: there is none, or it was not written by this package.
    """
    connection = connected(location)
    with errors_of(location):
        table = connection.open_table(NAME)
        table.checkout(table.version)
        fields = {field.name: field for field in table.schema}
        text = (fields[VECTOR].metadata or {}).get(_RECORD.encode(), b"null") if VECTOR in fields else b"null"
        record = json.loads(text)
    vector = fields.get(VECTOR)
    fits = vector is not None and pa.types.is_fixed_size_list(vector.type) and fields.get(ID, vector).type == pa.int64()
    texts = isinstance(record, dict) and isinstance(record.get("fingerprint"), str)
    if not (fits and texts and _fits(record)):
        raise StorageError(f"{location} holds a table that is no index of this package; build the index again.")
    return table, record


def _fits(record: dict[str, Any]) -> bool:
    recall, probes, candidates = (record.get(name) for name in ("recall_at_10", "probes", "candidates"))
    counts = type(probes) is int and probes >= 0 and type(candidates) is int and candidates >= 1
    return isinstance(recall, (int, float)) and 0 <= recall <= 1 and counts


def create_table(location: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Any:
    """Writes a table of these batches in the place of an earlier one."""
    return connected(location).create_table(NAME, iter(batches), schema=schema, mode="overwrite")


def write_record(table: Any, record: dict[str, Any]) -> None:
    """Stores the record of the index in the metadata of the vector column, as one commit."""
    table.update_field_metadata({"path": VECTOR, "metadata": {_RECORD: json.dumps(record)}, "replace": True})


def schema_with(schema: pa.Schema, record: dict[str, Any]) -> pa.Schema:
    """The schema with the record of the index in its vector column."""
    at = schema.get_field_index(VECTOR)
    return schema.set(at, schema.field(at).with_metadata({_RECORD: json.dumps(record)}))


def batches_of(unit: np.ndarray, ids: np.ndarray, table: pa.Table, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Rows in order of their ids, as batches of a table of LanceDB."""
    order = np.argsort(ids, kind="stable")
    for start in range(0, len(ids), BATCH):
        rows = order[start : start + BATCH]
        taken = table.take(pa.array(rows, pa.int64())) if table.num_columns else table
        columns = {ID: pa.array(ids[rows]), VECTOR: flat_vectors(unit[rows])}
        columns |= {name: taken.column(name).combine_chunks() for name in taken.column_names}
        present = [columns.get(field.name, pa.nulls(len(rows), field.type)) for field in schema]
        cast = [column.cast(field.type) for column, field in zip(present, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(cast, schema=schema)


def flat_vectors(rows: np.ndarray) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(rows).reshape(-1)), rows.shape[1])


def vectors_in(column: pa.ChunkedArray | pa.Array, dim: int, location: str) -> np.ndarray:
    """float32 [n, D] of a vector column.

    Raises:
        StorageError: a vector is not of length one: LanceDB stores no checksums, so this is where damage shows.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    vectors = np.asarray(array.flatten().to_numpy(zero_copy_only=False), np.float32).reshape(-1, dim)
    lengths = np.einsum("nd,nd->n", vectors, vectors)
    if len(vectors) != len(array) or not (np.abs(lengths - 1.0) < 1e-3).all():
        raise StorageError(f"{location} holds vectors that are not of length one; build the index again.")
    return vectors


def tidy(table: Any) -> None:
    """Joins small files, brings new rows into the vector index and removes versions that are a day old."""
    table.optimize(cleanup_older_than=_KEPT)
