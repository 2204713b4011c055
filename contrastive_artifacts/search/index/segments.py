"""Segments of a FAISS index joined to one, on the disk: memory holds ids, metadata and one block of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from ...core.errors import ParameterError
from . import store
from .lists import Cell, joined
from .rows import Rows
from .store import Segment
from .structures import Structure


def concatenated(parts: Sequence[Segment]) -> pa.Table:
    """The metadata of all parts; a column that a part lacks is missing there.

    Raises:
        ParameterError: a column is of different types.
    """
    if len(parts) == 1:
        return parts[0].metadata
    try:
        return pa.concat_tables([part.metadata for part in parts], promote_options="permissive")
    except pa.ArrowException as error:
        raise ParameterError(f"the metadata of the shards do not fit together ({error}).") from None


def joined_segment(
    directory: Path, parts: Sequence[Segment], structure: Structure | None, keep: np.ndarray | None = None
) -> Segment:
    """Writes the rows of all parts as one segment, sorted by id; no record names it yet.

    Args:
        directory: Folder of the index.
        parts: Segments, in memory or mapped. If each has lists, their codes are taken over; otherwise the vectors are
            encoded.
        structure: Of the lists; None for a flat index.
        keep: Boolean over the rows of all parts; all rows by default.
    """
    ids, table = np.concatenate([part.ids for part in parts]), concatenated(parts)
    order = np.argsort(ids, kind="stable")
    order = order if keep is None else order[keep[order]]
    is_sorted = np.array_equal(order, np.arange(len(ids)))
    rows = Rows([part.vectors for part in parts], None if is_sorted else order)
    if not is_sorted and table.num_columns:
        table = table.take(pa.array(order, pa.int64()))
    return store.write_segment(directory, ids[order], rows, table, _cells(parts, rows, order, structure), structure)


def _cells(
    parts: Sequence[Segment], rows: Rows, order: np.ndarray, structure: Structure | None
) -> Iterable[Cell] | None:
    if structure is None:
        return None
    lists = [part.lists for part in parts if part.lists is not None]
    if len(lists) < len(parts):
        return structure.encode(rows)
    target = np.full(int(rows.starts[-1]), -1, np.int64)
    target[order] = np.arange(len(order))
    return joined(lists, np.split(target, rows.starts[1:-1]))
