"""The table that embeddings are stored in: rows of facts with a vector each, as Parquet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..core import files
from ..core.errors import FingerprintError, StorageError
from ..data.corpora import Clip
from ..data.views import View
from .embedder import Embedding

COLUMNS = (
    *("id", "artifact", "severity", "source", "corpus", "clip", "category", "split", "params"),
    *("start", "stop", "sample_rate"),
)


def view_row(view: View, states: Sequence[str], corpus: str, split: str, duration_s: float) -> dict[str, Any]:
    """A rendered view as a row of the table; enough to render it again."""
    return {
        "id": f"{corpus}/{view.clip.id}/{states[view.state]}/{view.params.get('seed', 0)}",
        "artifact": states[view.state],
        "severity": view.severity,
        "source": view.clip.source,
        "corpus": corpus,
        "clip": view.clip.id,
        "category": view.clip.category,
        "split": split,
        "params": json.dumps(view.params, sort_keys=True),
        "start": view.start,
        "stop": view.start + round(duration_s * view.native_rate),
        "sample_rate": view.native_rate,
    }


def recording_rows(
    embedding: Embedding, clip: Clip, corpus: str, channel: int | None = None, stream: int | None = None
) -> list[dict[str, Any]]:
    """One row for each window of a recording that was embedded as it is; its artifact is unknown: "".

    Further columns: ``file``, the absolute path or the address ("" for a clip without one), ``channel``, None for the
    mix, and ``stream``, the index among the audio streams of the file.
    """
    common = {"artifact": "", "severity": 0.0, "split": "", "params": "{}", "source": clip.source, "corpus": corpus}
    common |= {"clip": clip.id, "category": clip.category, "channel": channel, "stream": stream}
    common |= {"file": str(clip.path.resolve()) if clip.path else ""}
    rate, suffix = embedding.sample_rate, "" if channel is None else f"#{channel}"
    spans = [{"start": int(start), "stop": int(stop), "sample_rate": rate} for start, stop in embedding.samples]
    return [{"id": f"{corpus}/{clip.id}{suffix}@{span['start']}", **common, **span} for span in spans]


def make_table(rows: Sequence[dict[str, Any]], vectors: np.ndarray, fingerprint: str, space: str) -> pa.Table:
    """Rows (dicts with COLUMNS; further keys must be the same in all) and float32 vectors [N, D] as one table.

    The fingerprint of the encoder and the space ("h" or "z") are metadata of its schema.
    """
    types = {"severity": pa.float32(), "start": pa.int64(), "stop": pa.int64(), "sample_rate": pa.int32()}
    types |= {"channel": pa.int32(), "stream": pa.int32()}
    types |= {"heard_severity": pa.float32(), "heard_probability": pa.float32()}
    names = [*COLUMNS, *(name for name in (rows[0] if rows else ()) if name not in COLUMNS)]
    columns = {name: pa.array([row[name] for row in rows], types.get(name, pa.string())) for name in names}
    flat = pa.array(np.ascontiguousarray(vectors, np.float32).ravel())
    columns["embedding"] = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return pa.table(columns).replace_schema_metadata({"fingerprint": fingerprint, "space": space})


def write_table(path: str | Path, table: pa.Table) -> None:
    with files.atomic_path(path) as temporary:
        pq.write_table(table, temporary)


def read_table(path: str | Path, fingerprint: str | None = None) -> pa.Table:
    """Reads a table.

    Raises:
        StorageError: the file is missing, damaged or no embedding table.
        FingerprintError: it was made by another encoder than ``fingerprint``.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise StorageError(f"{path} is not a readable embedding table ({error}); embed again.") from error
    field = table.schema.field("embedding") if "embedding" in table.column_names else None
    if field is None or not pa.types.is_fixed_size_list(field.type) or field.type.value_type != pa.float32():
        kind = "no column of vectors" if field is None else f"vectors of type {field.type}"
        raise StorageError(f"{path} is no embedding table: it has {kind}; embed again.")
    if table.column("embedding").null_count:
        raise StorageError(f"{path} is no embedding table: some of its rows have no vector; embed again.")
    stored = (table.schema.metadata or {}).get(b"fingerprint", b"").decode()
    if fingerprint is not None and stored != fingerprint:
        raise FingerprintError(f"{path} was made by encoder {stored or 'unknown'}, not {fingerprint}; embed again.")
    return table


def table_vectors(table: pa.Table) -> np.ndarray:
    """The embeddings of a table, float32 [N, D]."""
    column = table.column("embedding").combine_chunks()
    return column.flatten().to_numpy(zero_copy_only=False).reshape(len(table), -1)
