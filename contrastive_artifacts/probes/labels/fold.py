"""From acts in a journal to the labels in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...core.errors import StorageError
from .row import KEEP, Key, RowLabel, address_of, checked

# Acts of format 1 have no key "format": a label is one name and stands once in the act. In format 2 each row has its
# label, the names of its faults joined by ", ".
FORMAT = 2


def fold(acts: Iterable[Mapping[str, Any]], path: str | Path) -> dict[Key, RowLabel]:
    """Address of a sound -> its label after these acts, in the order in which sounds were last labelled.

    Raises:
        StorageError: an act has other contents than labels, or a later format; the message names the file.
    """
    standing: dict[Key, RowLabel] = {}
    for act in acts:
        if act.get("format", 1) not in (1, FORMAT):
            raise StorageError(f"{path} has labels of format {act['format']!r}; this version reads 1 and {FORMAT}.")
        try:
            apply_act(standing, act)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StorageError(f"{path} is not a journal of labels ({error!r}); give another one.") from None
    return standing


def apply_act(standing: dict[Key, RowLabel], act: Mapping[str, Any]) -> None:
    """Replaces labels in force by those of one act."""
    for row in act["rows"]:
        if act.get("format", 1) == FORMAT:
            text = row["label"]
        else:
            text = row["before"] if act["action"] == KEEP else act["label"]
        label = checked(
            RowLabel(
                action=act["action"],
                label=text,
                before=row["before"],
                who=act["who"],
                time=act["time"],
                note=act["note"],
                tool=act["tool"],
                fingerprint=act["fingerprint"],
                id=row["id"],
                address=address_of(row),
            )
        )
        standing.pop(label.key, None)  # to the end: the order is that of the last labels
        standing[label.key] = label
