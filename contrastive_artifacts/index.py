"""Exact similarity search over embeddings, with metadata to filter by: FAISS for vectors, Parquet for the rest.

Vectors are L2-normalised on the way in, so that the inner product is the cosine; the search is exhaustive
(``IndexFlatIP`` under ``IndexIDMap2``), hence exact, and equal scores come in the order of their ids.
A directory holds ``index.faiss``, ``metadata.parquet`` and ``index.json``, which is written last and names the size and
SHA-256 of the other two: a build that was interrupted, or a file that was altered, is refused when the index is opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .errors import FingerprintError, ParameterError, StorageError
from .files import atomic_path, read_json, sha256, write_json

VERSION = 1
_VECTORS, _METADATA, _RECORD = "index.faiss", "metadata.parquet", "index.json"
_ID = "_id"  # the metadata column that ties a row to its vector
_TIE = 1e-5  # scores of FAISS nearer than this are told apart (or not) by the float64 rescoring
_HEADER = 512  # bytes that FAISS may add to the vectors and ids; about 90 in fact
_MAX_DIM = 1 << 16

Where = Mapping[str, Any]


@dataclass(frozen=True)
class Hit:
    """One search result: row number in the index, cosine in [-1, 1], and the row's metadata."""

    id: int
    score: float
    metadata: dict[str, Any]


class Index:
    """Vectors of one encoder with their metadata; made by :meth:`build` or :meth:`open`, then read-only.

    Attributes:
        directory: Where its files lie.
        fingerprint: Of the encoder that made the vectors.
        metadata: Table of N rows, in the order of the ids; nested values are columns of JSON text.
    """

    def __init__(self, directory: Path, fingerprint: str, flat: faiss.Index, metadata: pa.Table) -> None:
        self.directory = directory
        self.fingerprint = fingerprint
        self.metadata = metadata
        self._faiss = flat

    @classmethod
    def build(
        cls,
        vectors: np.ndarray,
        metadata: Sequence[Mapping[str, Any]] | pa.Table,
        directory: str | Path,
        fingerprint: str,
    ) -> Index:
        """Writes an index into ``directory`` (made if need be, an index that is there is replaced) and opens it.

        Args:
            vectors: [N, D] float, finite, none of length zero; normalised here. Row i gets id i.
            metadata: N rows. In a list of dicts a key that a row lacks becomes None, and dicts or lists as values
                are kept as JSON.
            directory: Target folder.
            fingerprint: The encoder's fingerprint.

        Raises:
            ParameterError: shapes, counts or values that do not fit.
        """
        if not isinstance(fingerprint, str) or not fingerprint:
            raise ParameterError(f"fingerprint is {fingerprint!r}; give the fingerprint of the encoder, a text.")
        unit = _unit_rows(vectors, "vectors")
        table = metadata if isinstance(metadata, pa.Table) else _table(metadata)
        if len(metadata) != len(unit):
            raise ParameterError(f"{len(unit)} vectors but {len(metadata)} rows of metadata; give one row per vector.")
        if _ID in table.column_names:
            raise ParameterError(f"the metadata has a column {_ID!r}, which the index keeps its ids in; rename it.")
        ids = np.arange(len(unit), dtype=np.int64)
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(unit.shape[1]))
        index.add_with_ids(unit, ids)
        directory = Path(directory)
        with atomic_path(directory / _VECTORS) as path:
            faiss.write_index(index, str(path))
        with atomic_path(directory / _METADATA) as path:
            # Without the frame's own columns (no keys at all) the ids alone still give the table its N rows.
            names = [_ID, *table.column_names]
            stored = pa.table([pa.array(ids), *table.columns], schema=pa.schema([(_ID, pa.int64()), *table.schema]))
            pq.write_table(stored.rename_columns(names), path, compression="zstd")
        record = {
            "version": VERSION,
            "fingerprint": fingerprint,
            "dim": int(unit.shape[1]),
            "count": len(unit),
            "files": {name: _identity(directory / name) for name in (_VECTORS, _METADATA)},
        }
        write_json(directory / _RECORD, record)
        return cls.open(directory, fingerprint)

    @classmethod
    def open(cls, directory: str | Path, fingerprint: str | None = None) -> Index:
        """Opens the index in ``directory``; with ``fingerprint``, only one built with that encoder.

        Raises:
            FingerprintError: the index was built with another encoder.
            StorageError: a file is missing, truncated, altered or of another version.
        """
        directory = Path(directory)
        record = _read_record(directory)
        if fingerprint is not None and fingerprint != record["fingerprint"]:
            raise FingerprintError(
                f"{directory} was built with encoder {record['fingerprint']!r}, not {fingerprint!r}; "
                "open it with that encoder or build it again from this one's embeddings."
            )
        for name in (_VECTORS, _METADATA):
            _check_identity(directory / name, record["files"][name])
        index = _read_vectors(directory / _VECTORS, record["count"], record["dim"])
        return cls(directory, record["fingerprint"], index, _read_metadata(directory / _METADATA, record["count"]))

    def __len__(self) -> int:
        return int(self._faiss.ntotal)

    @property
    def dim(self) -> int:
        return int(self._faiss.d)

    def vectors(self, ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """The normalised vectors of ``ids``, float32 [len(ids), D]."""
        wanted = np.asarray(ids, dtype=np.int64).reshape(-1)
        if len(wanted) and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise ParameterError(f"ids run from 0 to {len(self) - 1}; got {wanted.min()} to {wanted.max()}.")
        return self._faiss.reconstruct_batch(wanted) if len(wanted) else np.zeros((0, self.dim), np.float32)

    def search(
        self, vector: np.ndarray, k: int = 10, where: Where | None = None, exclude: Where | None = None
    ) -> list[Hit]:
        """The ``k`` rows nearest to ``vector`` [D], best first; fewer when fewer rows pass the filters.

        Args:
            vector: [D], normalised here.
            k: How many, at least 1.
            where: Column -> wanted value; rows must match every column. A list means any of its values, a tuple of two
                numbers means low <= value <= high, None means a missing value.
            exclude: Conditions of the same form; the rows that match all of them are left out.

        Raises:
            ParameterError: a wrong dimension, a value that is not finite, an unknown column, an unfit condition.
        """
        vector = np.asarray(vector)
        if vector.ndim != 1:
            raise ParameterError(f"vector has shape {vector.shape}, not [{self.dim}]; search_batch takes several.")
        return self.search_batch(vector[None], k, where, exclude)[0]

    def search_batch(
        self,
        vectors: np.ndarray,
        k: int = 10,
        where: Where | None = None,
        exclude: Where | Sequence[Where | None] | None = None,
    ) -> list[list[Hit]]:
        """:meth:`search` for each row of ``vectors`` [M, D]; ``exclude`` may be a list of M conditions."""
        queries = _unit_rows(vectors, "vectors", self.dim)
        if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
            raise ParameterError(f"k is {k!r}; give a whole number of at least 1.")
        each = [exclude] * len(queries) if exclude is None or isinstance(exclude, Mapping) else list(exclude)
        if len(each) != len(queries):
            raise ParameterError(f"{len(queries)} vectors but {len(each)} exclude conditions; give one per vector.")
        allowed = self._mask(where) if where else np.ones(len(self), dtype=bool)
        alike: dict[str, list[int]] = {}  # queries with one and the same filter are searched together
        for row, condition in enumerate(each):
            alike.setdefault(repr(sorted((condition or {}).items(), key=lambda item: item[0])), []).append(row)
        results: list[list[Hit]] = [[] for _ in queries]
        for rows in alike.values():
            condition = each[rows[0]]
            mask = allowed & ~self._mask(condition) if condition else allowed
            for row, (ids, scores) in zip(rows, self._nearest(queries[rows], int(k), mask), strict=True):
                results[row] = self._hits(ids, scores)
        return results

    def _nearest(self, queries: np.ndarray, k: int, mask: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Ids and float64 scores of the best ``k`` rows under ``mask``, ties by id, for each query."""
        count = int(mask.sum())
        if count == 0:
            return [(np.zeros(0, np.int64), np.zeros(0))] * len(queries)
        parameters = None if count == len(mask) else _selection(mask)
        k, found = min(k, count), []
        wanted = min(k + 8, count)
        scores, ids = self._faiss.search(queries, wanted, params=parameters)
        for query, row_scores, row_ids in zip(queries, scores, ids, strict=True):
            fetched = wanted
            # Ties that reach beyond what was fetched: which of them come first is known only when all are here.
            while fetched < count and row_scores[-1] >= row_scores[k - 1] - _TIE:
                fetched = min(4 * fetched, count)
                more_scores, more_ids = self._faiss.search(query[None], fetched, params=parameters)
                row_scores, row_ids = more_scores[0], more_ids[0]
            row_ids = np.sort(row_ids[row_ids >= 0])
            exact = (self.vectors(row_ids).astype(np.float64) * query).sum(axis=1)  # equal rows, equal scores
            best = np.argsort(-exact, kind="stable")[:k]
            found.append((row_ids[best], exact[best]))
        return found

    def _hits(self, ids: np.ndarray, scores: np.ndarray) -> list[Hit]:
        rows = (
            self.metadata.take(pa.array(ids, pa.int64())).to_pylist() if self.metadata.num_columns else [{}] * len(ids)
        )
        nested = [field.name for field in self.metadata.schema if _is_json(field)]
        for row in rows:
            row.update({name: json.loads(row[name]) for name in nested if row[name] is not None})
        scores = scores.clip(-1.0, 1.0)
        return [Hit(int(i), float(s), dict(row)) for i, s, row in zip(ids, scores, rows, strict=True)]

    def _mask(self, conditions: Where) -> np.ndarray:
        """Boolean [N]: the rows that match every condition."""
        mask = np.ones(len(self), dtype=bool)
        for name, value in conditions.items():
            if name not in self.metadata.column_names:
                known = ", ".join(self.metadata.column_names) or "none"
                raise ParameterError(f"the index has no metadata column {name!r}; its columns: {known}.")
            mask &= _matches(self.metadata.schema.field(name), self.metadata.column(name), value)
        return mask


def _selection(mask: np.ndarray) -> Any:
    """FAISS search parameters that let through the ids at which ``mask`` is true."""
    swig: Any = faiss  # its Python wrappers take arrays and keywords that its type stubs do not know
    return swig.SearchParameters(sel=swig.IDSelectorBitmap(np.packbits(mask, bitorder="little")))


def _matches(field: pa.Field, column: pa.ChunkedArray, value: Any) -> np.ndarray:
    kind = field.type
    if _is_json(field) or pa.types.is_nested(kind):
        raise ParameterError(f"metadata column {field.name!r} holds nested values; filter by a plain column.")
    try:
        if isinstance(value, tuple):
            if len(value) != 2 or not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
                raise ParameterError(
                    f"{field.name!r}: {value!r} is no range; a tuple is (low, high) on a column of numbers ({kind}), "
                    "a list means any of its values."
                )
            # The bounds are rounded as the column is, so that 0.6 is within (0, 0.6) in float32 too.
            low, high = (_like(bound, kind) if pa.types.is_floating(kind) else bound for bound in value)
            result = pc.and_(pc.greater_equal(column, low), pc.less_equal(column, high))
        else:
            wanted = value if isinstance(value, (list, set, frozenset)) else [value]
            result = pc.is_in(column, value_set=pa.array([_like(item, kind) for item in wanted], kind))
    except (pa.ArrowException, TypeError, ValueError) as error:
        if isinstance(error, ParameterError):
            raise
        raise ParameterError(
            f"{field.name!r}: {value!r} cannot be compared with a column of {kind} ({error})."
        ) from None
    return np.asarray(pc.fill_null(result, False).to_numpy(), dtype=bool)


def _like(value: Any, kind: pa.DataType) -> Any:
    """``value`` as the column stores it; whole floats are let into columns of integers."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bool) and not pa.types.is_boolean(kind):
        raise ParameterError(f"{value!r} is no value of a column of {kind}.")
    return pa.scalar(value).cast(kind, safe=not pa.types.is_floating(kind)).as_py()


def _unit_rows(vectors: Any, what: str, dim: int | None = None) -> np.ndarray:
    """Validated, L2-normalised float32 [N, D]."""
    try:
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{what} cannot be read as numbers ({error}); give float32 [N, D].") from None
    if rows.ndim != 2 or not 1 <= rows.shape[1] <= _MAX_DIM or (dim is not None and rows.shape[1] != dim):
        raise ParameterError(f"{what} has shape {rows.shape}; expected [N, {'D' if dim is None else dim}].")
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        raise ParameterError(f"{what}: {len(bad)} rows hold NaN or infinity, the first is row {bad[0]}; drop them.")
    largest = np.abs(rows).max(axis=1, keepdims=True)
    zero = np.flatnonzero(largest[:, 0] == 0.0)
    if len(zero):
        raise ParameterError(f"{what}: {len(zero)} rows have length zero, the first is row {zero[0]}; drop them.")
    rows = rows / largest  # first, so that no square over- or underflows
    return np.ascontiguousarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A table with every key of any row; columns with dicts or lists become JSON text, marked so in their field."""
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


def _is_json(field: pa.Field) -> bool:
    return bool(field.metadata and field.metadata.get(b"json") == b"1")


def _identity(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def _check_identity(path: Path, expected: Mapping[str, Any]) -> None:
    if not path.is_file():
        raise StorageError(f"{path} does not exist; build the index again.")
    size = path.stat().st_size
    if size != expected["bytes"]:
        raise StorageError(f"{path} has {size} bytes, not {expected['bytes']}: truncated or replaced; build it again.")
    if sha256(path) != expected["sha256"]:
        raise StorageError(f"{path} does not have the SHA-256 in {_RECORD}: altered; build the index again.")


def _read_record(directory: Path) -> dict[str, Any]:
    path = directory / _RECORD
    record = read_json(path)
    if not isinstance(record, dict) or record.get("version") != VERSION:
        version = record.get("version") if isinstance(record, dict) else None
        raise StorageError(f"{path} has version {version!r}, this program reads {VERSION}; build the index again.")
    whole = all(type(record.get(key)) is int for key in ("dim", "count")) and isinstance(record.get("fingerprint"), str)
    listed = record.get("files")
    named = isinstance(listed, dict) and all(
        isinstance(listed.get(name), dict) and {"bytes", "sha256"} <= set(listed[name])
        for name in (_VECTORS, _METADATA)
    )
    if not whole or not named or record["count"] < 0 or not 1 <= record["dim"] <= _MAX_DIM:
        raise StorageError(f"{path} lacks a field or holds a value out of range; build the index again.")
    return record


def _read_vectors(path: Path, count: int, dim: int) -> faiss.Index:
    """Reads the FAISS file only when its size is what ``count`` x ``dim`` takes, and under a byte limit."""
    body = count * (4 * dim + 8)
    if not body <= path.stat().st_size <= body + _HEADER:
        raise StorageError(f"{path} is not the size of {count} x {dim} vectors; build the index again.")
    with open(path, "rb") as file:
        if file.read(4) != b"IxM2":
            raise StorageError(f"{path} is no index of this program; build it again.")
    limit = faiss.get_deserialization_vector_byte_limit()
    faiss.set_deserialization_vector_byte_limit(body + _HEADER)
    try:
        index: Any = faiss.read_index(str(path))
        inner = faiss.downcast_index(index.index)
    except (RuntimeError, MemoryError, AttributeError) as error:
        raise StorageError(f"{path} cannot be read by FAISS ({error}); build the index again.") from None
    finally:
        faiss.set_deserialization_vector_byte_limit(limit)
    sound = (
        type(index) is faiss.IndexIDMap2
        and type(inner) is faiss.IndexFlatIP
        and (index.d, inner.d, index.ntotal, inner.ntotal) == (dim, dim, count, count)
        and index.metric_type == inner.metric_type == faiss.METRIC_INNER_PRODUCT
        and inner.codes.size() == 4 * count * dim
        and np.array_equal(faiss.vector_to_array(index.id_map), np.arange(count))
    )
    if not sound:
        raise StorageError(f"{path} does not hold {count} x {dim} vectors with ids from 0; build the index again.")
    return index


def _read_metadata(path: Path, count: int) -> pa.Table:
    try:
        if pq.read_metadata(path).num_rows != count:
            raise StorageError(f"{path} does not have {count} rows; build the index again.")
        table = pq.read_table(path)
        ids = table.column(_ID).to_numpy()
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise StorageError(f"{path} cannot be read as Parquet ({error}); build the index again.") from None
    if not np.array_equal(ids, np.arange(count)):
        raise StorageError(f"{path}: the ids do not count from 0 to {count - 1}; build the index again.")
    return table.drop_columns([_ID])
