"""The vector index of a LanceDB table, and how many of its cells a search reads for the recall that is asked for."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np

from ...core.seeding import generator
from .checks import ID
from .lance_table import BATCH, VECTOR
from .recall import LEAST

TRAINED_FROM = 5_000  # rows; fewer are all compared
_QUERIES = 100
_PER_CELL = 8192  # rows; what LanceDB itself takes by default
_SAMPLED = 64  # rows per cell that k-means is trained on
_swig: Any = faiss


def trained(table: Any) -> dict[str, Any]:
    """Builds the IVF-PQ index of a table; returns ``recall_at_10`` and ``probes``, the cells that a search reads.

    Recall is measured against exact search, for which every vector is read once.
    """
    from lancedb.index import IvfPq

    count, dim = table.count_rows(), table.schema.field(VECTOR).type.list_size
    cells = max(1, count // _PER_CELL)
    parts = next(dim // width for width in (4, 2, 1) if dim % width == 0)
    coding = {"num_partitions": cells, "num_sub_vectors": parts, "sample_rate": _SAMPLED}
    table.create_index(VECTOR, config=IvfPq(distance_type="dot", **coding))
    queries, truth = _truth(table, count, dim)
    probes = max(1, cells // 64)
    while True:
        near = [_found(table, query, probes) for query in queries]
        recall = float(np.mean([len(set(a[:10]) & set(b)) / 10 for a, b in zip(near, truth.tolist(), strict=True)]))
        if recall >= LEAST or probes >= cells:
            return {"recall_at_10": round(recall, 4), "probes": probes}
        probes = min(cells, 2 * probes)


def _found(table: Any, query: np.ndarray, probes: int) -> list[int]:
    search = table.search(query, vector_column_name=VECTOR).distance_type("dot").select([ID, "_distance"])
    rows = search.nprobes(probes).refine_factor(10).limit(10).to_arrow()
    ids: list[int] = rows.column(ID).to_pylist()
    return ids


def _truth(table: Any, count: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Some vectors of the table, and the ids [n, 10] of the rows nearest to them (themselves among them)."""
    asked = np.sort(generator("lance", count, dim).permutation(count)[:_QUERIES])
    queries = np.concatenate([v for _, v in _blocks(table, dim, asked)])
    best, ids = np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
    for block_ids, vectors in _blocks(table, dim):
        scores, near = _swig.knn(queries, vectors, min(10, len(vectors)), metric=faiss.METRIC_INNER_PRODUCT)
        best, ids = np.concatenate([best, scores], axis=1), np.concatenate([ids, block_ids[near]], axis=1)
        rank = np.argsort(-best, axis=1, kind="stable")[:, :10]
        best, ids = np.take_along_axis(best, rank, 1), np.take_along_axis(ids, rank, 1)
    return queries, ids


def _blocks(table: Any, dim: int, rows: np.ndarray | None = None) -> Any:
    """Ids and vectors, block by block; only those at ``rows`` in the order of reading, if given."""
    start = 0
    for batch in table.search().select([ID, VECTOR]).to_batches(BATCH):
        ids = batch.column(ID).to_numpy()
        vectors = batch.column(VECTOR).flatten().to_numpy(zero_copy_only=False).reshape(-1, dim)
        if rows is not None:
            here = rows[(rows >= start) & (rows < start + len(ids))] - start
            ids, vectors, start = ids[here], vectors[here], start + len(ids)
        if len(ids):
            yield ids, np.ascontiguousarray(vectors)
