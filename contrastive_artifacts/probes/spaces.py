"""Figures of a space: content leakage, retrieval, effective rank, alignment, uniformity, hubness."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy
from scipy.special import logsumexp

from ..core.seeding import generator
from ..core.vectors import unit_rows
from .data import check_matrix, names
from .knn import NeighbourTable

SAMPLE = 5000  # with more rows, figures of quadratic cost are measured on a fixed sample


class Retrieval(NamedTuple):
    """Per query [N]; NaN where no row of another source has the label."""

    precision_at_10: np.ndarray
    average_precision_at_100: np.ndarray


def sample_rows(count: int, limit: int = SAMPLE) -> np.ndarray:
    """Sorted row numbers: all of ``count`` up to ``limit``, beyond that a fixed random sample of ``limit``."""
    if count <= limit:
        return np.arange(count)
    return np.sort(generator("sample", count, limit).permutation(count)[:limit])


def content_leakage(table: NeighbourTable) -> tuple[np.ndarray, float]:
    """Whether the nearest other row is of the same source, float64 [N] of 0 and 1, and the mean by chance.

    NaN for fewer than two rows.
    """
    sources, count = table.sources, len(table)
    if count < 2:
        return np.full(count, np.nan), float("nan")
    chance = float(((_size_of(sources) - 1) / (count - 1)).mean())
    return (sources[table.nearest[:, 0]] == sources).astype(np.float64), chance


def hit_leakage(table: NeighbourTable, kinds: Any, k: int = 10) -> tuple[np.ndarray, float, np.ndarray, float]:
    """How far the ``k`` nearest rows follow the content instead of the artifact.

    Args:
        table: Of N rows, ``k`` deep or more.
        kinds: [N] class of the sound (dog, speech); "" where unknown.

    Returns:
        Share of the k nearest other rows that are of the same source, float64 [N], and its mean by chance; share of the
        k nearest rows of *other* sources that are of the same class of sound, float64 [N], NaN where that is unknown,
        and its mean by chance.
    """
    sources, count = table.sources, len(table)
    kinds = names(kinds, count, "kinds")
    if count < 2:
        return np.full(count, np.nan), float("nan"), np.full(count, np.nan), float("nan")
    same_source = (sources[table.nearest[:, :k]] == sources[:, None]).mean(axis=1)
    chance = float(((_size_of(sources) - 1) / (count - 1)).mean())
    others = table.other_sources[:, :k]
    hits = (others >= 0).sum(axis=1)
    same_kind = ((kinds[others] == kinds[:, None]) & (others >= 0)).sum(axis=1) / hits.clip(1)
    kind_and_source = np.char.add(np.char.add(kinds, "\x1f"), sources)
    other_source_rows = count - _size_of(sources)  # rows of other sources
    expected_same_kind = (_size_of(kinds) - _size_of(kind_and_source)) / other_source_rows.clip(1)
    known = (kinds != "") & (hits > 0)
    kind_chance = float(expected_same_kind[known].mean()) if known.any() else float("nan")
    return same_source, chance, np.where(known, same_kind, np.nan), kind_chance


def retrieval(table: NeighbourTable, labels: Any) -> Retrieval:
    """Each row as a query for rows of other sources.

    P@10 is the share of the ten nearest with the query's label; AP@100 sums the precision at each relevant rank up to
    100, over the number of relevant rows or 100, whichever is less.

    Args:
        table: Of N rows, a hundred rows of other sources deep.
        labels: [N].
    """
    sources, ids = table.sources, table.other_sources
    labels = names(labels, len(table), "labels")
    relevant = (labels[ids] == labels[:, None]) & (ids >= 0)
    label_and_source = np.char.add(np.char.add(labels, "\x1f"), sources)
    total = _size_of(labels) - _size_of(label_and_source)  # rows with the label, of other sources
    candidates = len(table) - _size_of(sources)
    hits = relevant.cumsum(axis=1)
    ranks = np.arange(1, ids.shape[1] + 1)
    summed = np.where(relevant, hits / ranks, 0.0).sum(axis=1)
    has_matches = total > 0
    precision = np.where(has_matches, relevant[:, :10].sum(axis=1) / candidates.clip(1, 10), np.nan)
    return Retrieval(precision, np.where(has_matches, summed / total.clip(1, 100), np.nan))


def retrieval_chance(labels: Any, sources: Any) -> float:
    """P@10 of a random order: the mean share of the query's label among the rows of other sources."""
    labels = np.asarray(labels, dtype=str)
    sources = names(sources, len(labels), "sources")
    total = _size_of(labels) - _size_of(np.char.add(np.char.add(labels, "\x1f"), sources))
    has_matches = total > 0
    if not has_matches.any():
        return float("nan")
    return float((total[has_matches] / (len(labels) - _size_of(sources))[has_matches]).mean())


def effective_rank(x: Any) -> float:
    """Exponential of the entropy of the normalised singular values, 1..min(N, D) (Roy & Vetterli 2007); 0 for zeros."""
    x = check_matrix(x).astype(np.float64)
    gram = x.T @ x if x.shape[0] >= x.shape[1] else x @ x.T
    values = np.sqrt(np.linalg.eigvalsh(gram).clip(0.0))
    if not len(values) or values.sum() == 0.0:
        return 0.0
    share = values[values > 1e-7 * values.max()] / values.sum()  # smaller ones are rounding errors of the squares
    return float(np.exp(-(share * np.log(share)).sum()))


def alignment(x: Any, labels: Any, sources: Any) -> float:
    """Mean squared distance of the normalised vectors over all pairs of one label and two sources, in [0, 4].

    Wang & Isola 2020 with alpha = 2; over all pairs in closed form, without sampling. NaN without such a pair.
    """
    unit = unit_rows(check_matrix(x)).astype(np.float64)
    labels, sources = names(labels, len(unit), "labels"), names(sources, len(unit), "sources")
    pairs = similarity = 0.0
    for label in np.unique(labels):
        rows = labels == label
        _, code, sizes = np.unique(sources[rows], return_inverse=True, return_counts=True)
        sums = np.zeros((len(sizes), unit.shape[1]))
        np.add.at(sums, code, unit[rows])
        pairs += sizes.sum() ** 2 - (sizes**2).sum()
        similarity += (sums.sum(axis=0) ** 2).sum() - (sums**2).sum()
    return float(2.0 - 2.0 * similarity / pairs) if pairs else float("nan")


def uniformity(x: Any) -> float:
    """Log of the mean Gaussian potential over all pairs, t = 2 (Wang & Isola 2020); 0 = collapsed, lower = spread.

    Beyond 5000 rows it is measured on a fixed sample.
    """
    x = check_matrix(x)
    unit = unit_rows(x[sample_rows(len(x))])
    if len(unit) < 2:
        return float("nan")
    parts = []
    for start in range(0, len(unit), 1024):
        block = 4.0 * (unit[start : start + 1024] @ unit.T) - 4.0
        block[np.arange(len(block)), start + np.arange(len(block))] = -np.inf
        parts.append(logsumexp(block))
    return float(logsumexp(parts) - np.log(len(unit) * (len(unit) - 1.0)))


def hubness(table: NeighbourTable, k: int = 10) -> float:
    """Skewness of the k-occurrence: how often a row is among the k nearest of others (Radovanovic et al. 2010).

    About 0 without hubs; NaN for k + 1 rows or fewer, or when all occur equally often.

    Args:
        table: ``k`` deep or more.
    """
    if len(table) <= k + 1:
        return float("nan")
    occurrence = np.bincount(table.nearest[:, :k].ravel(), minlength=len(table))
    return float(scipy.stats.skew(occurrence)) if occurrence.std() > 0 else float("nan")


def _size_of(values: np.ndarray) -> np.ndarray:
    """Number of rows with the same value, for each row."""
    _, code, sizes = np.unique(values, return_inverse=True, return_counts=True)
    return sizes[code]
