"""A label as text: the names of the faults of a row, sorted and joined by ", ", or "clean" where there are none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..artifacts import CLEAN

SEPARATOR = ", "
SETS = ("present", "label")  # columns of an index and of the explorer whose values may hold several names
COLUMNS = ("artifact", "present", "heard")  # of an index, where a label is looked up: the truth before verdicts


def joined(names: Iterable[str]) -> str:
    """The label of a set of faults: equal sets have equal texts; "clean" adds nothing.

    >>> joined(["hum", "hiss", "clean"]), joined([])
    ('hiss, hum', 'clean')
    """
    return SEPARATOR.join(sorted({*names} - {CLEAN})) or CLEAN


def names_of(label: str) -> tuple[str, ...]:
    """The names in a label: ("clean",) for clean, none for "", which is no label.

    >>> names_of("hiss, hum"), names_of("")
    (('hiss', 'hum'), ())
    """
    return tuple(label.split(SEPARATOR)) if label else ()


def labels_of(names: Sequence[str], there: np.ndarray) -> list[str]:
    """The labels of N rows of which ``there``, bool [N, K], says which of K names they have."""
    return [joined(name for name, has in zip(names, row, strict=True) if has) for row in there]


def membership(labels: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """Which of K names N labels hold, bool [N, K]; the reverse of :func:`labels_of`, and "clean" is a name, too."""
    return np.array([[name in parts for name in names] for parts in map(names_of, labels)], bool).reshape(
        len(labels), len(names)
    )
