"""A label that a person gave to a row of an index, and the address of the sound that it is about."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import ParameterError

KEEP, REJECT, RELABEL, UNDO = "keep", "reject", "relabel", "undo"
ACTIONS = (KEEP, REJECT, RELABEL)
LONGEST_NAME = 40  # characters
_NAME = re.compile(rf"[a-z0-9_]{{1,{LONGEST_NAME}}}")
# What tells one sound from another. Rendered views of one crop differ in artifact and parameters; the file is a path
# and the source a grouping, both of which may change while the sound stays what it is.
PLACE = ("corpus", "clip", "channel", "start", "stop", "sample_rate", "artifact", "params")
ADDRESS = (*PLACE, "file", "source")
NUMBERS = ("start", "stop", "sample_rate", "channel")
_DEFAULTS = {"channel": None, "artifact": "", "params": "{}", "file": "", "source": ""}

Key = tuple[Any, ...]


@dataclass(frozen=True)
class RowLabel:
    """What holds for one row, and who said so.

    Args:
        action: "keep", "reject" or "relabel".
        label: The label that now holds; "" for a row that is rejected.
        before: The label that was shown; "" where there was none.
        who, time, note, tool: Person, UTC time (ISO 8601), remark, and version of the program.
        fingerprint: Of the encoder whose index was looked at. The label is about the sound and holds for others too.
        id: Of the row in that index, int64.
        address: Where the sound is: corpus, clip, channel (None for the mix), start and stop in samples at sample_rate,
            artifact and params (JSON) of a rendered view ("" and "{}" for a recording as it is), file, source.
    """

    action: str
    label: str
    before: str
    who: str
    time: str
    note: str
    tool: str
    fingerprint: str
    id: int
    address: dict[str, Any]

    @property
    def key(self) -> Key:
        """What two rows have in common that are one sound, in whatever index."""
        return key_of(self.address)


def address_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The address of a row of an index, from its metadata.

    Raises:
        ParameterError: a part is missing or of another type.
    """
    found = {name: _plain(row.get(name), name) for name in ADDRESS}
    bad = [name for name, value in found.items() if not _fits(name, value)]
    if bad:
        raise ParameterError(
            f"the row has {', '.join(f'{name} {row.get(name)!r}' for name in bad)}; a label needs the address of a "
            "sound, as the rows of a probed run and of scripts/embed.py have it."
        )
    return found


def key_of(address: Mapping[str, Any]) -> Key:
    """What tells the sound at an address from all others."""
    return tuple(address[name] for name in PLACE)


def checked(label: RowLabel) -> RowLabel:
    """A label that was read from a file, unchanged.

    Raises:
        ParameterError: a value is none that a label can have.
    """
    texts = (label.label, label.before, label.who, label.time, label.note, label.tool, label.fingerprint)
    if label.action not in ACTIONS:
        raise ParameterError(f"an action is one of {', '.join(ACTIONS)}, not {label.action!r}.")
    if not all(isinstance(text, str) for text in texts) or isinstance(label.id, bool) or not isinstance(label.id, int):
        raise ParameterError(f"a value of the label of row {label.id!r} has another type than labels have.")
    if label.action != REJECT:
        check_name(label.label)
    elif label.label:
        raise ParameterError(f"row {label.id} is rejected and yet has the label {label.label!r}.")
    return label


def check_name(label: Any) -> str:
    """``label`` itself.

    Raises:
        ParameterError: it is no name that a label may have.
    """
    if not isinstance(label, str) or not _NAME.fullmatch(label):
        raise ParameterError(
            f"a label is 1 to {LONGEST_NAME} of the characters a-z, 0-9 and _, such as tape_squeal; got {label!r}."
        )
    return label


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return json.dumps(value, sort_keys=True)
    if value is None:
        return _DEFAULTS.get(name)
    return value.item() if hasattr(value, "item") else value


def _fits(name: str, value: Any) -> bool:
    if name in NUMBERS:
        return (value is None and name == "channel") or (isinstance(value, int) and not isinstance(value, bool))
    return isinstance(value, str) and (value != "" or name in _DEFAULTS)
