"""How precise a verdict is by labelled rows, and how many more labels settle it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ..artifacts import CLEAN
from ..core.errors import ParameterError
from .label_sets import names_of

_Z = 1.959964  # of a two-sided interval of 95 %
SETTLED = 0.1  # half of the width of an interval that settles a precision
_MOST = 100_000


@dataclass(frozen=True)
class Precision:
    """Share of the rows with a verdict that labels confirm.

    Args:
        name: The verdict.
        right, labelled: Numbers of rows.
        low, high: Ends of the interval of 95 %, in [0, 1].
        more: Further labels, confirmed as often, until the interval reaches SETTLED on either side; 0 when settled.
    """

    name: str
    right: int
    labelled: int
    low: float
    high: float
    more: int


def wilson(right: int, total: int) -> tuple[float, float]:
    """Score interval of 95 % of a proportion (Wilson, JASA 22, 1927); it holds with few trials and near 0 and 1.

    Raises:
        ParameterError: not 0 <= right <= total, or no trials.
    """
    if not 0 <= right <= total or not total:
        raise ParameterError(f"{right} of {total} is no proportion; give 0 <= right <= total, at least one.")
    share, square = right / total, _Z * _Z
    middle = (share + square / (2 * total)) / (1 + square / total)
    reach = _reach(share, total)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def labels_needed(right: int, total: int, half_width: float = SETTLED) -> int:
    """Smallest number of further labels, confirmed as often, whose interval is at most twice ``half_width`` wide."""
    share, low, high = right / total, total, _MOST
    while low < high:  # the width falls with the number of labels
        count = (low + high) // 2
        low, high = (low, count) if _reach(share, count) <= half_width else (count + 1, high)
    return low - total


def precisions(verdicts: Iterable[tuple[str, str]]) -> list[Precision]:
    """The precision of each fault, the least settled first.

    Args:
        verdicts: (verdict, label) of each labelled row; each one name, or the faults of :mod:`.label_sets`.
    """
    counts: dict[str, list[int]] = {}
    for verdict, label in verdicts:
        for name in names_of(verdict):
            if name != CLEAN:
                count = counts.setdefault(name, [0, 0])
                count[0] += name in names_of(label)
                count[1] += 1
    results = [Precision(n, r, t, *wilson(r, t), labels_needed(r, t)) for n, (r, t) in counts.items()]
    return sorted(results, key=lambda precision: (-precision.more, precision.name))


def _reach(share: float, total: int) -> float:
    """Half of the width of the score interval."""
    square = _Z * _Z
    return _Z / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
