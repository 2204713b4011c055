"""Rows of an index that is too large for a page, drawn at random, as an index of their own."""

from __future__ import annotations

import shutil
from contextlib import suppress

import numpy as np

from ...core.errors import StorageError
from ...core.seeding import generator
from ...search.index import Index
from .layout import key_of

MOST_ROWS = 1_000_000  # that a page takes: it holds the position and the columns of each
_NAME = "sample-"


def sampled(index: Index, seed: int = 0) -> Index:
    """The index itself, or :data:`MOST_ROWS` of its rows where it has more, in a folder inside that of the index.

    The rows have the ids that they have in the index. A sample of the same rows that was built before is opened.

    Args:
        seed: Of the rows that are drawn.

    Raises:
        StorageError: the folder cannot be written, or another process is writing it.
    """
    if len(index) <= MOST_ROWS:
        return index
    folder = index.directory / f"{_NAME}{key_of(index, seed).tobytes().hex()}-{MOST_ROWS}"
    with suppress(StorageError):
        return Index.open(folder, index.fingerprint)
    for earlier in index.directory.glob(f"{_NAME}*"):  # of rows that the index had, or interrupted
        shutil.rmtree(earlier, ignore_errors=True)
    places = np.sort(generator(seed, "sample").choice(len(index), MOST_ROWS, replace=False))
    ids = index.ids[places]
    return Index.build(index.vectors(ids), index.metadata.take(places), folder, index.fingerprint, ids=ids)
