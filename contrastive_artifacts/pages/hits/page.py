"""The answers to a query as one HTML file: a row a span, with its picture and its sound.

It opens from disk in any current browser and loads nothing from anywhere; pictures and audio lie inside.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ... import audio
from ...core import files
from ...core.errors import ParameterError
from ...core.html import build_page
from ..shared.preview import encode_preview
from ..sheet.page import BANDS, spectrogram

_LEVEL = 0.1  # about -20 dBFS: none is louder than the next
_SECONDS = 10.0


@dataclass(frozen=True)
class HitRow:
    """One span.

    Attributes:
        name: Of the recording.
        time: Where it lies in it, a text.
        score: Cosine to the query; None for the query itself.
        waveform: float32 ``[C, T]``.
        sample_rate: In Hz.
        facts: What is known of it or was heard, shown in this order.
    """

    name: str
    time: str
    score: float | None
    waveform: np.ndarray
    sample_rate: int
    facts: Mapping[str, Any] = field(default_factory=dict)


def write_hits(path: str | Path, rows: Sequence[HitRow], title: str, facts: Mapping[str, Any]) -> None:
    """Writes the page; whole or not at all. Ten seconds of each span are heard, all at one loudness.

    Args:
        path: The ``.html`` file to write.
        rows: In the order in which they are shown, the query first if it is to be heard too.
        title: Heading of the page.
        facts: What to know about the search; shown under the heading in this order.

    Raises:
        ParameterError: no rows.
    """
    if not rows:
        raise ParameterError("There is nothing to show: the search found no span; loosen its filters.")
    shown = [[key, str(value)] for key, value in facts.items()]
    page = {"title": title, "facts": shown, "bands": BANDS, "rows": [_row(row) for row in rows]}
    files.write_text(path, build_page(f"{__package__}", "hits", title, {"data": page}, scripts=["../shared/listen.js"]))


def _row(row: HitRow) -> dict[str, Any]:
    heard = row.waveform[:, : max(1, round(_SECONDS * row.sample_rate))]
    heard = heard * np.float32(_LEVEL / max(audio.active_rms(heard, row.sample_rate), 1e-5))
    sound, mime = encode_preview(heard, row.sample_rate, seconds=_SECONDS)
    return {
        "name": row.name,
        "time": row.time,
        "score": row.score,
        "facts": [[key, str(value)] for key, value in row.facts.items()],
        "picture": base64.b64encode(spectrogram(heard.mean(axis=0), row.sample_rate)).decode(),
        "mime": mime,
        "sound": base64.b64encode(sound).decode(),
    }
