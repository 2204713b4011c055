"""An index on disk: vectors and codes as plain arrays, metadata as Parquet, and a record that names them.

``index.json`` is replaced last and names the other files, whose names end in the beginning of their SHA-256. So a
directory holds the old index or the new one, never half of each, and an altered file is refused. Who writes holds the
lock of the directory; who reads takes none and starts again if the index was replaced meanwhile. FAISS deserialises
nothing: its structures are built again from checked arrays.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...core.errors import FingerprintError, StorageError
from ...core.files import atomic_path, read_json, sha256, write_json, writing
from .tensors import map_tensors, write_tensors

VERSION = 2
RECORD = "index.json"
ID = "_id"  # the metadata column that ties a row to its vector
MAX_DIM = 1 << 16
_PARTS = {"vectors": ".safetensors", "metadata": ".parquet", "structure": ".safetensors"}
_RECORD_BYTES = 1 << 20
_ROW_BYTES = 1 << 16  # of uncompressed metadata per row; a file that states more is not read


@dataclass
class Stored:
    """The contents of an index.

    Args:
        fingerprint: Of the encoder.
        kind: Name of the search structure.
        vectors: float32 [N, D] of length one, in ascending order of the ids.
        ids: int64 [N], ascending, without repeats.
        metadata: N rows.
        settings: Of the search structure; plain JSON.
        arrays: Of the search structure.
    """

    fingerprint: str
    kind: str
    vectors: np.ndarray
    ids: np.ndarray
    metadata: pa.Table
    settings: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


def write(directory: Path, stored: Stored) -> None:
    """Replaces the index in ``directory``, which the caller has locked; the old one stays until the record is renamed.

    Raises:
        StorageError: it cannot be written; the old index stays.
    """
    names = ["vectors", "metadata"] + (["structure"] if stored.arrays else [])
    files = {name: _write_part(directory, name, stored) for name in names}
    record = {
        "version": VERSION,
        "fingerprint": stored.fingerprint,
        "kind": stored.kind,
        "dim": int(stored.vectors.shape[1]),
        "count": len(stored.vectors),
        "settings": stored.settings,
        "arrays": {name: [str(a.dtype), list(a.shape)] for name, a in stored.arrays.items()},
        "files": files,
    }
    write_json(directory / RECORD, record)
    current = {entry["name"] for entry in files.values()}
    for part, suffix in _PARTS.items():
        for path in directory.glob(f"{part}-????????{suffix}"):
            if path.name not in current:
                path.unlink(missing_ok=True)


def read(directory: Path, fingerprint: str | None) -> Stored:
    """Opens what :func:`write` wrote; vectors and codes are memory-mapped.

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
    record = _read_record(directory)
    if fingerprint is not None and fingerprint != record["fingerprint"]:
        raise FingerprintError(
            f"{directory} was built with encoder {record['fingerprint']!r}, not {fingerprint!r}; "
            "open it with that encoder or build it again from this one's embeddings."
        )
    count, dim = record["count"], record["dim"]
    paths = {name: _checked(directory, entry) for name, entry in record["files"].items()}
    mapped = map_tensors(paths["vectors"], {"ids": ("I64", (count,)), "vectors": ("F32", (count, dim))})
    vectors, ids = mapped["vectors"], np.array(mapped["ids"])
    if not (ids[1:] > ids[:-1]).all():
        raise StorageError(f"{paths['vectors']}: the ids do not ascend; build the index again.")
    for start in range(0, count, 1 << 16):
        block = vectors[start : start + (1 << 16)]
        length = np.einsum("nd,nd->n", block, block)
        if not (np.abs(length - 1.0) < 1e-3).all():  # NaN fails as well
            raise StorageError(f"{paths['vectors']} holds vectors that are not of length one; build the index again.")
    arrays: dict[str, np.ndarray] = {}
    if "structure" in paths:
        kinds = {"float32": "F32", "int64": "I64", "uint8": "U8"}
        layout = {name: (kinds[kind], tuple(shape)) for name, (kind, shape) in record["arrays"].items()}
        arrays = map_tensors(paths["structure"], layout)
    metadata = _read_metadata(paths["metadata"], ids)
    return Stored(record["fingerprint"], record["kind"], vectors, ids, metadata, record["settings"], arrays)


def _write_part(directory: Path, part: str, stored: Stored) -> dict[str, Any]:
    suffix = _PARTS[part]
    with atomic_path(directory / f"{part}{suffix}") as path:
        if part == "metadata":
            # A table without columns (metadata without keys) has its N rows by the ids alone.
            table = stored.metadata
            fields = pa.schema([pa.field(ID, pa.int64()), *table.schema], metadata=table.schema.metadata)
            columns = pa.table([pa.array(stored.ids), *table.columns], schema=fields)
            pq.write_table(columns, path, compression="zstd")
        elif part == "vectors":
            write_tensors(path, {"ids": stored.ids, "vectors": stored.vectors})
        else:
            write_tensors(path, stored.arrays)
    written = directory / f"{part}{suffix}"
    with writing(written):
        digest = sha256(written)
        name = f"{part}-{digest[:8]}{suffix}"
        os.replace(written, directory / name)
    return {"name": name, "bytes": (directory / name).stat().st_size, "sha256": digest}


def _checked(directory: Path, entry: Mapping[str, Any]) -> Path:
    path = directory / entry["name"]
    if not path.is_file():
        raise StorageError(f"{path} does not exist; build the index again.")
    size = path.stat().st_size
    if size != entry["bytes"]:
        raise StorageError(f"{path} has {size} bytes, not {entry['bytes']}: truncated or replaced; build it again.")
    if sha256(path) != entry["sha256"]:
        raise StorageError(f"{path} does not have the SHA-256 in {RECORD}: altered; build the index again.")
    return path


def _read_record(directory: Path) -> dict[str, Any]:
    path = directory / RECORD
    if path.is_file() and path.stat().st_size > _RECORD_BYTES:
        raise StorageError(f"{path} is larger than any record of an index; build the index again.")
    record = read_json(path)
    if not isinstance(record, dict) or record.get("version") != VERSION:
        version = record.get("version") if isinstance(record, dict) else None
        raise StorageError(f"{path} has version {version!r}, this program reads {VERSION}; build the index again.")
    whole = all(type(record.get(key)) is int for key in ("dim", "count"))
    texts = all(isinstance(record.get(key), str) for key in ("fingerprint", "kind"))
    parts: Any = record.get("files")
    arrays: Any = record.get("arrays")
    named = isinstance(parts, dict) and {"vectors", "metadata"} <= set(parts) <= set(_PARTS)
    if (
        not (whole and texts and named and isinstance(record.get("settings"), dict) and isinstance(arrays, dict))
        or not (record["count"] >= 0 and 1 <= record["dim"] <= MAX_DIM)
        or not all(_is_file_entry(part, entry) for part, entry in parts.items())
        or not all(_is_array_entry(entry) for entry in arrays.values())
        or bool(arrays) != ("structure" in parts)
    ):
        raise StorageError(f"{path} lacks a field or holds a value out of range; build the index again.")
    return record


def _is_file_entry(part: str, entry: Any) -> bool:
    if not isinstance(entry, dict) or not {"name", "bytes", "sha256"} <= set(entry):
        return False
    name = entry["name"]  # a file in the folder of the record, never elsewhere
    return isinstance(name, str) and name == f"{part}-{str(entry['sha256'])[:8]}{_PARTS[part]}" and "/" not in name


def _is_array_entry(entry: Any) -> bool:
    return (
        isinstance(entry, list)
        and len(entry) == 2
        and entry[0] in ("float32", "int64", "uint8")
        and isinstance(entry[1], list)
        and 1 <= len(entry[1]) <= 3
        and all(type(size) is int and size >= 0 for size in entry[1])
    )


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
