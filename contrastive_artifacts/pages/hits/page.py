"""The hits of a query as one HTML file: a row per hit, with its spectrogram and its sound.

The file opens from disk in any current browser and loads nothing else; pictures and audio are stored in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...core import files
from ...core.errors import ParameterError
from ...core.html import build_page
from ..shared.excerpt import excerpt
from ..shared.thumbnail import BANDS


@dataclass(frozen=True)
class HitRow:
    """One hit, or the query itself.

    Attributes:
        name: Name of the recording.
        time: Position in the recording, as text.
        score: Cosine similarity to the query; None for the query itself.
        waveform: float32 ``[C, T]``.
        sample_rate: In Hz.
        facts: Name -> value (metadata, verdict of the probe), shown in this order.
    """

    name: str
    time: str
    score: float | None
    waveform: np.ndarray
    sample_rate: int
    facts: Mapping[str, Any] = field(default_factory=dict)


def write_hits(path: str | Path, rows: Sequence[HitRow], title: str, facts: Mapping[str, Any]) -> None:
    """Writes the page atomically. The first ten seconds of each hit are stored, all at one level.

    Args:
        path: The ``.html`` file to write.
        rows: In the order in which they are shown; the query, if it is shown, comes first.
        title: Heading of the page.
        facts: Name -> value of the search, shown under the heading in this order.

    Raises:
        ParameterError: no rows.
    """
    if not rows:
        raise ParameterError("There are no hits to show; loosen the filters of the search.")
    page = {"title": title, "facts": _texts(facts), "bands": BANDS, "rows": [_row(row) for row in rows]}
    files.write_text(path, build_page(f"{__package__}", "hits", title, {"data": page}))


def _row(row: HitRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "time": row.time,
        "score": row.score,
        "facts": _texts(row.facts),
        **excerpt(row.waveform, row.sample_rate),
    }


def _texts(facts: Mapping[str, Any]) -> list[list[str]]:
    return [[name, str(value)] for name, value in facts.items()]
