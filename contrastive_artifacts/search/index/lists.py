"""Inverted lists in a file that is mapped into memory, in the layout of FAISS's OnDiskInvertedLists.

For each cell the codes of its vectors, then their positions as int64; after all cells the number of vectors of each, as
int64. FAISS gets the sizes from here and deserialises nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ...core.errors import StorageError

Cell = tuple[np.ndarray, np.ndarray]  # codes uint8 [n, bytes] and positions int64 [n], ascending


class Lists:
    """The lists of ``count`` vectors in a file.

    Args:
        path: The file.
        count: Number of vectors.
        cells: Number of cells.
        code_bytes: Bytes of a code.
        check: Whether the positions are read and must be each of 0 ... count - 1 once.

    Raises:
        StorageError: the file has another size or inconsistent contents.
    """

    def __init__(self, path: Path, count: int, cells: int, code_bytes: int, check: bool) -> None:
        self.path, self.code_bytes, self._count = path, code_bytes, count
        self.nbytes = count * (code_bytes + 8)
        if path.stat().st_size != self.nbytes + 8 * cells:
            raise StorageError(f"{path} does not hold {count} codes in {cells} cells; build the index again.")
        self.sizes = np.fromfile(path, "<i8", cells, offset=self.nbytes)
        if (self.sizes < 0).any() or (self.sizes > count).any() or int(self.sizes.sum()) != count:
            raise StorageError(f"{path} states sizes of cells that do not fit; build the index again.")
        self._ends = np.cumsum(self.sizes)
        self._bytes = np.memmap(path, np.uint8, "r", shape=(self.nbytes,)) if count else np.zeros(0, np.uint8)
        if check:
            positions = np.concatenate([positions for _, positions in self]) if count else np.zeros(0, np.int64)
            if not np.array_equal(np.sort(positions), np.arange(count)):
                raise StorageError(f"{path} does not hold every row once; build the index again.")

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Cell]:
        for size, end in zip(self.sizes.tolist(), self._ends.tolist(), strict=True):
            start, codes = (end - size) * (self.code_bytes + 8), size * self.code_bytes
            stretch = np.array(self._bytes[start : start + codes + 8 * size])
            yield stretch[:codes].reshape(size, self.code_bytes), stretch[codes:].view("<i8")


def write_lists(path: Path, cells: Iterable[Cell]) -> None:
    """Writes lists, one cell after another."""
    sizes = []
    with open(path, "wb") as file:
        for codes, positions in cells:
            sizes.append(len(positions))
            file.write(np.ascontiguousarray(codes).data if len(codes) else b"")
            file.write(np.ascontiguousarray(positions, "<i8").data if len(positions) else b"")
        file.write(np.array(sizes, "<i8").tobytes())


def joined(parts: Sequence[Iterable[Cell]], targets: Sequence[np.ndarray]) -> Iterator[Cell]:
    """The cells of several lists of one structure as one; memory holds one cell at a time.

    Args:
        parts: Lists with the same cells.
        targets: For each, int64 [count]: the position of its rows in the result, -1 for a row that is left out.
    """
    for cell in zip(*parts, strict=True):
        positions = np.concatenate([target[old] for target, (_, old) in zip(targets, cell, strict=True)])
        codes = np.concatenate([codes for codes, _ in cell])
        order = np.argsort(positions, kind="stable")
        order = order[positions[order] >= 0]
        yield codes[order], positions[order]
