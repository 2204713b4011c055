"""A FAISS index on disk: segments of vectors, metadata and lists, and a record that names their files.

A segment is never changed; adding rows writes a new one. ``index.json`` is replaced last and names the other files,
whose names end in the beginning of their SHA-256. So a directory holds the old index or the new one, never half of
each, and an altered file is refused. Who writes holds the lock of the directory; who reads takes none and starts again
if the index was replaced meanwhile.

Files up to ``WHOLE`` bytes are read and checked in full when they are opened. Of larger ones only the size is checked,
because reading them all would take minutes: what they hold is checked where it is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...core.errors import FingerprintError, StorageError
from ...core.files import atomic_path, sha256, write_json, writing
from .checks import ID
from .lists import Cell, Lists, write_lists
from .record import RECORD, SUFFIXES, VERSION, read_record
from .rows import Rows
from .structures import FLAT, Structure
from .tensors import map_tensors, write_tensors

WHOLE = 1 << 30
_ROW_BYTES = 1 << 16  # of uncompressed metadata per row; a file that states more is not read
_BLOCK = 1 << 16


@dataclass
class Segment:
    """Rows in ascending order of their ids.

    Args:
        ids: int64 [n], ascending, without repeats.
        vectors: float32 [n, D] of length one, mapped.
        metadata: n rows.
        lists: Codes of the vectors; None in a flat index.
        record: Its count and files, as ``index.json`` holds them; empty while it is not written.
    """

    ids: np.ndarray
    vectors: np.ndarray
    metadata: pa.Table
    lists: Lists | Sequence[Cell] | None = None
    record: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass
class Stored:
    """The contents of an index: the fingerprint of its encoder, kind, D, settings of the search, segments."""

    fingerprint: str
    kind: str
    dim: int
    settings: dict[str, Any]
    structure: Structure | None
    segments: list[Segment]


def write_segment(
    directory: Path, ids: np.ndarray, vectors: Rows, metadata: pa.Table, cells: Iterable[Cell] | None,
    structure: Structure | None,
) -> Segment:  # fmt: skip
    """Writes the files of a segment and opens it; no record names them yet."""

    def write_metadata(path: Path) -> None:
        # A table without columns (metadata without keys) has its rows by the ids alone.
        fields = pa.schema([pa.field(ID, pa.int64()), *metadata.schema], metadata=metadata.schema.metadata)
        pq.write_table(pa.table([pa.array(ids), *metadata.columns], schema=fields), path, compression="zstd")

    arrays: dict[str, np.ndarray | Rows] = {"ids": ids, "vectors": vectors}
    files = {"vectors": _written(directory, "vectors", lambda path: write_tensors(path, arrays))}
    files["metadata"] = _written(directory, "metadata", write_metadata)
    if cells is not None:
        files["lists"] = _written(directory, "lists", lambda path: write_lists(path, cells))
    return _segment(directory, {"count": len(ids), "files": files}, vectors.dim, structure, check=False)


def write(directory: Path, stored: Stored) -> None:
    """Replaces the index in ``directory``, which the caller has locked, by one of segments that are written there.

    Raises:
        StorageError: it cannot be written; the old index stays.
    """
    structure = None
    if stored.structure is not None:
        arrays = stored.structure.arrays
        structure = _written(directory, "structure", lambda path: write_tensors(path, arrays))
        structure["arrays"] = {name: list(array.shape) for name, array in arrays.items()}
    record = {
        "version": VERSION,
        "fingerprint": stored.fingerprint,
        "kind": stored.kind,
        "dim": stored.dim,
        "settings": stored.settings,
        "structure": structure,
        "segments": [segment.record for segment in stored.segments],
    }
    write_json(directory / RECORD, record)
    entries = [entry for segment in stored.segments for entry in segment.record["files"].values()]
    current = {entry["name"] for entry in (*entries, structure or entries[0])}
    for part, suffix in SUFFIXES.items():
        for path in directory.glob(f"{part}-????????{suffix}"):
            if path.name not in current:
                path.unlink(missing_ok=True)


def read(directory: Path, fingerprint: str | None) -> Stored:
    """Opens what :func:`write` wrote; vectors and lists are memory-mapped.

    Raises:
        FingerprintError: it is of another encoder than ``fingerprint``.
        StorageError: a file is missing, truncated, altered or of another version.
    """
    while True:
        before = _stamp(directory)
        try:
            return _read(directory, fingerprint)
        except (StorageError, OSError) as error:
            if _stamp(directory) != before:
                continue  # replaced by another process, which removed the old files
            if isinstance(error, StorageError):
                raise
            raise StorageError(f"{directory} cannot be read ({error}); build the index again.") from error


def _stamp(directory: Path) -> tuple[int, ...] | None:
    """Differs between two records that were in the directory one after the other."""
    try:
        about = (directory / RECORD).stat()
    except OSError:
        return None
    return about.st_ino, about.st_mtime_ns, about.st_size


def _read(directory: Path, fingerprint: str | None) -> Stored:
    record = read_record(directory / RECORD)
    if fingerprint is not None and fingerprint != record["fingerprint"]:
        raise FingerprintError(
            f"{directory} was built with encoder {record['fingerprint']!r}, not {fingerprint!r}; "
            "open it with that encoder or build it again from this one's embeddings."
        )
    kind, dim, entry, structure = record["kind"], record["dim"], record["structure"], None
    if kind != FLAT:
        layout = {name: ("F32", tuple(shape)) for name, shape in entry["arrays"].items()}
        structure = Structure(kind, dim, map_tensors(_checked(directory, entry), layout))
        if record["settings"]["cells_searched"] > structure.cells:
            raise StorageError(f"{directory / RECORD} searches more cells than there are; build the index again.")
    segments = [_segment(directory, part, dim, structure, check=True) for part in record["segments"]]
    ids = np.concatenate([segment.ids for segment in segments])
    if not (ids[1:] > ids[:-1]).all():
        raise StorageError(f"{directory}: the ids do not ascend; build the index again.")
    return Stored(record["fingerprint"], kind, dim, record["settings"], structure, segments)


def _segment(directory: Path, record: dict[str, Any], dim: int, structure: Structure | None, check: bool) -> Segment:
    files, count = record["files"], record["count"]
    paths = {name: _checked(directory, entry) if check else directory / entry["name"] for name, entry in files.items()}
    mapped = map_tensors(paths["vectors"], {"ids": ("I64", (count,)), "vectors": ("F32", (count, dim))})
    vectors, ids = mapped["vectors"], np.array(mapped["ids"])
    lists = None
    if structure is not None:
        small = check and files["lists"]["bytes"] <= WHOLE
        lists = Lists(paths["lists"], count, structure.cells, structure.code_bytes, small)
    if check and files["vectors"]["bytes"] <= WHOLE:
        _check_lengths(paths["vectors"], vectors)
    return Segment(ids, vectors, _read_metadata(paths["metadata"], ids), lists, record)


def _check_lengths(path: Path, vectors: np.ndarray) -> None:
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        length = np.einsum("nd,nd->n", block, block)
        if not (np.abs(length - 1.0) < 1e-3).all():  # NaN fails as well
            raise StorageError(f"{path} holds vectors that are not of length one; build the index again.")


def _written(directory: Path, part: str, write_to: Callable[[Path], None]) -> dict[str, Any]:
    suffix = SUFFIXES[part]
    with atomic_path(directory / f"{part}{suffix}") as path:
        write_to(path)
    written = directory / f"{part}{suffix}"
    with writing(written):
        digest = sha256(written)
        name = f"{part}-{digest[:8]}{suffix}"
        os.replace(written, directory / name)
    return {"name": name, "bytes": (directory / name).stat().st_size, "sha256": digest}


def _checked(directory: Path, entry: dict[str, Any]) -> Path:
    path = directory / entry["name"]
    if not path.is_file():
        raise StorageError(f"{path} does not exist; build the index again.")
    size = path.stat().st_size
    if size != entry["bytes"]:
        raise StorageError(f"{path} has {size} bytes, not {entry['bytes']}: truncated or replaced; build it again.")
    if size <= WHOLE and sha256(path) != entry["sha256"]:
        raise StorageError(f"{path} does not have the SHA-256 in {RECORD}: altered; build the index again.")
    return path


def _read_metadata(path: Path, ids: np.ndarray) -> pa.Table:
    limit = max(1 << 16, path.stat().st_size)
    options: dict[str, Any] = {"thrift_string_size_limit": limit, "thrift_container_size_limit": limit}
    try:
        about = pq.ParquetFile(path, **options).metadata
        groups = [about.row_group(at) for at in range(about.num_row_groups)]
        sizes = [group.column(at).total_uncompressed_size for group in groups for at in range(group.num_columns)]
        if about.num_rows != len(ids) or min(sizes, default=0) < 0 or sum(sizes) > _ROW_BYTES * (len(ids) + 64):
            raise StorageError(f"{path} does not have {len(ids)} rows of a plausible size; build the index again.")
        table = pq.read_table(path, **options)
        stored_ids = table.column(ID).to_numpy()
        table.validate(full=True)
    except (pa.ArrowException, OSError, KeyError, ValueError, MemoryError, OverflowError) as error:
        raise StorageError(f"{path} cannot be read as Parquet ({error}); build the index again.") from None
    if stored_ids.dtype != np.int64 or not np.array_equal(stored_ids, ids):
        raise StorageError(f"{path}: its ids are not those of the vectors; build the index again.")
    return table.drop_columns([ID])
