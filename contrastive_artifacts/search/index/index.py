"""Similarity search over embeddings, with metadata to filter by: what every kind of index has in common.

Vectors are L2-normalised when an index is built, so that the inner product is the cosine. The order of the input does
not matter, and hits of equal score come in the order of their ids.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...core.errors import ParameterError
from ...core.location import is_address
from ...core.outbox import local_folder
from ...core.registry import Registry
from .checks import Ids, Metadata, check_fingerprint, check_ids, check_k, check_rows, check_vectors
from .metadata import Where, rows_at
from .rows import Ranked

# kind -> module and class; the module of an optional engine is imported only for its own indexes
KINDS: Registry[tuple[str, str]] = Registry("kind of index")
for _kind in ("flat", "ivf_sq8", "ivf_pq"):
    KINDS.register(_kind, ("faiss_index", "FaissIndex"))
KINDS.register("lance", ("lance_index", "LanceIndex"))
_FOLDER_OF_LANCE = "index.lance"


@dataclass(frozen=True)
class Hit:
    """One search result: id of the row, cosine in [-1, 1], and the row's metadata."""

    id: int
    score: float
    metadata: dict[str, Any]


class Index(ABC):
    """Vectors of one encoder with their metadata; made by :meth:`build`, :meth:`merge` or :meth:`open`.

    An opened index does not change; :meth:`add` and :meth:`remove` write the index in its place and return it. One
    process at a time writes a folder, any other is refused; who opens it meanwhile gets the old index or the new one.

    Attributes:
        location: Folder of its files, or its address.
        directory: The folder; of an index at an address the one for what this machine adds (roots, maps, tables).
        fingerprint: Of the encoder that computed the vectors.
        kind: "flat" (exact), "ivf_sq8", "ivf_pq" or "lance".
        recall: Share of the ten nearest rows that a search returns, measured with vectors of the index as queries when
            it was built or merged; 1 where every row is compared. It is lower for queries unlike every row (a
            difference of examples).
    """

    location: str
    directory: Path
    fingerprint: str
    kind: str
    recall: float
    dim: int

    @property
    def name(self) -> str:
        """The last part of its location."""
        if is_address(self.location):
            return self.location.rstrip("/").rpartition("/")[2]
        return self.directory.resolve().name

    # ------------------------------------------------------------------ made, opened
    @staticmethod
    def build(
        vectors: np.ndarray, metadata: Metadata, directory: str | Path, fingerprint: str, ids: Ids | None = None,
        kind: str | None = None, like: Index | str | Path | None = None,
    ) -> Index:  # fmt: skip
        """Writes an index into ``directory`` (created if necessary; an existing index is replaced) and opens it.

        Args:
            vectors: [N, D] float, finite, none of length zero; normalised here.
            metadata: N rows. In a list of dicts a missing key becomes None, and dicts or lists as values are stored as
                JSON.
            directory: Target folder; with ``kind="lance"`` also an address such as ``s3://bucket/index``.
            fingerprint: Of the encoder.
            ids: N different int64, such as hashes of the rows; row i gets id i if not given.
            kind: How it is searched. By default "flat" (exact) up to a million vectors, "ivf_sq8" up to 20 million,
                "ivf_pq" beyond; these search by FAISS. "lance" is a LanceDB table (IVF-PQ).
            like: An index that :meth:`train` wrote: its cells and codes are used and nothing is trained, so that shards
                of several workers are merged without encoding a vector twice.

        Raises:
            ParameterError: shapes, counts or values that do not fit.
            FingerprintError: ``like`` is of another encoder.
            UnknownNameError: no such kind.
            StorageError: another process is writing the index, or it cannot be written.
        """
        check_fingerprint(fingerprint)
        unit, table = check_rows(vectors, metadata)
        return _member(kind, directory).make(unit, table, check_ids(ids, len(unit)), directory, fingerprint, kind, like)

    @staticmethod
    def train(sample: np.ndarray, count: int, directory: str | Path, fingerprint: str, kind: str = "ivf_pq") -> Index:
        """Writes an index without rows whose cells and codes are trained, for the ``like`` of :meth:`build`.

        Args:
            sample: [n, D], drawn at random from the vectors to come; 96 per square root of ``count`` are used.
            count: Number of vectors that all shards will have together.
            directory: Target folder.
            fingerprint: Of the encoder.
            kind: "ivf_sq8" or "ivf_pq".
        """
        check_fingerprint(fingerprint)
        member = import_module(".faiss_index", __package__).FaissIndex
        trained: Index = member.make_trained(check_vectors(sample), count, directory, fingerprint, kind)
        return trained

    @staticmethod
    def open(directory: str | Path, fingerprint: str | None = None) -> Index:
        """Opens the index in ``directory``; with ``fingerprint``, only one built with that encoder.

        Raises:
            FingerprintError: the index was built with another encoder.
            StorageError: a file is missing, truncated, altered or of another version.
            ParameterError: the package that reads this kind is not installed.
        """
        return _member(None, directory).read(directory, fingerprint)

    @staticmethod
    def merge(shards: Sequence[Index | str | Path], directory: str | Path, kind: str | None = None) -> Index:
        """Merges indexes to one, in a new folder or that of one of them; the order of the shards does not matter.

        A shard in the target folder is opened again, so that rows which were added since are not lost. Shards that
        were built ``like`` one trained index are joined list by list; memory holds 24 bytes per row and the metadata.

        Raises:
            ParameterError: no shards, an id that stands in two of them, or metadata of different types.
            FingerprintError: shards of different encoders.
            StorageError: another process is writing the target, or it cannot be written.
        """
        if not shards:
            raise ParameterError("there is no index to merge; give at least one.")
        first = shards[0].location if isinstance(shards[0], Index) else shards[0]
        return _member(kind, first).join(shards, directory, kind)

    @classmethod
    @abstractmethod
    def make(
        cls, unit: np.ndarray, table: pa.Table, ids: np.ndarray, directory: str | Path, fingerprint: str,
        kind: str | None, like: Index | str | Path | None,
    ) -> Index:  # fmt: skip
        """:meth:`build` of checked rows."""

    @classmethod
    @abstractmethod
    def read(cls, directory: str | Path, fingerprint: str | None) -> Index:
        """:meth:`open` of an index of this member."""

    @classmethod
    @abstractmethod
    def join(cls, shards: Sequence[Index | str | Path], directory: str | Path, kind: str | None) -> Index:
        """:meth:`merge` of indexes of this member."""

    # ------------------------------------------------------------------ changed
    @abstractmethod
    def add(self, vectors: np.ndarray, metadata: Metadata, ids: Ids | None = None) -> Index:
        """Writes more rows into this folder; ids count on from the largest one if not given.

        The folder is read again first, so that rows which another process added since are not lost.

        Raises:
            ParameterError: as :meth:`build`, or an id that the index already has.
            StorageError: another process is writing the index, or it cannot be written.
        """

    @abstractmethod
    def remove(self, ids: Ids) -> Index:
        """Writes the index in this folder, read again first, without the rows of these ids.

        Raises:
            ParameterError: an id that the index does not have.
            StorageError: another process is writing the index, or it cannot be written.
        """

    # ------------------------------------------------------------------ read
    @property
    @abstractmethod
    def metadata(self) -> pa.Table:
        """Table of N rows, in ascending order of the ids; nested values are columns of JSON text."""

    @property
    @abstractmethod
    def ids(self) -> np.ndarray:
        """int64 [N], ascending."""

    @abstractmethod
    def with_metadata(self, table: pa.Table) -> Index:
        """This index with other metadata [N] in memory; nothing is written."""

    @abstractmethod
    def vectors(self, ids: Ids | None = None) -> np.ndarray:
        """The normalised vectors of ``ids``, float32 [len(ids), D]; all of them if not given."""

    @abstractmethod
    def matching(self, where: Where) -> np.ndarray:
        """The ids, ascending, of the rows that match ``where``; see :meth:`search`."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def _search(self, queries: np.ndarray, k: int, where: Where | None, exclude: Where | None) -> list[list[Hit]]:
        """:meth:`search_batch` of normalised vectors with one condition."""

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
        self, vectors: np.ndarray, k: int = 10, where: Where | None = None,
        exclude: Where | Sequence[Where | None] | None = None,
    ) -> list[list[Hit]]:  # fmt: skip
        """:meth:`search` for each row of ``vectors`` [M, D]; ``exclude`` may be a list of M conditions."""
        queries = check_vectors(vectors, self.dim)
        check_k(k)
        excluded = [exclude] * len(queries) if exclude is None or isinstance(exclude, Mapping) else list(exclude)
        if len(excluded) != len(queries):
            raise ParameterError(f"{len(queries)} vectors but {len(excluded)} exclude conditions; give one per vector.")
        by_filter: dict[str, list[int]] = {}  # queries with the same filter are searched together
        for row, condition in enumerate(excluded):
            by_filter.setdefault(repr(sorted((condition or {}).items(), key=lambda item: item[0])), []).append(row)
        results: list[list[Hit]] = [[] for _ in queries]
        for rows in by_filter.values():
            hits = self._search(queries[rows], int(k), where, excluded[rows[0]])
            for row, hits_of_row in zip(rows, hits, strict=True):
                results[row] = hits_of_row
        return results


def hits_of(ranked: Ranked, ids: np.ndarray, table: pa.Table) -> list[Hit]:
    """The rows at ranked positions as hits."""
    positions, scores = ranked
    rows = rows_at(table, positions)
    cosines = scores.clip(-1.0, 1.0).tolist()
    return [Hit(i, s, row) for i, s, row in zip(ids[positions].tolist(), cosines, rows, strict=True)]


def home_of(location: str | Path) -> Path:
    """The folder of an index; for the address of one, the folder in which this machine adds to it."""
    return local_folder("indexes", str(location)) if is_address(location) else Path(location)


def _member(kind: str | None, directory: str | Path) -> type[Index]:
    """The class of a kind, or of the index in a folder."""
    if kind is None:
        kind = "lance" if is_address(directory) or (Path(directory) / _FOLDER_OF_LANCE).is_dir() else "flat"
    module, name = KINDS[kind]
    member: type[Index] = getattr(import_module(f".{module}", __package__), name)
    return member
