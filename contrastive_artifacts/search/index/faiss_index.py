"""The index of this package: vectors and lists in mapped files, searched by FAISS, exactly or through cells."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...core.errors import FingerprintError, ParameterError, StorageError
from ...core.lock import locked
from . import store
from .checks import Ids, Metadata, check_disjoint, check_ids, check_rows
from .index import Hit, Index, hits_of
from .metadata import Where, mask_of
from .recall import measured, proposed
from .rows import Ranked, Rows, nearest, rerank
from .segments import concatenated, joined_segment
from .store import Segment, Stored
from .structures import FLAT, FLAT_TO, Structure, choose, train

_EXACT_TO = 50_000  # up to so many rows that pass a filter, all are compared, whatever the kind of index


class FaissIndex(Index):
    """An index in a folder, see :class:`.Index`.

    Vectors and lists are memory-mapped: memory holds the metadata, the ids and the centres of the cells. Rows are in
    segments, see :mod:`.store`; :meth:`vectors` copies them all if there are several.
    """

    def __init__(self, directory: Path, stored: Stored) -> None:
        self.location, self.directory = str(directory), directory
        self.fingerprint, self.kind, self.dim = stored.fingerprint, stored.kind, stored.dim
        self.recall = float(stored.settings["recall_at_10"])
        self._stored, self._structure = stored, stored.structure
        self._rows = Rows([segment.vectors for segment in stored.segments])
        self._ids = np.concatenate([segment.ids for segment in stored.segments])
        self._table = concatenated(stored.segments)
        self._searchers = _searchers(stored.structure, stored.segments)

    @classmethod
    def make(
        cls, unit: np.ndarray, table: pa.Table, ids: np.ndarray, directory: str | Path, fingerprint: str,
        kind: str | None, like: Index | str | Path | None,
    ) -> Index:  # fmt: skip
        directory = Path(directory)
        with locked(directory, "building the index"):
            structure = None
            if like is not None:
                structure, kind = _structure_like(like, unit.shape[1], fingerprint, kind)
            parts = [Segment(ids, unit, table)]
            return cls._write_joined(parts, directory, fingerprint, kind or choose(len(unit)), structure)

    @classmethod
    def make_trained(cls, sample: np.ndarray, count: int, directory: str | Path, fingerprint: str, kind: str) -> Index:
        """:meth:`.Index.train` with a checked sample."""
        directory = Path(directory)
        with locked(directory, "training the index"):
            structure = Structure(kind, sample.shape[1], train(kind, Rows([sample]), count))
            empty = Segment(np.zeros(0, np.int64), sample[:0], pa.table({}))
            segment = joined_segment(directory, [empty], structure)
            settings = {"recall_at_10": 1.0, "cells": structure.cells, "cells_searched": max(1, structure.cells // 64)}
            return cls._write(directory, Stored(fingerprint, kind, structure.dim, settings, structure, [segment]))

    @classmethod
    def read(cls, directory: str | Path, fingerprint: str | None) -> FaissIndex:
        stored = store.read(Path(directory), fingerprint)
        try:
            return cls(Path(directory), stored)
        except pa.ArrowException as error:
            raise StorageError(f"{directory}: its segments differ in columns ({error}); build it again.") from None

    @classmethod
    def join(cls, shards: Sequence[Index | str | Path], directory: str | Path, kind: str | None) -> Index:
        directory = Path(directory)
        with locked(directory, "merging indexes"):
            opened = [_opened(shard, directory) for shard in shards]
            fingerprints = sorted({shard.fingerprint for shard in opened})
            if len(fingerprints) > 1 or len({shard.dim for shard in opened}) > 1:
                raise FingerprintError(
                    f"the shards are of different encoders ({', '.join(fingerprints)}); merge those of one."
                )
            structure = opened[0]._structure
            if structure is not None and kind in (None, opened[0].kind):
                same = all(shard.kind == opened[0].kind and structure.same_as(shard._structure) for shard in opened)
                structure, kind = (structure, opened[0].kind) if same else (None, kind)
            else:
                structure = None
            # Sorted by the smallest id, so that the columns do not depend on the order of the shards.
            filled = sorted((shard for shard in opened if len(shard)), key=lambda shard: int(shard.ids[0]))
            parts = [segment for shard in filled or opened[:1] for segment in shard._stored.segments]
            kind = kind or choose(sum(map(len, parts)))
            return cls._write_joined(parts, directory, fingerprints[0], kind, structure)

    @classmethod
    def _write_joined(
        cls, parts: Sequence[Segment], directory: Path, fingerprint: str, kind: str, structure: Structure | None
    ) -> Index:
        """Writes all parts as one segment, with cells trained on them where no structure is given."""
        ids = np.concatenate([part.ids for part in parts])
        check_disjoint(ids)
        concatenated(parts)  # raises before anything is written
        rows = Rows([part.vectors for part in parts], np.argsort(ids, kind="stable"))
        if structure is None and kind != FLAT:
            structure = Structure(kind, rows.dim, train(kind, rows, len(rows)))
        segment = joined_segment(directory, parts, structure)
        settings = measured(Rows([segment.vectors]), _searchers(structure, [segment]), structure)
        return cls._write(directory, Stored(fingerprint, kind, rows.dim, settings, structure, [segment]))

    @classmethod
    def _write(cls, directory: Path, stored: Stored) -> Index:
        store.write(directory, stored)
        return cls.read(directory, stored.fingerprint)

    def add(self, vectors: np.ndarray, metadata: Metadata, ids: Ids | None = None) -> Index:
        """See :meth:`.Index.add`. Ids beyond the largest one are appended: written is a segment of the new rows, joined
        with earlier segments that are no larger, so that each row is written again a few times in all. Other ids are
        sorted in, which writes every file again: build a shard per batch for those and :meth:`merge` once.
        """
        unit, table = check_rows(vectors, metadata, self.dim)
        with locked(self.directory, "adding to the index"):
            current = self.read(self.directory, self.fingerprint)
            stored, last = current._stored, int(current.ids[-1]) if len(current) else -1
            new = Segment(check_ids(ids, len(unit), last + 1), unit, table)
            check_disjoint(np.concatenate([current.ids, new.ids]))
            outgrown = stored.kind == FLAT and len(current) + len(new) > FLAT_TO
            if outgrown or (len(current) and len(new) and new.ids.min() <= last):
                kind = choose(len(current) + len(new)) if outgrown else stored.kind
                structure = None if outgrown else stored.structure
                return self._write_joined(_coded([*stored.segments, new], structure), self.directory,
                                          self.fingerprint, kind, structure)  # fmt: skip
            before, parts = list(stored.segments), [new]
            concatenated([*before, new])  # raises before anything is written
            while before and len(before[-1]) <= sum(map(len, parts)):
                parts.insert(0, before.pop())
            parts = [part for part in parts if len(part)] or parts[-1:]
            segment = joined_segment(self.directory, _coded(parts, stored.structure), stored.structure)
            stored.segments = [*before, segment]
            return self._write(self.directory, stored)

    def remove(self, ids: Ids) -> Index:
        with locked(self.directory, "removing from the index"):
            current = self.read(self.directory, self.fingerprint)
            keep = np.ones(len(current), dtype=bool)
            keep[current._positions(ids)] = False
            stored, parts = current._stored, []
            for segment, mask in zip(stored.segments, np.split(keep, current._rows.starts[1:-1]), strict=True):
                if mask.all():
                    parts.append(segment)
                elif mask.any() or len(stored.segments) == 1:
                    parts.append(joined_segment(self.directory, [segment], stored.structure, mask))
            if not parts:
                none = np.zeros(len(stored.segments[0]), dtype=bool)
                parts = [joined_segment(self.directory, stored.segments[:1], stored.structure, none)]
            stored.segments = parts
            return self._write(self.directory, stored)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def metadata(self) -> pa.Table:
        return self._table

    @property
    def ids(self) -> np.ndarray:
        return self._ids

    def with_metadata(self, table: pa.Table) -> Index:
        changed = copy.copy(self)
        changed._table = table
        return changed

    def vectors(self, ids: Ids | None = None) -> np.ndarray:
        return self._rows.whole() if ids is None else np.array(self._rows[self._positions(ids)])

    def matching(self, where: Where) -> np.ndarray:
        return self._ids[mask_of(self._table, where)] if where else self._ids

    def _search(self, queries: np.ndarray, k: int, where: Where | None, exclude: Where | None) -> list[list[Hit]]:
        mask = mask_of(self._table, where) if where else np.ones(len(self), dtype=bool)
        mask = mask & ~mask_of(self._table, exclude) if exclude else mask
        return [hits_of(ranked, self._ids, self._table) for ranked in self._nearest(queries, k, mask)]

    def _nearest(self, queries: np.ndarray, k: int, mask: np.ndarray) -> list[Ranked]:
        count = int(mask.sum())
        k = min(k, count)
        if self._structure is None or count <= _EXACT_TO:
            return nearest(self._rows, queries, k, mask)
        probes = self._stored.settings["cells_searched"]
        candidates = proposed(self._searchers, queries, k, probes, mask)
        ranked = [rerank(self._rows, query, row, k) for query, row in zip(queries, candidates, strict=True)]
        # Where the searched cells hold too few rows, all rows are compared.
        return [
            pair if len(pair[0]) == k else nearest(self._rows, query[None], k, mask)[0]
            for query, pair in zip(queries, ranked, strict=True)
        ]

    def _positions(self, ids: Ids) -> np.ndarray:
        """Row numbers of ids."""
        ids = np.asarray(ids, dtype=np.int64).reshape(-1)
        if not len(self) and len(ids):
            raise ParameterError(f"the index is empty; there is no id {ids[0]}.")
        positions = np.searchsorted(self._ids, ids).clip(0, max(0, len(self) - 1))
        unknown = np.flatnonzero(self._ids[positions] != ids) if len(ids) else ids
        if len(unknown):
            raise ParameterError(f"{len(unknown)} ids are not in the index, the first is {ids[unknown[0]]}.")
        return positions


def _opened(shard: Index | str | Path, target: Path) -> FaissIndex:
    folder = shard.directory if isinstance(shard, Index) else Path(shard)
    if isinstance(shard, FaissIndex) and folder.resolve() != target.resolve():
        return shard
    opened = Index.open(folder)
    if not isinstance(opened, FaissIndex):
        raise ParameterError(f"{folder} is an index of kind {opened.kind!r}, which merges only with its own kind.")
    return opened


def _structure_like(like: Index | str | Path, dim: int, fingerprint: str, kind: str | None) -> tuple[Structure, str]:
    trained = like if isinstance(like, Index) else Index.open(like)
    if trained.fingerprint != fingerprint:
        raise FingerprintError(f"{trained.directory} was trained for {trained.fingerprint!r}, not {fingerprint!r}.")
    structure = trained._structure if isinstance(trained, FaissIndex) else None
    if structure is None or structure.dim != dim or kind not in (None, trained.kind):
        raise ParameterError(
            f"{trained.directory} is of kind {trained.kind!r} for {trained.dim} dimensions, which does not fit; "
            "give as like= an index that Index.train wrote for these vectors."
        )
    return structure, trained.kind


def _coded(parts: Sequence[Segment], structure: Structure | None) -> list[Segment]:
    """The parts with the codes of those that have none yet."""
    if structure is not None:
        for part in parts:
            if part.lists is None:
                part.lists = list(structure.encode(Rows([part.vectors])))
    return list(parts)


def _searchers(structure: Structure | None, segments: Sequence[Segment]) -> list[tuple[int, Any]]:
    """The number of rows and the FAISS index of each segment."""
    if structure is None:
        return []
    return [(len(segment), structure.searcher(segment.lists)) for segment in segments]  # type: ignore[arg-type]
