"""The hits of a query as one HTML file: a row per hit, with its spectrogram and its sound.

The file opens from disk in any current browser and loads nothing else; pictures and audio are stored in it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ... import audio
from ...audio.preview import encode_preview
from ...core import files
from ...core.errors import ParameterError
from ...core.html import build_page
from ..shared.thumbnail import BANDS, thumbnail

_LEVEL = 0.1  # active RMS of every sound on the page: about -20 dBFS
_SECONDS = 10.0  # of a hit that are stored


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
    excerpt = row.waveform[:, : max(1, round(_SECONDS * row.sample_rate))]
    excerpt = excerpt * np.float32(_LEVEL / max(audio.active_rms(excerpt, row.sample_rate), 1e-5))
    sound, mime = encode_preview(excerpt, row.sample_rate, seconds=_SECONDS)
    return {
        "name": row.name,
        "time": row.time,
        "score": row.score,
        "facts": _texts(row.facts),
        "picture": base64.b64encode(thumbnail(excerpt.mean(axis=0), row.sample_rate)).decode(),
        "mime": mime,
        "sound": base64.b64encode(sound).decode(),
    }


def _texts(facts: Mapping[str, Any]) -> list[list[str]]:
    return [[name, str(value)] for name, value in facts.items()]
