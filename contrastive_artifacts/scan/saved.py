"""Stretches of an unfinished scan in a folder, so that a scan that was killed goes on where it was."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..core import files
from ..core.journal import tool_version
from .stretches import Stretch

_FORMAT = 2
_NUMBERS = ("run", "first", "stop")
_ARRAYS = ("probabilities", "severities", "cells")


class SavedStretches:
    """The stretches of one scan, a Parquet file each, written as a whole or not at all.

    A row of the file is a window; the arrays of :class:`Stretch` are lists in it, over lanes, labels and cells. The
    metadata of the schema hold the other values, the shapes, and what the scan depends on.

    Args:
        folder: Holds a folder for each scan; created with the first stretch.
        about: All that their values depend on: the state of the file, the encoder, the channels. A scan that differs in
            any of them finds nothing.
    """

    def __init__(self, folder: str | Path, *about: object) -> None:
        self._about = parts = repr((_FORMAT, tool_version(), *map(str, about)))
        self._parent = Path(folder)
        self._folder = self._parent / hashlib.blake2b(parts.encode(errors="replace"), digest_size=12).hexdigest()

    def load(self, first: int) -> Stretch | None:
        """The stretch that begins with a window; None if it is not there or damaged."""
        try:
            table = pq.read_table(self._path(first))
            values = json.loads(table.schema.metadata[b"stretch"])
            arrays = [_array(table.column(name), values[name]) for name in _ARRAYS]
            starts, cancels = (table.column(name).to_numpy() for name in ("starts", "cancels"))
            run, number, stop = (int(values[name]) for name in _NUMBERS)
            return Stretch(run, number, stop, starts, cancels, *arrays)
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
            return None

    def save(self, stretch: Stretch) -> None:
        """Adds a stretch.

        Raises:
            StorageError: it cannot be written.
        """
        values: dict[str, Any] = {name: getattr(stretch, name) for name in _NUMBERS}
        columns = {"starts": pa.array(stretch.starts), "cancels": pa.array(stretch.cancels)}
        for name in _ARRAYS:
            by_window = np.ascontiguousarray(np.moveaxis(getattr(stretch, name), 1, 0))
            values[name] = by_window.shape
            flat = pa.array(by_window.reshape(-1))
            size = by_window.size // max(1, len(by_window))
            columns[name] = pa.FixedSizeListArray.from_arrays(flat, size) if size else pa.nulls(len(by_window))
        metadata = {"stretch": json.dumps(values), "about": self._about.encode(errors="replace")}
        table = pa.table(columns).replace_schema_metadata(metadata)
        with files.atomic_path(self._path(stretch.first)) as temporary:
            pq.write_table(table, temporary, compression="zstd")

    def clear(self) -> None:
        """Removes the stretches, once the results are written, and those of earlier states of the file."""
        remove(self._parent)

    def _path(self, first: int) -> Path:
        return self._folder / f"{first:09d}.parquet"


def remove(folder: Path) -> None:
    """Removes a folder of stretches, and the one around it if that is empty then."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        folder.parent.rmdir()


def _array(column: pa.ChunkedArray, shape: Sequence[int]) -> np.ndarray:
    """A column of lists as an array [lanes, n, ...], of its shape [n, lanes, ...]."""
    if pa.types.is_null(column.type):
        return np.moveaxis(np.zeros(shape, np.uint8), 0, 1)
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(np.moveaxis(flat.reshape(shape), 0, 1))
