"""How even a corpus is over its classes and source sets, before and after curation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .decisions import KEEP
from .manifest import Verdict
from .survey import Finding

NAMES = ("category", "set")
HEADER = (
    *("by", "name", "clips_before", "clips_after", "seconds_before", "seconds_after", "flagged"),
    *("flags_before", "flags_after"),
)


@dataclass(frozen=True)
class Evenness:
    """Attributes:
    groups: How many groups hold anything.
    entropy: Shannon entropy over the groups by what is in them, divided by its maximum: 1 even, 0 all in one.
    gini: Gini coefficient: 0 even, near 1 all in one. Groups that curation emptied count.
    """

    groups: int
    entropy: float
    gini: float


def evenness(amounts: Sequence[float]) -> Evenness:
    """Of amounts (clips, seconds) per group.

    >>> evenness([5, 5, 5, 5])
    Evenness(groups=4, entropy=1.0, gini=0.0)
    """
    values = np.sort(np.asarray(amounts, dtype=np.float64))
    total = values.sum()
    if total <= 0:
        return Evenness(0, 0.0, 0.0)
    shares = values[values > 0] / total
    entropy = float(-(shares * np.log(shares)).sum() / np.log(len(values))) if len(values) > 1 else 1.0
    ranks = np.arange(1, len(values) + 1)
    gini = float(((2 * ranks - len(values) - 1) * values).sum() / (len(values) * total))
    return Evenness(int(np.count_nonzero(values)), round(entropy, 4), round(gini, 4))


def balance(findings: Sequence[Finding], outcome: Sequence[Verdict]) -> list[list[object]]:
    """Rows under :data:`HEADER`: one a category, one a set (first folder of the id), then what all of them come to.

    ``flagged`` counts clips, ``flags_*`` count reasons. Behind the groups come two rows with their :func:`evenness`.
    """
    rows: list[list[object]] = []
    for by, key in zip(NAMES, (_category, _set), strict=True):
        groups: dict[str, list[tuple[Finding, bool]]] = {}
        for finding, what in zip(findings, outcome, strict=True):
            groups.setdefault(key(finding), []).append((finding, what.decision == KEEP))
        if set(groups) == {""}:
            continue
        counted = [_row(by, name or "(none)", members) for name, members in sorted(groups.items())]
        columns = list(zip(*counted, strict=True))[2:6]
        even = [evenness([float(str(value)) for value in column]) for column in columns]
        rows += counted
        rows.append([by, "entropy", *(each.entropy for each in even), "", "", ""])
        rows.append([by, "Gini", *(each.gini for each in even), "", "", ""])
    total = [(finding, what.decision == KEEP) for finding, what in zip(findings, outcome, strict=True)]
    return [*rows, _row("all", "all", total)]


def _row(by: str, name: str, members: Sequence[tuple[Finding, bool]]) -> list[object]:
    kept = [finding for finding, keep in members if keep]
    every = [finding for finding, _ in members]
    flagged = sum(1 for finding in every if finding.flags)
    lengths = [round(sum(_seconds(finding) for finding in some), 1) for some in (every, kept)]
    flags = [sum(len(finding.flags) for finding in some) for some in (every, kept)]
    return [by, name, len(every), len(kept), *lengths, flagged, *flags]


def _seconds(finding: Finding) -> float:
    return finding.measures.seconds if finding.measures else 0.0


def _category(finding: Finding) -> str:
    return finding.clip.category


def _set(finding: Finding) -> str:
    head, slash, _ = finding.clip.id.partition("/")
    return head if slash else ""
