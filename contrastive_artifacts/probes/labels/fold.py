"""From acts in a journal to the labels in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...core.errors import StorageError
from .row import KEEP, Key, RowLabel, address_of, checked


def fold(acts: Iterable[Mapping[str, Any]], path: str | Path) -> dict[Key, RowLabel]:
    """Address of a sound -> its label after these acts, in the order in which sounds were last labelled.

    Raises:
        StorageError: an act has other contents than labels; the message names the file.
    """
    standing: dict[Key, RowLabel] = {}
    for act in acts:
        try:
            apply_act(standing, act)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StorageError(f"{path} is not a journal of labels ({error!r}); give another one.") from None
    return standing


def apply_act(standing: dict[Key, RowLabel], act: Mapping[str, Any]) -> None:
    """Replaces labels in force by those of one act."""
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
        standing.pop(label.key, None)  # to the end: the order is that of the last labels
        standing[label.key] = label
