"""A scan of many recordings in plain sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ..summary import FileSummary

_NAMED = 3


def sentences(rows: Sequence[FileSummary], names: Mapping[str, str]) -> list[str]:
    """What is to be said of a shelf, the most important first.

    Args:
        rows: In the order of :func:`~.summary.ordered`.
        names: Title of a recording -> the name by which it is called.
    """
    scanned = [row for row in rows if row.scanned]
    failed = len(rows) - len(scanned)
    seconds = sum(row.duration_s or 0.0 for row in scanned)
    texts = [f"{_count(len(scanned), 'recording')} of {_length(seconds)} in all {_were(len(scanned))} scanned."]
    if failed:
        texts[0] = f"{texts[0][:-1]}; {failed} could not be read (see the end of this page)."
    damaged = [row for row in scanned if row.segments]
    if not damaged:
        return [*texts, "No artifact was heard in any of them."] if scanned else texts
    marked = sum(row.marked_s for row in scanned)
    share = 100 * marked / seconds if seconds else 0.0
    texts.append(
        f"Artifacts were heard in {len(damaged)} of them: {_count(sum(row.segments for row in damaged), 'place')}, "
        f"{_length(marked)} or {share:.1f} % of the time. {_rest(len(scanned) - len(damaged))}"
    )
    files = Counter(name for row in damaged for name in row.counts)
    places = Counter({name: sum(row.counts.get(name, 0) for row in damaged) for name in files})
    ranked = sorted(files, key=lambda name: (-files[name], -places[name], name))
    listed = [
        f"{name} ({_count(files[name], 'recording')}, {_count(places[name], 'place')})" for name in ranked[:_NAMED]
    ]
    more = len(ranked) - _NAMED
    tail = f", and {_count(more, 'more kind')}" if more > 0 else ""
    texts.append(f"Most frequent: {', '.join(listed)}{tail}.")
    worst = max(damaged, key=lambda row: row.damage)
    kind = f", above all by {worst.worst}" if worst.worst else ""
    texts.append(f"The most damaged recording is {names.get(worst.title, worst.title)}{kind}.")
    total = sum(row.damage * (row.duration_s or 0.0) for row in damaged)
    held = 0.0
    for number, row in enumerate(sorted(damaged, key=lambda row: -row.damage * (row.duration_s or 0.0)), start=1):
        held += row.damage * (row.duration_s or 0.0)
        if total and held >= 0.8 * total and number <= len(damaged) / 2:
            whose = "One recording has" if number == 1 else f"{number} recordings have"
            texts.append(f"{whose} 80 % of all damage.")
            break
    return texts


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _rest(number: int) -> str:
    return "All of them are damaged." if not number else f"Nothing was heard in {number}."


def _length(seconds: float) -> str:
    """A length in the unit that fits.

    >>> _length(12.34), _length(300), _length(9000)
    ('12.3 seconds', '5.0 minutes', '2.5 hours')
    """
    for unit, length in (("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} seconds"
