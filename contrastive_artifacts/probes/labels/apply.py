"""Labels applied to the rows that probes are fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ...artifacts import CLEAN
from ..label_sets import names_of
from .match import matching
from .row import KEEP, REJECT, RELABEL, RowLabel


@dataclass(frozen=True)
class Applied:
    """Result of applying labels to a table.

    Args:
        kept, relabelled, rejected: Numbers of labels of training rows, by action.
        several: Number of the kept and relabelled rows that have several faults.
        held_out: Number of labels of other rows, which serve for evaluation and are not changed.
        unmatched: Labels of sounds that are not in the table.
    """

    kept: int
    relabelled: int
    rejected: int
    several: int
    held_out: int
    unmatched: tuple[RowLabel, ...]


def apply_labels(table: pa.Table, labels: Sequence[RowLabel], split: str = "train") -> tuple[pa.Table, Applied]:
    """Applies labels to the rows of one split of a table of embeddings; rows of other splits are not changed.

    Rejected rows are removed, and so are rows with several faults, which no class of one label fits. A row with another
    label has unknown severity (NaN), or 0 when it is clean.

    Raises:
        ParameterError: the table lacks a column of an address.
    """
    matches = matching(labels, table)
    side = table.column("split").to_pylist()
    in_split = {row: label for row, label in matches.items() if side[row] == split}
    artifact = table.column("artifact").to_pylist()
    severity = np.array(table.column("severity").to_numpy(), np.float32)
    remains = np.ones(len(table), bool)
    for row, label in in_split.items():
        remains[row] = label.of_one
        if label.of_one and label.label != artifact[row]:
            artifact[row], severity[row] = label.label, 0.0 if label.label == CLEAN else np.nan
    changed = {"artifact": pa.array(artifact, pa.string()), "severity": pa.array(severity)}
    for name, column in changed.items():
        table = table.set_column(table.column_names.index(name), name, column)
    counts = {action: sum(label.action == action for label in in_split.values()) for action in (KEEP, RELABEL, REJECT)}
    matched = {label.key for label in matches.values()}
    unmatched = tuple(label for label in labels if label.key not in matched)
    several = sum(len(names_of(label.label)) > 1 for label in in_split.values())
    held_out = len(matches) - len(in_split)
    applied = Applied(counts[KEEP], counts[RELABEL], counts[REJECT], several, held_out, unmatched)
    return table.filter(pa.array(remains)), applied
