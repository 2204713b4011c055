"""From acts in a journal to the labels that hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...core.errors import StorageError
from .row import KEEP, Key, RowLabel, address_of, checked


def fold(acts: Iterable[Mapping[str, Any]], path: str | Path) -> dict[Key, RowLabel]:
    """Address of a sound -> the label that holds after these acts, in the order in which they were last labelled.

    Raises:
        StorageError: an act is none; the message names the file.
    """
    standing: dict[Key, RowLabel] = {}
    for act in acts:
        try:
            say(standing, act)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StorageError(f"{path} holds something else than labels ({error!r}); give another journal.") from None
    return standing


def say(standing: dict[Key, RowLabel], act: Mapping[str, Any]) -> None:
    """Puts the labels of one act on top of those that hold."""
    for row in act["rows"]:
        label = RowLabel(
            action=act["action"],
            label=row["before"] if act["action"] == KEEP else act["label"],
            before=row["before"],
            who=act["who"],
            time=act["time"],
            note=act["note"],
            tool=act["tool"],
            fingerprint=act["fingerprint"],
            id=row["id"],
            address=address_of(row),
        )
        checked(label)
        standing.pop(label.key, None)  # what was said last stands last
        standing[label.key] = label
