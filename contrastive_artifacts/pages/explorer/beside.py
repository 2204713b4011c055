"""What a row is heard beside: the other channels of its samples, and a clean window of its recording."""

from __future__ import annotations

import functools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .collection import CLEAN, Collection

_BESIDE = 200  # windows on each side of a row that are searched for a clean one


def channels_beside(collection: Collection, row: int) -> list[int]:
    """The rows of the same samples of the same recording, channel by channel; none of a row of a mix."""
    table = collection.index.metadata
    if "channel" not in table.column_names or table.column("channel")[row].as_py() is None:
        return []
    names = [name for name in ("clip", "corpus", "start", "stop") if name in table.column_names]
    same = [pc.equal(table.column(name), table.column(name)[row]) for name in names]
    rows = np.flatnonzero(functools.reduce(pc.and_, same).to_numpy())
    channels = table.column("channel").take(pa.array(rows)).to_pylist()
    return [int(at) for channel, at in sorted(zip(channels, rows, strict=True)) if channel is not None]


def nearest_clean(collection: Collection, row: int) -> int | None:
    """The clean window of the recording of ``row`` that is nearest in time and does not overlap it.

    None where the row is clean itself, is a rendered view, or no window of the next 200 on both sides is clean.
    """
    if collection.label_of(row, collection.facts(row)) == CLEAN:
        return None
    starts, stops = collection.index.metadata.column("start"), collection.index.metadata.column("stop")
    first, last = starts[row].as_py(), stops[row].as_py()
    apart: list[tuple[int, int]] = []
    for side in (0, 1):
        at = collection.adjacent(row)[side]
        for _ in range(_BESIDE):
            if at is None:
                break
            distance = max(first - stops[at].as_py(), starts[at].as_py() - last)
            if distance >= 0 and collection.label_of(at, collection.facts(at)) == CLEAN:
                apart.append((distance, at))
                break
            at = collection.adjacent(at)[side]
    return min(apart)[1] if apart else None
