"""Arrays in a safetensors file that are mapped into memory instead of read.

The format is that of https://github.com/huggingface/safetensors (eight bytes of header length, JSON, raw arrays); the
header is padded so that every array is aligned. Whoever opens a file states what must be in it, and the size of the
file is compared with that before memory is allocated.

Written by hand because no library maps this format: ``numpy.load(mmap_mode="r")`` maps .npy files only, which existing
indexes are not, and the safetensors package copies every array that it reads or writes into memory.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import StorageError
from .rows import Rows

DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "I64": np.dtype("<i8"), "U8": np.dtype("u1")}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_HEADER = 1 << 16  # bytes at most; headers written here take some hundred
_ROWS = 1 << 16  # written at a time, so that an array that is itself mapped is never in memory as a whole
Layout = Mapping[str, tuple[str, tuple[int, ...]]]  # name -> (name of the dtype, shape)


def write_tensors(path: Path, arrays: Mapping[str, np.ndarray | Rows]) -> None:
    """Writes float32, int64 and uint8 arrays, those of wider items first, which keeps all of them aligned."""
    ordered = sorted(arrays.items(), key=lambda item: (-item[1].dtype.itemsize, item[0]))
    header, at = {}, 0
    for name, array in ordered:
        header[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [at, at + array.nbytes],
        }
        at += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 64)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, array in ordered:
            for start in range(0, len(array), _ROWS):
                file.write(np.ascontiguousarray(array[start : start + _ROWS]).data)


def map_tensors(path: Path, layout: Layout) -> dict[str, np.ndarray]:
    """Read-only memory maps of exactly the arrays of ``layout``.

    Raises:
        StorageError: the file is missing, has another size than the layout takes, or describes other arrays.
    """
    sizes = {name: DTYPES[kind].itemsize * math.prod(shape) for name, (kind, shape) in layout.items()}
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            head = file.read(8)
            length = struct.unpack("<Q", head)[0] if len(head) == 8 else -1
            if not 0 <= length <= _HEADER or size != 8 + length + sum(sizes.values()):
                raise StorageError(f"{path} has {size} bytes, not what its arrays take; build the index again.")
            described = json.loads(file.read(length))
    except (OSError, ValueError, RecursionError) as error:
        raise StorageError(f"{path} cannot be read as safetensors ({error}); build the index again.") from None
    mapped: dict[str, np.ndarray] = {}
    for name, (kind, shape) in layout.items():
        entry = described.get(name) if isinstance(described, dict) else None
        start = _start(entry, kind, shape, sizes[name], sum(sizes.values()))
        if start is None:
            raise StorageError(f"{path} does not hold {name!r} as {kind} {list(shape)}; build the index again.")
        offset = 8 + length + start
        empty = not sizes[name]  # zero bytes cannot be mapped
        mapped[name] = np.zeros(shape, DTYPES[kind]) if empty else np.memmap(path, DTYPES[kind], "r", offset, shape)
    return mapped


def _start(entry: object, kind: str, shape: tuple[int, ...], size: int, total: int) -> int | None:
    """The first byte of an array, or None where its entry in the header is another or out of range."""
    if not isinstance(entry, dict) or entry.get("dtype") != kind or entry.get("shape") != list(shape):
        return None
    offsets = entry.get("data_offsets")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(at) is int for at in offsets):
        return None
    start, stop = offsets
    return start if 0 <= start <= total - size and stop - start == size else None
