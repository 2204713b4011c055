"""Exports an index for other viewers: Embedding Atlas, Spotlight, TensorBoard's projector."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...core import files
from ...core.errors import ParameterError
from ..index import Index
from .search import is_unknown

_CONFIG = """embeddings {
  tensor_name: "windows"
  tensor_path: "vectors.tsv"
  metadata_path: "metadata.tsv"
}
"""


def write_projector(
    index: Index, directory: str | Path, xy: np.ndarray, extra: Mapping[str, np.ndarray] | None = None
) -> None:
    """Writes the rows of the index with their positions on a map.

    ``atlas.parquet`` has the id, ``x``, ``y``, the metadata and the vector of each row (``embedding-atlas
    atlas.parquet --x x --y y``; Spotlight reads it with ``embedding`` as an embedding). ``vectors.tsv``,
    ``metadata.tsv`` and ``projector_config.pbtxt`` are what TensorBoard's projector reads (``tensorboard --logdir``).

    Args:
        xy: Positions [N, 2], in the order of the ids.
        extra: Further columns [N], such as the cluster.

    Raises:
        ParameterError: lengths that differ, or a column that stands twice.
    """
    extra = dict(extra or {})
    wrong = [name for name, values in {"xy": xy, **extra}.items() if len(values) != len(index)]
    twice = [name for name in ("x", "y", "embedding", *extra) if name in index.metadata.column_names]
    if wrong or twice or np.shape(xy) != (len(index), 2):
        raise ParameterError(f"{', '.join(wrong + twice) or 'xy'} do not fit the {len(index)} rows of the index.")
    directory = Path(directory)
    vectors = index.vectors()
    flat = pa.array(np.ascontiguousarray(vectors, np.float32).ravel())
    id_name = "row" if "id" in index.metadata.column_names else "id"
    columns = {id_name: pa.array(index.ids), "x": pa.array(xy[:, 0]), "y": pa.array(xy[:, 1])}
    columns |= {name: pa.array(values) for name, values in extra.items()}
    metadata = dict(zip(index.metadata.column_names, index.metadata.columns, strict=True))
    columns |= metadata
    columns["embedding"] = pa.FixedSizeListArray.from_arrays(flat, index.dim)
    with files.atomic_path(directory / "atlas.parquet") as path:
        pq.write_table(pa.table(columns), path)
    with files.atomic_path(directory / "vectors.tsv") as path:
        np.savetxt(path, vectors, fmt="%.6g", delimiter="\t")
    names = [id_name, *extra, *metadata]
    rows = zip(*(columns[name].to_pylist() for name in names), strict=True)
    lines = ["\t".join(_cell(value) for value in row) for row in [names, *rows]]
    files.write_text(directory / "metadata.tsv", "\n".join(lines) + "\n")
    files.write_text(directory / "projector_config.pbtxt", _CONFIG)


def _cell(value: object) -> str:
    return "" if is_unknown(value) else " ".join(str(value).split())
