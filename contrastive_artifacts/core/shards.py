"""Shards of a job: the parts that several machines do by themselves, without a server, into one folder.

Which items belong to a shard follows from the items alone. Each shard has a journal of its own, whose first entry says
what its results depend on; joining reads the journals of all shards.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from .errors import ParameterError, StorageError
from .journal import Journal, read_entries

MERGE = "merge"  # in place of a shard: join what all of them did
T = TypeVar("T")
_TEXT = re.compile(r"(\d{1,6})/(\d{1,6})")
_JOURNAL = re.compile(r"journal\.shard-(\d+)-of-(\d+)\.jsonl")
_ITEM_S = 1.0  # that each item costs beside its length: the opening of a file
_SHOWN = 5


@dataclass(frozen=True, order=True)
class Shard:
    """Part ``number`` of ``count`` parts; numbers count from 1.

    Raises:
        ParameterError: there is no such part.
    """

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise ParameterError(
                f"shard={self}: the shards of {self.count} are 1/{self.count} to {self.count}/{self.count}."
            )

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @property
    def name(self) -> str:
        """In names of files."""
        return f"shard-{self.number}-of-{self.count}"

    @property
    def journal(self) -> str:
        """Name of the journal."""
        return f"journal.{self.name}.jsonl"

    def part(self, items: Sequence[T], seconds: Callable[[T], float]) -> list[T]:
        """The items of this shard, in their order.

        The longest item goes to the shard with the least so far, then the next one (LPT rule: the longest shard is at
        most 4/3 of the best possible; Graham 1969).
        """
        numbers = self.numbers(items, seconds)
        return [item for item, number in zip(items, numbers, strict=True) if number == self.number]

    def numbers(self, items: Sequence[T], seconds: Callable[[T], float]) -> list[int]:
        """The number of the shard of each item."""
        lengths = [seconds(item) + _ITEM_S for item in items]
        loads = [(0.0, number) for number in range(1, self.count + 1)]
        numbers = [0] * len(items)
        for index in sorted(range(len(items)), key=lambda index: -lengths[index]):
            load, numbers[index] = loads[0]
            heapq.heapreplace(loads, (load + lengths[index], numbers[index]))
        return numbers


def parse(text: str | None) -> Shard | None:
    """``"3/16"``; None for None.

    Raises:
        ParameterError: another text, or a part that does not exist.
    """
    if text is None:
        return None
    match = _TEXT.fullmatch(text)
    if match is None:
        raise ParameterError(f"shard={text}: give the part and the number of parts, such as 3/16, or {MERGE}.")
    return Shard(int(match[1]), int(match[2]))


def begin(journal: Journal, about: Mapping[str, Any], shard: Shard) -> None:
    """Writes the first entry of a shard's journal, or checks it.

    Raises:
        StorageError: this or another shard in the folder is of another encoder, other settings or another number of
            shards; a new journal is removed.
    """
    about = {**about, "shards": shard.count}
    try:
        for path in _journals(journal.path.parent).values():
            entries = journal.entries if path == journal.path else read_entries(path)
            if entries:
                _check(path, entries[0], about)
    except StorageError:
        if not journal.entries:
            journal.path.unlink()  # or it would count as a shard
        raise
    if not journal.entries:
        journal.add(about)


def joined(folder: Path, about: Mapping[str, Any]) -> tuple[list[dict[str, Any]], Shard]:
    """The entries of all shards in a folder but the first of each, and the last of the shards.

    Raises:
        StorageError: there is none, or shards are of another encoder, other settings or different numbers of shards.
    """
    journals = _journals(folder)
    if not journals:
        raise StorageError(f"{folder} holds no shards; run shard=1/2 and shard=2/2 first, on whatever machines.")
    count = max(journals).count
    entries: list[dict[str, Any]] = []
    for path in journals.values():
        first, *rest = read_entries(path) or [{}]
        if first:
            _check(path, first, {**about, "shards": count})
        entries += rest
    return entries, Shard(count, count)


def missing(
    what: str, items: Sequence[T], is_missing: Callable[[T], bool], name: Callable[[T], str],
    seconds: Callable[[T], float], shard: Shard,
) -> StorageError:  # fmt: skip
    """The error where shards have not done everything.

    Args:
        what: The items in words: "recordings".
        items: All of them.
        is_missing: Whether one is missing.
        name: Of one, for the message.
        seconds: The length by which items were shared out, see :meth:`Shard.numbers`.
        shard: Any of the shards.
    """
    numbers = shard.numbers(items, seconds)
    lost = [(name(item), number) for item, number in zip(items, numbers, strict=True) if is_missing(item)]
    shown = ", ".join(text for text, _ in lost[:_SHOWN]) + (
        f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
    )
    commands = " ".join(f"shard={number}/{shard.count}" for number in sorted({number for _, number in lost}))
    return StorageError(
        f"{len(lost)} of {len(items)} {what} are missing: {shown}. Run {commands} (again), then shard={MERGE}."
    )


def _journals(folder: Path) -> dict[Shard, Path]:
    shards = {}
    for path in folder.glob("journal.shard-*.jsonl"):
        if match := _JOURNAL.fullmatch(path.name):
            shards[Shard(int(match[1]), int(match[2]))] = path
    return dict(sorted(shards.items()))


def _check(path: Path, entry: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    different = [name for name in about if entry.get(name) != about[name]]
    if different:
        texts = ", ".join(f"{name} {entry.get(name)!r} and not {about[name]!r}" for name in different)
        raise StorageError(f"{path} is a shard with {texts}; choose another folder, or remove the shards in this one.")
