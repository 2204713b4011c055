"""Balance of a corpus over its categories and sets, before and after curation."""

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
    groups: Number of groups that are not empty.
    entropy: Shannon entropy of the shares of the groups, divided by its maximum: 1 if even, 0 if all is in one group.
    gini: Gini coefficient: 0 if even, near 1 if all is in one group. Groups that curation emptied are counted.
    """

    groups: int
    entropy: float
    gini: float


def evenness(amounts: Sequence[float]) -> Evenness:
    """Evenness of amounts (clips, seconds), one per group.

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
    """Rows for :data:`HEADER`: one per category, one per set (first folder of the clip id), then one for all clips.

    ``flagged`` counts clips, ``flags_*`` count reasons. The groups are followed by two rows with their
    :func:`evenness`.
    """
    rows: list[list[object]] = []
    for by, key in zip(NAMES, (_category, _set), strict=True):
        groups: dict[str, list[tuple[Finding, bool]]] = {}
        for finding, verdict in zip(findings, outcome, strict=True):
            groups.setdefault(key(finding), []).append((finding, verdict.decision == KEEP))
        if set(groups) == {""}:
            continue
        counted = [_row(by, name or "(none)", members) for name, members in sorted(groups.items())]
        columns = list(zip(*counted, strict=True))[2:6]
        even = [evenness([float(str(value)) for value in column]) for column in columns]
        rows += counted
        rows.append([by, "entropy", *(each.entropy for each in even), "", "", ""])
        rows.append([by, "Gini", *(each.gini for each in even), "", "", ""])
    total = [(finding, verdict.decision == KEEP) for finding, verdict in zip(findings, outcome, strict=True)]
    return [*rows, _row("all", "all", total)]


def _row(by: str, name: str, members: Sequence[tuple[Finding, bool]]) -> list[object]:
    before = [finding for finding, _ in members]
    after = [finding for finding, keep in members if keep]
    flagged = sum(1 for finding in before if finding.flags)
    lengths = [round(sum(_seconds(finding) for finding in findings), 1) for findings in (before, after)]
    flags = [sum(len(finding.flags) for finding in findings) for findings in (before, after)]
    return [by, name, len(before), len(after), *lengths, flagged, *flags]


def _seconds(finding: Finding) -> float:
    return finding.measures.seconds if finding.measures else 0.0


def _category(finding: Finding) -> str:
    return finding.clip.category


def _set(finding: Finding) -> str:
    folder, slash, _ = finding.clip.id.partition("/")
    return folder if slash else ""
