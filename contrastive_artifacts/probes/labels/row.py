"""A label that a user gave to a row of an index, and the address of its sound."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...artifacts import CLEAN
from ...core.errors import ParameterError
from ..label_sets import COLUMNS, joined, names_of

KEEP, REJECT, RELABEL, UNDO = "keep", "reject", "relabel", "undo"
ACTIONS = (KEEP, REJECT, RELABEL)
LONGEST_NAME = 40  # characters
_NAME = re.compile(rf"[a-z0-9_]{{1,{LONGEST_NAME}}}")
# The columns that identify a sound. Rendered views of the same window differ in artifact and params; the path of the
# file and the source (a grouping) are not in it, because both can change while the sound does not.
PLACE = ("corpus", "clip", "channel", "start", "stop", "sample_rate", "artifact", "params")
ADDRESS = (*PLACE, "file", "source")
NUMBERS = ("start", "stop", "sample_rate", "channel")
_DEFAULTS = {"channel": None, "artifact": "", "params": "{}", "file": "", "source": ""}

Key = tuple[Any, ...]


@dataclass(frozen=True)
class RowLabel:
    """The label of one row, and its provenance.

    Args:
        action: "keep", "reject" or "relabel".
        label: The label in force: the names of its faults as :func:`..label_sets.joined` writes them, or one name; ""
            for a rejected row.
        before: The label that was shown; "" without any.
        who, time, note, tool: User, UTC time (ISO 8601), remark, and version of the program.
        fingerprint: Of the encoder of the index. The label is of the sound and is valid for other encoders, too.
        id: Of the row in that index, int64.
        address: Place of the sound: corpus, clip, channel (None for the mix), start and stop in samples at sample_rate,
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
    def of_one(self) -> bool:
        """Whether a probe of one label can learn it: a single fault, or clean."""
        return len(names_of(self.label)) == 1

    @property
    def key(self) -> Key:
        """Identifies the sound: equal for rows of the same sound in any index."""
        return key_of(self.address)


def address_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The address of a row of an index, from its metadata.

    Raises:
        ParameterError: a column is missing or of another type.
    """
    address = {name: _plain(row.get(name), name) for name in ADDRESS}
    bad = [name for name, value in address.items() if not _fits(name, value)]
    if bad:
        raise ParameterError(
            f"the row has {', '.join(f'{name} {row.get(name)!r}' for name in bad)}; a label needs the address of a "
            "sound, which rows of a probed run and of scripts/embed.py have."
        )
    return address


def key_of(address: Mapping[str, Any]) -> Key:
    """The part of an address that identifies the sound."""
    return tuple(address[name] for name in PLACE)


def shown_label(row: Mapping[str, Any]) -> str:
    """The label that the metadata of a row holds, from the first of COLUMNS with a value; "" for none."""
    label = next((str(row[name]) for name in COLUMNS if row.get(name)), "")
    return joined(names_of(label)) if label else ""


def checked(label: RowLabel) -> RowLabel:
    """Checks a label that was read from a file and returns it, its names in order.

    Raises:
        ParameterError: a value of another type, or out of range.
    """
    texts = (label.label, label.before, label.who, label.time, label.note, label.tool, label.fingerprint)
    if label.action not in ACTIONS:
        raise ParameterError(f"an action is one of {', '.join(ACTIONS)}, not {label.action!r}.")
    if not all(isinstance(text, str) for text in texts) or isinstance(label.id, bool) or not isinstance(label.id, int):
        raise ParameterError(f"a value of the label of row {label.id!r} has another type than labels have.")
    if label.action != REJECT:
        return replace(label, label=check_label(label.label))
    if label.label:
        raise ParameterError(f"row {label.id} is rejected, but has the label {label.label!r}; a rejected row has none.")
    return label


def check_label(label: Any) -> str:
    """Checks a label, one name or several joined by ", ", and returns it with its names in order.

    Raises:
        ParameterError: a name is not 1 to 40 of a-z, 0-9 and _, or "clean" is not alone.
    """
    names = names_of(label) if isinstance(label, str) else ()
    if not names or not all(_NAME.fullmatch(name) for name in names):
        raise ParameterError(
            f"a label is names joined by ', ', each 1 to {LONGEST_NAME} of the characters a-z, 0-9 and _, such as "
            f"tape_squeal; got {label!r}."
        )
    if CLEAN in names and len(set(names)) > 1:
        raise ParameterError(f"{label!r}: a row with faults is not clean; leave {CLEAN!r} out.")
    return joined(names)


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
