"""Faults that recur in several recordings as one HTML file: a section per fault, a player per recording.

The file opens from disk in any current browser and loads nothing else; pictures and audio are stored in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...artifacts.taxonomy import catalog_places
from ...core import files
from ...core.html import build_page
from ..shared.excerpt import excerpt
from ..shared.thumbnail import BANDS


@dataclass(frozen=True)
class Place:
    """Where a fault lies in one recording, or in another group of windows.

    Attributes:
        name: Of the recording or group.
        windows: Number of its windows with the fault.
        share: Those as a share of all its windows, in [0, 1].
        lift: ``share`` over the share in all recordings; 1 by chance.
        time: Position of the window that is played, as text.
        waveform: float32 ``[C, T]`` of that window; None if it cannot be read.
        sample_rate: In Hz.
    """

    name: str
    windows: int
    share: float
    lift: float
    time: str
    waveform: np.ndarray | None
    sample_rate: int


@dataclass(frozen=True)
class RecurringFault:
    """A cluster of similar windows of several recordings.

    Attributes:
        label: The most frequent label of the windows; "" where they have none.
        purity: Share of the windows with that label.
        windows: Number of windows.
        groups: Number of recordings or groups that they lie in.
        places: Those with most windows first; not necessarily all.
    """

    label: str
    purity: float
    windows: int
    groups: int
    places: Sequence[Place]


def write_recurrences(
    path: str | Path,
    faults: Sequence[RecurringFault],
    title: str,
    facts: Mapping[str, Any],
    note: str = "",
    groups: str = "recordings",
) -> None:
    """Writes the page atomically.

    Args:
        path: The ``.html`` file to write.
        faults: In the order in which they are shown; may be empty.
        title: Heading of the page.
        facts: Name -> value, shown under the heading in this order.
        note: A paragraph under the facts, such as why there are no faults.
        groups: What the faults recur in, as a noun in the plural.
    """
    page = {
        "title": title,
        "facts": [[name, str(value)] for name, value in facts.items()],
        "note": note,
        "groups": groups,
        "bands": BANDS,
        "places": catalog_places([fault.label for fault in faults]),
        "faults": [_fault(fault) for fault in faults],
    }
    files.write_text(path, build_page(f"{__package__}", "recurrences", title, {"data": page}))


def _fault(fault: RecurringFault) -> dict[str, Any]:
    return {
        "label": fault.label,
        "purity": fault.purity,
        "windows": fault.windows,
        "groups": fault.groups,
        "places": [_place(place) for place in fault.places],
    }


def _place(place: Place) -> dict[str, Any]:
    facts = {"name": place.name, "windows": place.windows, "share": place.share, "lift": place.lift, "time": place.time}
    return facts | ({} if place.waveform is None else excerpt(place.waveform, place.sample_rate))
