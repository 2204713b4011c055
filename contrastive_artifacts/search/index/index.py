"""Similarity search over embeddings, with metadata to filter by: exact, and beyond a million vectors approximate.

Vectors are L2-normalised when an index is built, so that the inner product is the cosine. Rows are stored in the order
of their ids: the order of the input does not matter, and hits of equal score come in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...core.errors import FingerprintError, ParameterError, StorageError
from ...core.lock import locked
from ...core.vectors import unit_rows
from . import store
from .metadata import Where, mask_of, rows_at, table_of
from .store import ID, MAX_DIM, Stored
from .structures import KINDS, choose, exact, rerank

_TIE = 1e-5  # scores of FAISS closer than this are ordered by scores computed again in float64
_EXACT_TO = 50_000  # up to so many rows that pass a filter, all are compared, whatever the kind of index


@dataclass(frozen=True)
class Hit:
    """One search result: id of the row, cosine in [-1, 1], and the row's metadata."""

    id: int
    score: float
    metadata: dict[str, Any]


class Index:
    """Vectors of one encoder with their metadata; made by :meth:`build`, :meth:`merge` or :meth:`open`.

    The vectors are memory-mapped: memory holds the metadata, the ids and, in an approximate index, the codes. An opened
    index does not change; :meth:`add` and :meth:`remove` write a new one in its place and return it. One process at a
    time writes a folder, any other is refused; who opens it meanwhile gets the old index or the new one.

    Attributes:
        directory: Folder of its files.
        fingerprint: Of the encoder that computed the vectors.
        metadata: Table of N rows, in ascending order of the ids; nested values are columns of JSON text.
        ids: int64 [N], ascending.
        kind: "flat" (exact), "ivf_sq8" or "ivf_pq".
        recall: Share of the ten nearest rows that a search returns, measured with vectors of the index as queries when
            it was built; 1 for "flat". It is lower for queries unlike every row (a difference of examples).
    """

    def __init__(self, directory: Path, stored: Stored) -> None:
        self.directory = directory
        self.fingerprint = stored.fingerprint
        self.metadata = stored.metadata
        self.ids = stored.ids
        self.kind = stored.kind
        self.recall = float(stored.settings["recall_at_10"])
        self._vectors = stored.vectors
        self._structure = KINDS[stored.kind](stored)

    @classmethod
    def build(
        cls,
        vectors: np.ndarray,
        metadata: Sequence[Mapping[str, Any]] | pa.Table,
        directory: str | Path,
        fingerprint: str,
        ids: Sequence[int] | np.ndarray | None = None,
        kind: str | None = None,
    ) -> Index:
        """Writes an index into ``directory`` (created if necessary; an existing index is replaced) and opens it.

        Args:
            vectors: [N, D] float, finite, none of length zero; normalised here.
            metadata: N rows. In a list of dicts a missing key becomes None, and dicts or lists as values are stored as
                JSON.
            directory: Target folder.
            fingerprint: Of the encoder.
            ids: N different int64, such as hashes of the rows; row i gets id i if not given.
            kind: How it is searched. By default "flat" (exact) up to a million vectors, "ivf_sq8" up to 20 million,
                "ivf_pq" beyond.

        Raises:
            ParameterError: shapes, counts or values that do not fit.
            UnknownNameError: no such kind.
            StorageError: another process is writing the index, or it cannot be written.
        """
        if not isinstance(fingerprint, str) or not fingerprint:
            raise ParameterError(f"fingerprint is {fingerprint!r}; give the fingerprint of the encoder, a text.")
        unit = _unit_rows(vectors, "vectors")
        table = metadata if isinstance(metadata, pa.Table) else table_of(metadata)
        if len(metadata) != len(unit):
            raise ParameterError(f"{len(unit)} vectors but {len(metadata)} rows of metadata; give one row per vector.")
        if ID in table.column_names:
            raise ParameterError(f"the metadata has a column {ID!r}, which the index keeps its ids in; rename it.")
        with locked(directory, "building the index"):
            return cls._write(unit, _ids(ids, len(unit)), table, Path(directory), fingerprint, kind)

    @classmethod
    def open(cls, directory: str | Path, fingerprint: str | None = None) -> Index:
        """Opens the index in ``directory``; with ``fingerprint``, only one built with that encoder.

        Raises:
            FingerprintError: the index was built with another encoder.
            StorageError: a file is missing, truncated, altered or of another version.
        """
        directory = Path(directory)
        stored = store.read(directory, fingerprint)
        recall = stored.settings.get("recall_at_10")
        if stored.kind not in KINDS or not isinstance(recall, (int, float)) or not 0 <= recall <= 1:
            raise StorageError(f"{directory / store.RECORD} names no kind of index known here; build the index again.")
        return cls(directory, stored)

    @classmethod
    def merge(cls, shards: Sequence[Index | str | Path], directory: str | Path, kind: str | None = None) -> Index:
        """Merges indexes to one, in a new folder or that of one of them; the order of the shards does not matter.

        A shard in the target folder is opened again, so that rows which were added since are not lost.

        Raises:
            ParameterError: no shards, an id that stands in two of them, or metadata of different types.
            FingerprintError: shards of different encoders.
            StorageError: another process is writing the target, or it cannot be written.
        """
        if not shards:
            raise ParameterError("there is no index to merge; give at least one.")
        directory = Path(directory)
        with locked(directory, "merging indexes"):
            opened = []
            for shard in shards:
                folder = shard.directory if isinstance(shard, Index) else Path(shard)
                is_target = folder.resolve() == directory.resolve()
                opened.append(shard if isinstance(shard, Index) and not is_target else cls.open(folder))
            return cls._merged(opened, directory, kind)

    @classmethod
    def _merged(cls, opened: Sequence[Index], directory: Path, kind: str | None = None) -> Index:
        fingerprints = sorted({shard.fingerprint for shard in opened})
        if len(fingerprints) > 1 or len({shard.dim for shard in opened}) > 1:
            raise FingerprintError(
                f"the shards are of different encoders ({', '.join(fingerprints)}); merge those of one."
            )
        ids = np.concatenate([shard.ids for shard in opened])
        unique, counts = np.unique(ids, return_counts=True)
        if len(unique) < len(ids):
            raise ParameterError(
                f"{len(ids) - len(unique)} ids stand twice, the first is {unique[counts > 1][0]}; build the shards "
                "with ids= of their own (hashes of what the rows are), or remove the rows from one shard."
            )
        # Sorted by the smallest id, so that the columns do not depend on the order of the shards.
        filled = sorted((shard for shard in opened if len(shard)), key=lambda shard: int(shard.ids[0])) or opened[:1]
        try:
            table = pa.concat_tables([shard.metadata for shard in filled], promote_options="permissive")
        except pa.ArrowException as error:
            raise ParameterError(f"the metadata of the shards do not fit together ({error}).") from None
        vectors = np.concatenate([shard._vectors for shard in filled])
        ids = np.concatenate([shard.ids for shard in filled])
        return cls._write(vectors, ids, table, directory, fingerprints[0], kind)

    def add(
        self,
        vectors: np.ndarray,
        metadata: Sequence[Mapping[str, Any]] | pa.Table,
        ids: Sequence[int] | np.ndarray | None = None,
    ) -> Index:
        """Writes the index in this folder with more rows; ids count on from the largest one if not given.

        The folder is read again first, so that rows which another process added since are not lost. All files are
        written again: for large archives build a shard per batch and :meth:`merge` them once.

        Raises:
            ParameterError: as :meth:`build`, or an id that the index already has.
            StorageError: another process is writing the index, or it cannot be written.
        """
        unit = _unit_rows(vectors, "vectors", self.dim)
        table = metadata if isinstance(metadata, pa.Table) else table_of(metadata)
        if len(metadata) != len(unit) or ID in table.column_names:
            raise ParameterError(
                f"{len(unit)} vectors but {len(metadata)} rows of metadata, or a column {ID!r} among them; "
                "give one row per vector."
            )
        with locked(self.directory, "adding to the index"):
            current = self.open(self.directory, self.fingerprint)
            first = int(current.ids[-1]) + 1 if len(current) else 0
            if ids is None and first + len(unit) > np.iinfo(np.int64).max:
                raise ParameterError(f"no ids are left after {first - 1}; give ids= of your own.")
            new_ids = np.arange(first, first + len(unit)) if ids is None else _ids(ids, len(unit))
            order = np.argsort(new_ids, kind="stable")
            rows = _take(table, order)
            more = Stored(self.fingerprint, "flat", unit[order], new_ids[order], rows, {"recall_at_10": 1.0})
            return self._merged([current, Index(self.directory, more)], self.directory)

    def remove(self, ids: Sequence[int] | np.ndarray) -> Index:
        """Writes the index in this folder, read again first, without the rows of these ids.

        Raises:
            ParameterError: an id that the index does not have.
            StorageError: another process is writing the index, or it cannot be written.
        """
        with locked(self.directory, "removing from the index"):
            current = self.open(self.directory, self.fingerprint)
            keep = np.ones(len(current), dtype=bool)
            keep[current._positions(ids)] = False
            rows = np.flatnonzero(keep)
            table = _take(current.metadata, rows)
            return self._write(current._vectors[rows], current.ids[rows], table, self.directory, self.fingerprint, None)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dim(self) -> int:
        return int(self._vectors.shape[1])

    def vectors(self, ids: Sequence[int] | np.ndarray | None = None) -> np.ndarray:
        """The normalised vectors of ``ids``, float32 [len(ids), D]; all of them, mapped, if not given."""
        return self._vectors if ids is None else np.array(self._vectors[self._positions(ids)])

    def matching(self, where: Where) -> np.ndarray:
        """The ids, ascending, of the rows that match ``where``; see :meth:`search`."""
        return self.ids[mask_of(self.metadata, where)] if where else self.ids

    def search(
        self, vector: np.ndarray, k: int = 10, where: Where | None = None, exclude: Where | None = None
    ) -> list[Hit]:
        """The ``k`` rows nearest to ``vector`` [D], best first; fewer when fewer rows pass the filters.

        Args:
            vector: [D], normalised here.
            k: Number of hits, at least 1.
            where: Column -> value; a row must match every column. A list means any of its values, a tuple of two
                numbers low <= value <= high, None a missing value. In ``present`` and ``label``, which may hold several
                names ("hiss, hum"), each of them matches.
            exclude: Conditions of the same form; rows that match all of them are left out.

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
        check_k(k)
        excluded = [exclude] * len(queries) if exclude is None or isinstance(exclude, Mapping) else list(exclude)
        if len(excluded) != len(queries):
            raise ParameterError(f"{len(queries)} vectors but {len(excluded)} exclude conditions; give one per vector.")
        allowed = mask_of(self.metadata, where) if where else np.ones(len(self), dtype=bool)
        by_filter: dict[str, list[int]] = {}  # queries with the same filter are searched together
        for row, condition in enumerate(excluded):
            by_filter.setdefault(repr(sorted((condition or {}).items(), key=lambda item: item[0])), []).append(row)
        results: list[list[Hit]] = [[] for _ in queries]
        for rows in by_filter.values():
            condition = excluded[rows[0]]
            mask = allowed & ~mask_of(self.metadata, condition) if condition else allowed
            for row, (positions, scores) in zip(rows, self._nearest(queries[rows], int(k), mask), strict=True):
                results[row] = self._hits(positions, scores)
        return results

    def _nearest(self, queries: np.ndarray, k: int, mask: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Positions and float64 scores of the best ``k`` rows under ``mask``, ties by id, for each query."""
        count = int(mask.sum())
        k = min(k, count)
        if self._structure.exact or count <= _EXACT_TO:
            return self._exactly(queries, k, mask)
        proposed = self._structure.candidates(queries, k, mask)
        ranked = [rerank(self._vectors, query, row, k) for query, row in zip(queries, proposed, strict=True)]
        # Where the searched cells hold too few rows, all rows are compared.
        return [
            pair if len(pair[0]) == k else self._exactly(query[None], k, mask)[0]
            for query, pair in zip(queries, ranked, strict=True)
        ]

    def _exactly(self, queries: np.ndarray, k: int, mask: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        count = int(mask.sum())
        if count == 0:
            return [(np.zeros(0, np.int64), np.zeros(0))] * len(queries)
        ranked, depth = [], min(k + 8, count)
        scores, positions = exact(self._vectors, queries, depth, mask)
        for query, row_scores, row in zip(queries, scores, positions, strict=True):
            fetched = depth
            # Where ties reach beyond the fetched rows, more are fetched: the order of ties is known only with all of
            # them.
            while fetched < count and row_scores[-1] >= row_scores[k - 1] - _TIE:
                fetched = min(4 * fetched, count)
                more_scores, more = exact(self._vectors, query[None], fetched, mask)
                row_scores, row = more_scores[0], more[0]
            ranked.append(rerank(self._vectors, query, row, k))
        return ranked

    def _hits(self, positions: np.ndarray, scores: np.ndarray) -> list[Hit]:
        rows = rows_at(self.metadata, positions)
        ids, scores = self.ids[positions].tolist(), scores.clip(-1.0, 1.0).tolist()
        return [Hit(i, s, row) for i, s, row in zip(ids, scores, rows, strict=True)]

    def _positions(self, ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """Row numbers of ids."""
        ids = np.asarray(ids, dtype=np.int64).reshape(-1)
        if not len(self) and len(ids):
            raise ParameterError(f"the index is empty; there is no id {ids[0]}.")
        positions = np.searchsorted(self.ids, ids).clip(0, max(0, len(self) - 1))
        unknown = np.flatnonzero(self.ids[positions] != ids) if len(ids) else ids
        if len(unknown):
            raise ParameterError(f"{len(unknown)} ids are not in the index, the first is {ids[unknown[0]]}.")
        return positions

    @classmethod
    def _write(
        cls, unit: np.ndarray, ids: np.ndarray, table: pa.Table, directory: Path, fingerprint: str, kind: str | None
    ) -> Index:
        kind = choose(len(unit)) if kind is None else kind
        structure = KINDS[kind]
        if not (ids[1:] > ids[:-1]).all():
            order = np.argsort(ids, kind="stable")
            unit, ids, table = np.ascontiguousarray(unit[order]), ids[order], _take(table, order)
        stored = Stored(fingerprint, kind, unit, ids, table)
        structure.build(stored)
        store.write(directory, stored)
        return cls.open(directory, fingerprint)


def _take(table: pa.Table, rows: np.ndarray) -> pa.Table:
    return table.take(pa.array(rows, pa.int64())) if table.num_columns else table


def _ids(ids: Sequence[int] | np.ndarray | None, count: int) -> np.ndarray:
    if ids is None:
        return np.arange(count, dtype=np.int64)
    given = np.asarray(ids)
    if given.shape != (count,) or (count and given.dtype.kind not in "iu"):
        raise ParameterError(f"ids have shape {given.shape} and type {given.dtype}; give {count} whole numbers.")
    if given.dtype.kind == "u" and count and int(given.max()) > np.iinfo(np.int64).max:
        raise ParameterError(f"the id {given.max()} does not fit into 64 bits with a sign.")
    unique, counts = np.unique(given, return_counts=True)
    if len(unique) < count:
        raise ParameterError(f"the id {unique[counts > 1][0]} stands twice; every row needs one of its own.")
    return given.astype(np.int64)


def check_k(k: Any) -> None:
    """Checks a number of hits.

    Raises:
        ParameterError: it is not a whole number, or less than 1.
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ParameterError(f"k is {k!r}; give a whole number of at least 1.")


def _unit_rows(vectors: Any, what: str, dim: int | None = None) -> np.ndarray:
    """Validated, L2-normalised float32 [N, D]."""
    try:
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{what} cannot be read as numbers ({error}); give float32 [N, D].") from None
    if rows.ndim != 2 or not 1 <= rows.shape[1] <= MAX_DIM or (dim is not None and rows.shape[1] != dim):
        raise ParameterError(f"{what} has shape {rows.shape}; expected [N, {'D' if dim is None else dim}].")
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        raise ParameterError(f"{what}: {len(bad)} rows hold NaN or infinity, the first is row {bad[0]}; drop them.")
    largest = np.abs(rows).max(axis=1, keepdims=True)
    zero = np.flatnonzero(largest[:, 0] == 0.0)
    if len(zero):
        raise ParameterError(f"{what}: {len(zero)} rows have length zero, the first is row {zero[0]}; drop them.")
    return unit_rows(rows / largest)  # divided first, so that no square over- or underflows
