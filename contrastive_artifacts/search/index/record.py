"""The record of a FAISS index, ``index.json``: its format, checked before anything that it names is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...core.errors import StorageError
from ...core.files import read_json
from .checks import MAX_DIM
from .structures import CODINGS, FLAT

VERSION = 3
RECORD = "index.json"
SUFFIXES = {"vectors": ".safetensors", "metadata": ".parquet", "lists": ".bin", "structure": ".safetensors"}
_BYTES = 1 << 20
_MOST = 1 << 48  # rows, or values of an array


def read_record(path: Path) -> dict[str, Any]:
    """The record in a file.

    Raises:
        StorageError: it is missing, of another version, lacks a field or holds a value out of range.
    """
    if path.is_file() and path.stat().st_size > _BYTES:
        raise StorageError(f"{path} is larger than any record of an index; build the index again.")
    record = read_json(path)
    if isinstance(record, dict) and record.get("version") == 2 and record.get("kind") == FLAT:  # one segment
        segment = {"count": record.get("count"), "files": record.get("files")}
        record = {**record, "version": VERSION, "structure": None, "segments": [segment]}
    if not isinstance(record, dict) or record.get("version") != VERSION:
        version = record.get("version") if isinstance(record, dict) else None
        raise StorageError(f"{path} has version {version!r}, this program reads {VERSION}; build the index again.")
    kind, settings, segments = record.get("kind"), record.get("settings"), record.get("segments")
    texts = isinstance(record.get("fingerprint"), str) and isinstance(kind, str) and (kind == FLAT or kind in CODINGS)
    parts = {"vectors", "metadata"} if kind == FLAT else {"vectors", "metadata", "lists"}
    if not (
        texts
        and _is_whole(record.get("dim"), 1, MAX_DIM)
        and _are_settings(settings, kind)
        and (record.get("structure") is None if kind == FLAT else _is_structure(record.get("structure")))
        and isinstance(segments, list)
        and segments
        and all(_is_segment(segment, parts) for segment in segments)
    ):
        raise StorageError(f"{path} lacks a field or holds a value out of range; build the index again.")
    return record


def _is_whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _are_settings(settings: Any, kind: Any) -> bool:
    if not isinstance(settings, dict):
        return False
    recall = settings.get("recall_at_10")
    measured = isinstance(recall, (int, float)) and 0 <= recall <= 1
    return measured and (kind == FLAT or _is_whole(settings.get("cells_searched"), 1, _MOST))


def _is_segment(segment: Any, parts: set[str]) -> bool:
    if not isinstance(segment, dict) or not _is_whole(segment.get("count"), 0, _MOST):
        return False
    files = segment.get("files")
    return (
        isinstance(files, dict) and set(files) == parts and all(_is_file(part, entry) for part, entry in files.items())
    )


def _is_file(part: str, entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("sha256"), str):
        return False
    name = f"{part}-{entry['sha256'][:8]}{SUFFIXES[part]}"  # a file in the folder of the record, never elsewhere
    return (
        entry.get("name") == name and "/" not in name and "\0" not in name and _is_whole(entry.get("bytes"), 0, _MOST)
    )


def _is_structure(entry: Any) -> bool:
    if not _is_file("structure", entry) or not isinstance(entry.get("arrays"), dict):
        return False
    shapes = entry["arrays"].values()
    return set(entry["arrays"]) == {"centroids", "trained"} and all(
        isinstance(shape, list) and 1 <= len(shape) <= 2 and all(_is_whole(size, 0, _MOST) for size in shape)
        for shape in shapes
    )
