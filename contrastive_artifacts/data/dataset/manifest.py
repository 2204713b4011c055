"""The manifest of a dataset: one row per file, as Parquet and as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ...core import files

SCHEMA = pa.schema(
    {
        "id": pa.string(),  # unique in the dataset
        "file": pa.string(),  # relative to the folder; SHARD.tar/MEMBER for shards
        "clean_file": pa.string(),
        "clip": pa.string(),  # its id in the corpus
        "source": pa.string(),  # what the clip was cut from: split by this
        "category": pa.string(),
        "fold": pa.int32(),
        "split": pa.string(),
        "corpus": pa.string(),
        "artifact": pa.string(),
        "severity": pa.float64(),
        "seed": pa.int64(),
        "params": pa.string(),  # JSON for artifacts.replay
        "segments": pa.string(),  # JSON [[start, stop], ...]: samples that the artifact touched
        "sample_rate": pa.int32(),
        "channels": pa.int32(),
        "start": pa.int64(),  # of the crop in its clip, in samples
        "samples": pa.int64(),
        "gain_db": pa.float64(),  # of both files of the pair, relative to the corpus
    }
)
CSV, PARQUET, REJECTED = "manifest.csv", "manifest.parquet", "rejected.csv"


def write(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Writes both files; the CSV last: its presence means that the dataset is complete."""
    table = pa.Table.from_pylist(list(rows), SCHEMA)
    with files.atomic_path(folder / PARQUET) as temporary:
        pq.write_table(table, temporary)
    files.write_csv(folder / CSV, [SCHEMA.names, *([row[name] for name in SCHEMA.names] for row in rows)])


def write_rejected(folder: Path, rejected: Sequence[Sequence[str]]) -> None:
    """Writes ``clip, problem`` of every clip that could not be rendered; no file if there are none."""
    if rejected:
        files.write_csv(folder / REJECTED, [("clip", "problem"), *rejected])
    else:
        (folder / REJECTED).unlink(missing_ok=True)
