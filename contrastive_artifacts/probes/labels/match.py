"""Matches labels to rows by the address of the sound, in any index or table of any encoder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...core.errors import ParameterError
from .row import PLACE, RowLabel, address_of


def matching(
    labels: Iterable[RowLabel], metadata: pa.Table, ids: Sequence[int] | np.ndarray | None = None
) -> dict[int, RowLabel]:
    """Row id -> label, for the rows of a table whose sound has a label; of several labels the last one counts.

    Args:
        labels: In the order in which they were given.
        metadata: N rows with the columns of an address (corpus, clip, start, stop, sample_rate; channel, artifact and
            params where there are any).
        ids: [N] ids of the rows in the result; the row numbers 0..N-1 if not given.

    Raises:
        ParameterError: a column is missing, or the ids are not N.
    """
    by_address = {label.key: label for label in labels}
    if ids is not None and len(ids) != len(metadata):
        raise ParameterError(f"{len(ids)} ids for {len(metadata)} rows; give one each.")
    row_ids = np.arange(len(metadata)) if ids is None else np.asarray(ids, np.int64)
    missing = [name for name in ("corpus", "clip", "start", "stop", "sample_rate") if name not in metadata.column_names]
    if missing:
        raise ParameterError(f"the rows have no {', '.join(missing)}; labels are matched to rows by these columns.")
    # Few rows of a large index have a label: rows of the labelled clips are selected first, which is fast.
    clips = pa.array(sorted({label.address["clip"] for label in by_address.values()}), pa.string())
    rows = np.flatnonzero(pc.fill_null(pc.is_in(metadata.column("clip"), value_set=clips), False).to_numpy())
    columns = [name for name in PLACE if name in metadata.column_names]
    matches: dict[int, RowLabel] = {}
    for row, facts in zip(rows, metadata.select(columns).take(pa.array(rows)).to_pylist(), strict=True):
        try:
            address = address_of(facts)
        except ParameterError:
            continue  # a row without an address can have no label
        if (label := by_address.get(tuple(address[name] for name in PLACE))) is not None:
            matches[int(row_ids[row])] = label
    return matches
