"""Recurring artifacts of an archive: clusters of similar windows, and the recordings that they lie in.

A click, a hum or a dropout that recurs in many recordings points at equipment that they share: a tape deck, a reel, a
converter.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...artifacts import CLEAN
from ...core import files
from ...core.errors import ParameterError
from ...probes.spaces import sample_rows
from ...scan.timeline import clock
from ..index import Index

_DIMENSIONS = 16  # in more, distances differ little, and HDBSCAN, which compares all pairs, is slow
_CLUSTERED = 20_000  # rows at most; further rows join the cluster of their nearest clustered row
_MEMBER = 0.1  # least strength of a membership, which is 1 in the densest part of a cluster
_BLOCK = 4096


@dataclass(frozen=True)
class Share:
    """How much of one group (a file, a tape deck) lies in a cluster.

    Args:
        name: Of the group.
        windows: Number of the group's windows in the cluster.
        share: The same as a share of the group's windows, in [0, 1].
        lift: ``share`` over the cluster's share of all windows; 1 by chance.
        time: Time code of the first window.
        example: Id of the window nearest to the mean of the cluster.
    """

    name: str
    windows: int
    share: float
    lift: float
    time: str
    example: int


@dataclass(frozen=True)
class Recurrence:
    """A cluster of similar windows.

    Args:
        cluster: Its number; 0 is the largest.
        label: The most frequent label of its windows, true or given by the probe; "" where they have none.
        purity: Share of the windows with that label.
        windows: Number of windows.
        groups: The groups that the windows belong to, most windows first.
        example: Id of the window nearest to the mean.
    """

    cluster: int
    label: str
    purity: float
    windows: int
    groups: tuple[Share, ...]
    example: int


def cluster(vectors: np.ndarray, least: int = 5) -> np.ndarray:
    """Cluster of each row, int64 [N]: 0 for the largest, -1 for rows of no cluster.

    HDBSCAN (Campello, Moulavi & Sander 2013) on the unit rows [N, D], reduced by PCA to 16 dimensions.

    Args:
        least: Smallest cluster, at least 2.
    """
    from sklearn.cluster import HDBSCAN
    from sklearn.decomposition import PCA

    if least < 2:
        raise ParameterError(f"least={least}: a cluster takes at least 2 windows.")
    count, dim = vectors.shape
    if count < max(4, least):
        return np.full(count, -1, np.int64)
    rows = sample_rows(count, _CLUSTERED)
    reduced = PCA(min(_DIMENSIONS, dim, len(rows)), random_state=0).fit(vectors[rows])
    points = reduced.transform(vectors[rows])
    model = HDBSCAN(min_cluster_size=least, copy=True).fit(points)
    clustered = np.where(model.probabilities_ >= _MEMBER, model.labels_, -1)
    labels = np.full(count, -1, np.int64)
    labels[rows] = clustered
    rest = np.setdiff1d(np.arange(count), rows)
    for start in range(0, len(rest), _BLOCK):
        part = rest[start : start + _BLOCK]
        labels[part] = clustered[(vectors[part] @ vectors[rows].T).argmax(axis=1)]
    sizes = Counter(labels[labels >= 0].tolist())
    rank = {old: new for new, (old, _) in enumerate(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))}
    return np.array([rank.get(label, -1) for label in labels.tolist()], np.int64)


def recurrences(index: Index, labels: np.ndarray, by: str = "clip", clean: bool = False) -> list[Recurrence]:
    """Clusters whose windows lie in two groups or more, the largest first.

    Args:
        labels: [N] from :func:`cluster`.
        by: Metadata column that groups the windows: clip, source, corpus, or a column of the archive's own (deck,
            reel).
        clean: Whether clusters that are labelled clean are returned as well.

    Raises:
        ParameterError: an unknown column.
    """
    if by not in index.metadata.column_names:
        known = ", ".join(index.metadata.column_names)
        raise ParameterError(f"by={by}: the index has no such column; its columns: {known}.")
    groups = np.array([str(value) for value in index.metadata.column(by).to_pylist()])
    window_labels = _labels(index)
    sizes = Counter(groups.tolist())
    times = _times(index)
    recurring = []
    for number in range(int(labels.max(initial=-1)) + 1):
        rows = np.flatnonzero(labels == number)
        label, most = Counter(window_labels[rows].tolist()).most_common(1)[0]
        if len(set(groups[rows].tolist())) < 2 or (label == CLEAN and not clean):
            continue
        vectors = index.vectors()[rows]
        alike = vectors @ vectors.mean(axis=0)
        shares = []
        for name, windows in Counter(groups[rows].tolist()).items():
            share = windows / sizes[name]
            inside = np.flatnonzero(groups[rows] == name)
            time = min((times[row] for row in rows[inside]), default="")
            example = int(index.ids[rows[inside[np.argmax(alike[inside])]]])
            shares.append(Share(name, windows, share, share * len(labels) / len(rows), time, example))
        example = int(index.ids[rows[np.argmax(alike)]])
        ordered = tuple(sorted(shares, key=lambda s: (-s.windows, s.name)))
        recurring.append(Recurrence(number, label, most / len(rows), len(rows), ordered, example))
    return recurring


def write_recurrences_csv(path: str | Path, recurring: list[Recurrence], by: str) -> None:
    """One row per cluster and group."""
    header = ["cluster", "artifact", "purity", "cluster_windows", "groups", by]
    rows: list[list[Any]] = [[*header, "windows", "share", "lift", "first", "example"]]
    for item in recurring:
        about = [item.cluster, item.label, f"{item.purity:.4f}", item.windows, len(item.groups)]
        for group in item.groups:
            figures = [group.windows, f"{group.share:.4f}", f"{group.lift:.3f}", group.time]
            rows.append([*about, group.name, *figures, item.example])
    files.write_csv(path, rows)


def _labels(index: Index) -> np.ndarray:
    """The true label of each row, or the verdict of the probe where there is none, "" without either.

    Of several artifacts the most severe: sets differ too much from window to window for a cluster to have one.
    """
    labels = np.full(len(index), "", dtype=object)
    for column in ("heard", "artifact"):
        if column in index.metadata.column_names:
            values = np.array([value or "" for value in index.metadata.column(column).to_pylist()], dtype=object)
            labels = np.where(values != "", values, labels)
    return labels


def _times(index: Index) -> list[str]:
    """First sample of each row as a time code, "" where rows have no place; in the order of the ids."""
    columns = index.metadata.column_names
    if "start" not in columns or "sample_rate" not in columns:
        return [""] * len(index)
    places = zip(*(index.metadata.column(name).to_pylist() for name in ("start", "sample_rate")), strict=True)
    return [clock(start, rate) for start, rate in places]
