"""A map of embeddings as one HTML file: a scatter plot of clips that plays each of them.

The file opens from disk in any current browser and loads nothing else; the audio is stored in it.
"""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...artifacts.taxonomy import catalog_places
from ...core import files
from ...core.errors import ParameterError
from ...core.html import build_page
from ..shared.fitting import fitted
from ..shared.texts import parameter_rows, text_of

_CLEAN = "clean"
_MANY = 100  # points from which on a few far ones are drawn to the edge


@dataclass(frozen=True)
class MapPoint:
    """One clip on the map.

    Attributes:
        x, y: Position in any finite unit; both axes are drawn with one scale. Of 100 points and more, those outside
            of the 1st to 99th percentile are drawn at the edge.
        id: Name of the clip.
        artifact: Its artifact, or "clean".
        severity: In [0, 1]; 0 for clean.
        source: The recording that the clip was cut from.
        corpus: The corpus of that recording.
        params: Parameters of the artifact, JSON.
        audio: An encoded preview (see :func:`.audio.preview.encode_preview`); None for a clip that cannot be played.
        mime: MIME type of ``audio``.
    """

    x: float
    y: float
    id: str
    artifact: str
    severity: float = 0.0
    source: str = ""
    corpus: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    audio: bytes | None = None
    mime: str = "audio/mpeg"


def write_map(path: str | Path, points: Sequence[MapPoint], title: str, facts: Mapping[str, Any] | None = None) -> None:
    """Writes the page atomically. A preview that several points share is stored once.

    Args:
        path: The ``.html`` file to write.
        points: At least one.
        title: Heading of the page.
        facts: Name -> value (encoder, number of clips, scores), shown under the heading in this order.

    Raises:
        ParameterError: no points, a position that is not finite, or a severity outside [0, 1].
    """
    if not points:
        raise ParameterError("A map needs at least one point; the list given is empty.")
    for point in points:
        if not (math.isfinite(point.x) and math.isfinite(point.y)):
            raise ParameterError(f"Point {point.id!r} is at ({point.x}, {point.y}); give finite coordinates.")
        if not 0.0 <= point.severity <= 1.0:
            raise ParameterError(f"Point {point.id!r} has severity {point.severity}; it must lie in [0, 1].")
    clips: dict[tuple[str, bytes], int] = {}
    clip_of = [clips.setdefault((p.mime, p.audio), len(clips)) if p.audio else -1 for p in points]
    artifacts = sorted({p.artifact for p in points}, key=lambda name: (name != _CLEAN, name))
    sources = _by_count([p.source for p in points])
    corpora = _by_count([p.corpus for p in points])
    places = np.array([(p.x, p.y) for p in points], np.float64)
    if len(points) >= _MANY:
        places = fitted(places, np.zeros(len(points), bool))
    columns = {
        "x": [_short(x) for x in places[:, 0]],
        "y": [_short(y) for y in places[:, 1]],
        "id": [p.id for p in points],
        "severity": [_short(p.severity) for p in points],
        "artifact": _positions([p.artifact for p in points], artifacts),
        "source": _positions([p.source for p in points], sources),
        "corpus": _positions([p.corpus for p in points], corpora),
        "params": [parameter_rows(p.params) for p in points],
        "clip": clip_of,
    }
    page = {
        "title": title,
        "facts": [[key, text_of(value)] for key, value in (facts or {}).items()],
        "artifacts": artifacts,
        "places": catalog_places(artifacts),
        "sources": sources,
        "corpora": corpora,
        "points": columns,
    }
    sounds = [[mime, base64.b64encode(data).decode()] for mime, data in clips]
    blocks = {"data": page, "sounds": sounds}
    files.write_text(path, build_page(f"{__package__}", "map", title, blocks))


def _short(value: float) -> float:
    return float(f"{float(value):.6g}")


def _by_count(names: Sequence[str]) -> list[str]:
    counts = Counter(names)
    return sorted(counts, key=lambda name: (-counts[name], name))


def _positions(names: Sequence[str], known: Sequence[str]) -> list[int]:
    place = {name: position for position, name in enumerate(known)}
    return [place[name] for name in names]
