"""The vector index of a LanceDB table, and how many cells and vectors a search reads for the recall it should have."""

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
FEWEST, _MOST = 100, 6400  # vectors whose codes are nearest, and that are compared themselves, for ten neighbours
_swig: Any = faiss


def trained(table: Any) -> dict[str, Any]:
    """Builds the IVF-PQ index of a table, and measures how much a search has to read.

    Begins with a cell in 64 and FEWEST vectors. While the recall of vectors of the table, themselves left out, is below
    LEAST, twice the cells or four times the vectors are read, whichever gives more. Recall is measured against exact
    search, for which every vector is read once.

    Returns:
        ``recall_at_10``; ``probes``, the cells that a search reads; ``candidates``, the vectors that it compares.
    """
    from lancedb.index import IvfPq

    count, dim = table.count_rows(), table.schema.field(VECTOR).type.list_size
    cells = max(1, count // _PER_CELL)
    parts = next(dim // width for width in (4, 2, 1) if dim % width == 0)
    coding = {"num_partitions": cells, "num_sub_vectors": parts, "sample_rate": _SAMPLED}
    table.create_index(VECTOR, config=IvfPq(distance_type="dot", **coding))
    queries, asked, truth = _truth(table, count, dim)

    def recall(probes: int, candidates: int) -> float:
        shares = []
        for query, itself, best in zip(queries, asked.tolist(), truth, strict=True):
            near = [number for number in _nearest(table, query, probes, candidates) if number != itself]
            shares.append(len(best & {*near[:10]}) / len(best))
        return float(np.mean(shares))

    chosen = max(1, cells // 64), FEWEST
    reached = recall(*chosen)
    while reached < LEAST and chosen != (cells, _MOST):
        probes, candidates = chosen
        more = {(min(cells, 2 * probes), candidates), (probes, min(_MOST, 4 * candidates))} - {chosen}
        reached, chosen = max((recall(*choice), choice) for choice in more)
    return {"recall_at_10": round(reached, 4), "probes": chosen[0], "candidates": chosen[1]}


def _nearest(table: Any, query: np.ndarray, probes: int, candidates: int) -> list[int]:
    """Ids of the candidates, the nearest first."""
    search = table.search(query, vector_column_name=VECTOR).distance_type("dot").select([ID, "_distance"])
    rows = search.nprobes(probes).refine_factor(1).limit(candidates).to_arrow()
    ids: list[int] = rows.column(ID).to_pylist()
    return ids


def _truth(table: Any, count: int, dim: int) -> tuple[np.ndarray, np.ndarray, list[set[int]]]:
    """Some vectors of the table, their ids, and the ids of the ten other rows nearest to each."""
    places = np.sort(generator("lance", count, dim).permutation(count)[:_QUERIES])
    parts = list(_blocks(table, dim, places))
    asked, queries = np.concatenate([i for i, _ in parts]), np.concatenate([v for _, v in parts])
    best, ids = np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
    for block_ids, vectors in _blocks(table, dim):
        scores, near = _swig.knn(queries, vectors, min(11, len(vectors)), metric=faiss.METRIC_INNER_PRODUCT)
        best, ids = np.concatenate([best, scores], axis=1), np.concatenate([ids, block_ids[near]], axis=1)
        rank = np.argsort(-best, axis=1, kind="stable")[:, :11]
        best, ids = np.take_along_axis(best, rank, 1), np.take_along_axis(ids, rank, 1)
    return queries, asked, [{*row[row != itself][:10].tolist()} for row, itself in zip(ids, asked, strict=True)]


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
