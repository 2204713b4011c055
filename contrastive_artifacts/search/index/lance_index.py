"""The index as a LanceDB table: in a folder or an object store, filtered by SQL, never in memory as a whole."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...core.errors import FingerprintError, ParameterError, StorageError
from ...core.location import is_address
from .checks import ID, Ids, Metadata, check_disjoint, check_ids, check_rows
from .index import Hit, Index, hits_of, home_of
from .lance_recall import FEWEST, TRAINED_FROM, trained
from .lance_table import (
    VECTOR,
    batches_of,
    connected,
    create_table,
    errors_of,
    lock_of,
    open_table,
    schema_with,
    tidy,
    vectors_in,
    write_record,
)
from .metadata import Where, mask_of
from .record import RECORD
from .rows import Rows, rerank
from .sql import ids_in, sql_of

_EXACT_TO = 50_000  # up to so many rows that pass a filter, all are compared
_TIE = 1e-5


class LanceIndex(Index):
    """An index in a LanceDB table, see :class:`.Index`: IVF-PQ with candidates ranked again by the original vectors.

    :attr:`ids`, :attr:`metadata` and all :meth:`vectors` are read when they are asked for; a search needs none of them.
    """

    kind = "lance"

    def __init__(self, location: str, table: Any, record: dict[str, Any]) -> None:
        self.location, self.directory = location, home_of(location)
        self.fingerprint, self.recall = record["fingerprint"], float(record["recall_at_10"])
        self._table, self._record = table, record
        self.dim = int(table.schema.field(VECTOR).type.list_size)
        self._schema = pa.schema([field for field in table.schema if field.name not in (ID, VECTOR)])
        self._replaced: pa.Table | None = None

    @classmethod
    def make(
        cls, unit: np.ndarray, table: pa.Table, ids: np.ndarray, directory: str | Path, fingerprint: str,
        kind: str | None, like: Index | str | Path | None,
    ) -> Index:  # fmt: skip
        if like is not None:
            raise ParameterError("like= is for shards of FAISS; an index of kind 'lance' is filled by add.")
        location = _checked(directory)
        with lock_of(location, "building the index"):
            record = {"fingerprint": fingerprint, "recall_at_10": 1.0, "probes": 0, "candidates": FEWEST}
            schema = _table_schema(table.schema, unit.shape[1])
            return cls._write(location, batches_of(unit, ids, table, schema), schema, record)

    @classmethod
    def _write(cls, location: str, batches: Any, schema: pa.Schema, record: dict[str, Any]) -> Index:
        with errors_of(location):
            written = create_table(location, batches, schema_with(schema, record))
            if written.count_rows() >= TRAINED_FROM:
                write_record(written, record | trained(written))
        return cls.read(location, record["fingerprint"])

    @classmethod
    def read(cls, directory: str | Path, fingerprint: str | None) -> LanceIndex:
        location = str(directory)
        table, record = open_table(location)
        if fingerprint is not None and fingerprint != record["fingerprint"]:
            raise FingerprintError(
                f"{location} was built with encoder {record['fingerprint']!r}, not {fingerprint!r}; "
                "open it with that encoder or build it again from this one's embeddings."
            )
        return cls(location, table, record)

    @classmethod
    def join(cls, shards: Sequence[Index | str | Path], directory: str | Path, kind: str | None) -> Index:
        location = _checked(directory)
        with lock_of(location, "merging indexes"):
            opened = [cls._opened(shard, location) for shard in shards]
            fingerprints = sorted({shard.fingerprint for shard in opened})
            if len(fingerprints) > 1 or len({shard.dim for shard in opened}) > 1:
                raise FingerprintError(
                    f"the shards are of different encoders ({', '.join(fingerprints)}); merge those of one."
                )
            check_disjoint(np.concatenate([shard.ids for shard in opened]))
            filled = (
                sorted((shard for shard in opened if len(shard)), key=lambda shard: int(shard.ids[0])) or opened[:1]
            )
            try:
                schema = pa.unify_schemas([shard._schema for shard in filled], promote_options="permissive")
            except pa.ArrowException as error:
                raise ParameterError(f"the metadata of the shards do not fit together ({error}).") from None
            schema = _table_schema(schema, opened[0].dim)
            record = {"fingerprint": fingerprints[0], "recall_at_10": 1.0, "probes": 0, "candidates": FEWEST}
            # LanceDB cannot read tables while it writes one: its event loop would wait for itself.
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "rows.arrow"
                with errors_of(location), pa.ipc.new_file(path, schema) as file:
                    for shard in filled:
                        for batch in shard._batches(schema):
                            file.write_batch(batch)
                reader = pa.ipc.open_file(pa.memory_map(str(path)))
                batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
                return cls._write(location, batches, schema, record)

    @classmethod
    def _opened(cls, shard: Index | str | Path, target: str) -> LanceIndex:
        location = shard.location if isinstance(shard, Index) else str(shard)
        opened = shard if isinstance(shard, Index) and location != target else Index.open(location)
        if not isinstance(opened, LanceIndex):
            raise ParameterError(f"{location} is of kind {opened.kind!r}, which merges only with its own kind.")
        return opened

    def _batches(self, schema: pa.Schema) -> Any:
        for batch in self._table.search().to_batches():
            columns = [
                batch.column(field.name).cast(field.type)
                if field.name in batch.schema.names
                else pa.nulls(len(batch), field.type)
                for field in schema
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def add(self, vectors: np.ndarray, metadata: Metadata, ids: Ids | None = None) -> Index:
        """See :meth:`.Index.add`: new rows are a file of their own. A column that the table lacks is refused."""
        unit, table = check_rows(vectors, metadata, self.dim)
        with lock_of(self.location, "adding to the index"):
            current = self.read(self.location, self.fingerprint)
            new_ids = check_ids(ids, len(unit), int(current.ids[-1]) + 1 if len(current) else 0)
            check_disjoint(np.concatenate([current.ids, new_ids]))
            if unknown := sorted(set(table.column_names) - set(current._schema.names)):
                raise ParameterError(f"the index has no metadata columns {', '.join(unknown)}; merge shards instead.")
            schema = current._table.schema
            try:
                batches = list(batches_of(unit, new_ids, table, schema))
            except pa.ArrowException as error:
                raise ParameterError(f"the metadata do not fit those of the index ({error}).") from None
            return self._changed(lambda latest: latest.add(pa.Table.from_batches(batches, schema)))

    def remove(self, ids: Ids) -> Index:
        chosen = np.unique(np.asarray(ids, dtype=np.int64).reshape(-1))
        with lock_of(self.location, "removing from the index"):
            self.read(self.location, self.fingerprint)._check_known(chosen)
            return self._changed(lambda latest: latest.delete(ids_in(ID, chosen)) if len(chosen) else None)

    def _changed(self, change: Any) -> Index:
        with errors_of(self.location):
            latest = connected(self.location).open_table("index")
            change(latest)
            tidy(latest)
        return self.read(self.location, self.fingerprint)

    def __len__(self) -> int:
        with errors_of(self.location):
            return int(self._table.count_rows())

    @cached_property
    def ids(self) -> np.ndarray:
        return np.sort(self._read([ID]).column(ID).to_numpy())

    @property
    def metadata(self) -> pa.Table:
        return self._all if self._replaced is None else self._replaced

    @cached_property
    def _all(self) -> pa.Table:
        table = self._read([ID, *self._schema.names])
        return table.take(np.argsort(table.column(ID).to_numpy())).drop_columns([ID]).cast(self._schema)

    def with_metadata(self, table: pa.Table) -> Index:
        changed = copy.copy(self)
        changed._replaced = table
        return changed

    def vectors(self, ids: Ids | None = None) -> np.ndarray:
        asked = self.ids if ids is None else np.asarray(ids, dtype=np.int64).reshape(-1)
        table = self._read([ID, VECTOR], None if ids is None else ids_in(ID, np.unique(asked)))
        stored, rows = table.column(ID).to_numpy(), vectors_in(table.column(VECTOR), self.dim, self.location)
        order = np.argsort(stored)
        places = np.searchsorted(stored, asked, sorter=order).clip(0, max(0, len(stored) - 1))
        if len(asked) and (not len(stored) or (stored[order[places]] != asked).any()):
            self._check_known(np.unique(asked))
        return rows[order[places]] if len(asked) else rows[:0]

    def _check_known(self, ids: np.ndarray) -> None:
        known = self._read([ID], ids_in(ID, ids)).column(ID).to_numpy()
        unknown = np.setdiff1d(ids, known)
        if len(unknown):
            raise ParameterError(f"{len(unknown)} ids are not in the index, the first is {unknown[0]}.")

    def matching(self, where: Where) -> np.ndarray:
        if not where:
            return self.ids
        return np.sort(self._read([ID], self._filter(where, None)).column(ID).to_numpy())

    def _read(self, columns: list[str], where: str | None = None) -> pa.Table:
        query = self._table.search().select(columns)
        with errors_of(self.location):
            read: pa.Table = (query.where(where) if where else query).to_arrow()
        return read

    def _filter(self, where: Where | None, exclude: Where | None) -> str | None:
        if self._replaced is None:
            return sql_of(self._schema, where, exclude)
        if not where and not exclude:
            return None
        mask = mask_of(self._replaced, where or {})  # columns in memory cannot be asked for in SQL
        return ids_in(ID, self.ids[mask & ~mask_of(self._replaced, exclude) if exclude else mask])

    def _search(self, queries: np.ndarray, k: int, where: Where | None, exclude: Where | None) -> list[list[Hit]]:
        condition = self._filter(where, exclude)
        with errors_of(self.location):
            count = int(self._table.count_rows(condition))
        return (
            [self._hits(query, min(k, count), count, condition) for query in queries] if count else [[]] * len(queries)
        )

    def _hits(self, query: np.ndarray, k: int, count: int, condition: str | None) -> list[Hit]:
        if self._record["probes"] and count > _EXACT_TO:
            candidates = self._record["candidates"]
            near = self._near(query, max(candidates, candidates * k // 10), condition, self._record["probes"])
            if len(near) >= k:
                return self._ranked(near, query, k)
        depth = min(k + 8, count)
        near = self._near(query, depth, condition, 0)
        # Where ties reach beyond the fetched rows, more are fetched: the order of ties is known only with all of them.
        while depth < count and len(near) == depth and _reaches(near, k):
            depth = min(4 * depth, count)
            near = self._near(query, depth, condition, 0)
        return self._ranked(near, query, k)

    def _near(self, query: np.ndarray, limit: int, condition: str | None, probes: int) -> pa.Table:
        """The rows nearest by the search of LanceDB: through ``probes`` cells, or 0 to compare all."""
        search = self._table.search(query, vector_column_name=VECTOR).distance_type("dot").limit(limit)
        search = search.nprobes(probes).refine_factor(1) if probes else search.bypass_vector_index()
        with errors_of(self.location):
            near: pa.Table = (search.where(condition, prefilter=True) if condition else search).to_arrow()
        return near

    def _ranked(self, near: pa.Table, query: np.ndarray, k: int) -> list[Hit]:
        near = near.take(np.argsort(near.column(ID).to_numpy()))
        rows = Rows([vectors_in(near.column(VECTOR), self.dim, self.location)])
        ids, names = near.column(ID).to_numpy(), [n for n in self._schema.names if n in near.column_names]
        table = near.select(names).cast(pa.schema([self._schema.field(name) for name in names]))
        ranked = rerank(rows, query, np.arange(len(near)), k)
        if self._replaced is not None:
            table = self._replaced.take(pa.array(np.searchsorted(self.ids, ids), pa.int64()))
        return hits_of(ranked, ids, table)


def _reaches(near: pa.Table, k: int) -> bool:
    distances = np.sort(near.column("_distance").to_numpy())
    return bool(distances[-1] <= distances[k - 1] + _TIE)


def _table_schema(metadata: pa.Schema, dim: int) -> pa.Schema:
    if VECTOR in metadata.names or any("." in name for name in metadata.names):
        raise ParameterError(f"LanceDB takes no column {VECTOR!r} and no dot in a column's name; rename it.")
    vector = pa.field(VECTOR, pa.list_(pa.float32(), dim))
    return pa.schema([pa.field(ID, pa.int64()), vector, *metadata])


def _checked(directory: str | Path) -> str:
    """The location of a table; a local folder must not hold an index of FAISS."""
    if not is_address(directory) and (Path(directory) / RECORD).exists():
        raise StorageError(f"{directory} holds an index of another kind; choose another folder, or delete it.")
    return str(directory)
