"""How many cells an index searches: as many as a recall of the ten nearest needs, measured against exact search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.seeding import generator
from .rows import Rows, exact, rerank
from .structures import Structure, propose

LEAST = 0.95  # recall of the ten nearest that the number of searched cells is chosen for
_QUERIES = 200
Searchers = Sequence[tuple[int, Any]]  # number of rows and FAISS index of each segment


def measured(rows: Rows, searchers: Searchers, structure: Structure | None) -> dict[str, Any]:
    """Settings of the search; every vector is read once.

    Returns:
        recall_at_10, and for a structure cells, cells_searched and code_bytes.
    """
    count = len(rows)
    if structure is None:
        return {"recall_at_10": 1.0}
    queries = np.sort(generator("index", count, rows.dim).permutation(count)[: min(_QUERIES, count)])
    vectors, everything = rows[queries], np.ones(count, dtype=bool)
    truth = _without_itself(exact(rows, vectors, 11, everything)[1], queries)
    probes, recall = max(1, structure.cells // 64), 1.0
    while count:
        candidates = proposed(searchers, vectors, 11, probes, everything)
        ranked = [rerank(rows, query, row, 11)[0] for query, row in zip(vectors, candidates, strict=True)]
        recall = _recall(_without_itself(ranked, queries), truth)
        if recall >= LEAST or probes == structure.cells:
            break
        probes = min(structure.cells, 2 * probes)
    about = {"cells": structure.cells, "cells_searched": probes, "code_bytes": structure.code_bytes}
    return {"recall_at_10": round(recall, 4), **about}


def proposed(searchers: Searchers, queries: np.ndarray, k: int, probes: int, mask: np.ndarray) -> np.ndarray:
    """Candidates [M, n] of all segments, as positions in the sequence of their rows; -1 for none."""
    start, columns = 0, [np.full((len(queries), 1), -1, np.int64)]
    for count, searcher in searchers:
        if count:
            near = propose(searcher, queries, k, probes, mask[start : start + count])
            columns.append(np.where(near >= 0, near + start, -1))
        start += count
    return np.concatenate(columns, axis=1)


def _without_itself(positions: Sequence[np.ndarray] | np.ndarray, queries: np.ndarray) -> list[set[int]]:
    return [set(row[row != query][:10].tolist()) for row, query in zip(positions, queries, strict=True)]


def _recall(ranked: list[set[int]], truth: list[set[int]]) -> float:
    shares = [len(near & best) / max(1, len(best)) for near, best in zip(ranked, truth, strict=True)]
    return float(np.mean(shares))
