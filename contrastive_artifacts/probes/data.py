"""Inputs of the probes: labelled vectors, tasks, and folds that do not divide a source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..artifacts import CLEAN
from ..core.errors import ParameterError, SplitError
from ..core.registry import Registry

TASKS: Registry[Callable[[np.ndarray], np.ndarray]] = Registry("task")
TASKS.register("binary", lambda artifact: np.where(artifact == CLEAN, CLEAN, "artifact"))
TASKS.register("type", lambda artifact: artifact)


@dataclass(frozen=True, eq=False)
class Embedded:
    """Vectors of one space with their labels.

    Args:
        x: [N, D], stored as float32; finite.
        artifact: [N] names; "clean" for clean rows.
        severity: [N] in [0, 1], 0 for clean, NaN where unknown.
        source: [N] split keys.
        category: [N] classes of the sound (dog, speech), "" where unknown; all unknown if not given.

    Raises:
        ParameterError: lengths that differ, vectors that are not finite, an infinite severity.
    """

    x: np.ndarray
    artifact: np.ndarray
    severity: np.ndarray
    source: np.ndarray
    category: np.ndarray | None = None

    def __post_init__(self) -> None:
        x = check_matrix(self.x)
        severity = np.asarray(self.severity, dtype=np.float32)
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "artifact", names(self.artifact, len(x), "artifact"))
        object.__setattr__(self, "source", names(self.source, len(x), "source"))
        object.__setattr__(self, "severity", severity)
        if self.category is not None:
            object.__setattr__(self, "category", names(self.category, len(x), "category"))
        if severity.shape != (len(x),) or np.isinf(severity).any():
            raise ParameterError(f"severity has shape {severity.shape} or infinity; give {len(x)} values in [0, 1].")

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: np.ndarray) -> Embedded:
        """The rows of an index array or a boolean mask [N]."""
        category = None if self.category is None else self.category[rows]
        return Embedded(self.x[rows], self.artifact[rows], self.severity[rows], self.source[rows], category)

    @classmethod
    def from_table(cls, table: pa.Table, split: str | None = None) -> Embedded:
        """From an embedding table (columns embedding, artifact, severity, source, perhaps category), or one split.

        Raises:
            ParameterError: a column is missing or holds nulls.
        """
        needed = ["embedding", "artifact", "severity", "source"] + (["split"] if split is not None else [])
        missing = [name for name in needed if name not in table.column_names]
        if missing:
            raise ParameterError(f"the table lacks the columns {', '.join(missing)}; give a table of embeddings.")
        if split is not None:
            table = table.filter(pc.equal(table.column("split"), split))
        columns = {name: table.column(name) for name in needed[:4]}
        empty = [name for name, column in columns.items() if column.null_count]
        if empty:
            raise ParameterError(f"the columns {', '.join(empty)} hold nulls; drop those rows.")
        known = "category" in table.column_names and len(table) > 0
        vectors = columns["embedding"].combine_chunks()
        width = vectors.type.list_size if pa.types.is_fixed_size_list(vectors.type) else -1
        flat = vectors.flatten().to_numpy(zero_copy_only=False)
        x = flat.reshape(len(table), width) if len(table) else np.zeros((0, max(width, 1)), np.float32)
        return cls(
            x,
            columns["artifact"].to_numpy(),
            columns["severity"].to_numpy(),
            columns["source"].to_numpy(),
            np.array([n or "" for n in table.column("category").to_pylist()]) if known else None,
        )


def task_labels(artifact: Any, task: str) -> np.ndarray:
    """Labels [N] of a task: "binary" (clean, artifact) or "type" (clean and each artifact)."""
    return TASKS[task](np.asarray(artifact, dtype=str))


def check_matrix(x: Any, dim: int | None = None) -> np.ndarray:
    """Validated float32 [N, D].

    Raises:
        ParameterError: another shape, another D, or values that are not finite.
    """
    x = np.asarray(x, dtype=np.float32)
    if x.ndim != 2 or x.shape[1] == 0 or (dim is not None and x.shape[1] != dim):
        raise ParameterError(f"x has shape {x.shape}; expected [N, {'D' if dim is None else dim}].")
    bad = np.flatnonzero(~np.isfinite(x).all(axis=1))
    if len(bad):
        raise ParameterError(f"x: {len(bad)} rows hold NaN or infinity, the first is row {bad[0]}; drop them.")
    return x


def names(values: Any, count: int, what: str) -> np.ndarray:
    """``count`` texts as a NumPy array of strings.

    Args:
        what: Name of the values in the message of an error.

    Raises:
        ParameterError: another shape than [count].
    """
    array = np.asarray(values)
    array = array if array.dtype.kind == "U" else array.astype(str)
    if array.shape != (count,):
        raise ParameterError(f"{what} has shape {array.shape}; give one per row, {count}.")
    return array


def training_set(x: Any, labels: Any, sources: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Validated (x, labels, sources), sorted, so that a fit does not depend on the order of the rows.

    Raises:
        ParameterError: unfit shapes or values, or fewer than two classes.
    """
    x = check_matrix(x)
    labels, sources = names(labels, len(x), "labels"), names(sources, len(x), "sources")
    if len(np.unique(labels)) < 2:
        raise ParameterError(f"the labels hold {len(np.unique(labels))} class; a probe needs at least two.")
    order = np.lexsort((*x[:, :4].T, labels, sources))
    return x[order], labels[order], sources[order]


def grouped_folds(labels: np.ndarray, sources: np.ndarray, folds: int = 3) -> list[tuple[np.ndarray, np.ndarray]]:
    """(training rows, held-out rows) of up to ``folds`` folds; no source is divided, classes are spread evenly.

    Raises:
        SplitError: fewer than two sources, or no class that has two.
    """
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    count = min(folds, len(np.unique(sources)))
    if count < 2:
        raise SplitError("all views come from one source; nothing can be held out. Give views of two sources or more.")
    _, code, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    # A class with fewer views than folds makes scikit-learn warn or refuse; sources alone are balanced then.
    splitter = (GroupKFold if sizes.min() < count else StratifiedGroupKFold)(count)
    usable = [
        (train, test)
        for train, test in splitter.split(np.zeros((len(labels), 1)), code, groups=sources)
        if len(test) and len(np.unique(code[train])) >= min(2, len(sizes)) and np.isin(code[test], code[train]).any()
    ]
    if not usable:
        raise SplitError("no class has views of two sources; nothing can be held out. Give more sources per class.")
    return usable
