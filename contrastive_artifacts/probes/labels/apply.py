"""Labels applied to the rows that probes are fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ...artifacts import CLEAN
from .match import matching
from .row import KEEP, REJECT, RELABEL, RowLabel


@dataclass(frozen=True)
class Applied:
    """What became of labels.

    Args:
        kept, relabelled, rejected: Labels of training rows, by what they said.
        held_out: Labels of other rows: those judge, and stay as they are.
        unmatched: Labels of sounds that are not in the table.
    """

    kept: int
    relabelled: int
    rejected: int
    held_out: int
    unmatched: tuple[RowLabel, ...]


def apply_labels(table: pa.Table, labels: Sequence[RowLabel], split: str = "train") -> tuple[pa.Table, Applied]:
    """A table of embeddings of known artifacts as labels change its side ``split``; the other sides stay.

    Rejected rows are taken out. A row with another label has no known severity any more (NaN; 0 when it is clean).

    Raises:
        ParameterError: the table lacks a column of an address.
    """
    found = matching(labels, table)
    side = table.column("split").to_pylist()
    mine = {row: label for row, label in found.items() if side[row] == split}
    artifact = table.column("artifact").to_pylist()
    severity = np.array(table.column("severity").to_numpy(), np.float32)
    stays = np.ones(len(table), bool)
    for row, label in mine.items():
        stays[row] = label.action != REJECT
        if label.action != REJECT and label.label != artifact[row]:
            artifact[row], severity[row] = label.label, 0.0 if label.label == CLEAN else np.nan
    changed = {"artifact": pa.array(artifact, pa.string()), "severity": pa.array(severity)}
    for name, column in changed.items():
        table = table.set_column(table.column_names.index(name), name, column)
    counts = {action: sum(label.action == action for label in mine.values()) for action in (KEEP, RELABEL, REJECT)}
    reached = {label.key for label in found.values()}
    unmatched = tuple(label for label in labels if label.key not in reached)
    applied = Applied(counts[KEEP], counts[RELABEL], counts[REJECT], len(found) - len(mine), unmatched)
    return table.filter(pa.array(stays)), applied
