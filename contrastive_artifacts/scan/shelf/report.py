"""One page over many recordings, made from the pages of their timelines: these hold all that it shows."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from ...artifacts.restoration import MEASURED, advice
from ...artifacts.taxonomy import catalog_places
from ...core import files
from ...core.errors import StorageError
from ...core.html import build_page, read_blocks
from ..formats.page import DATA, SOUND
from ..marks import importance
from ..overview import joined_columns
from ..results import result_paths
from ..sounds import PAGE_BYTES
from ..summary import FileSummary
from .sentences import sentences

REPORT = "report.html"
MOMENTS = 20
_COLUMNS = 480  # of the waveform of a recording
_PLACES = 60  # of a recording that can be pointed at


@dataclass(frozen=True)
class Place:
    """A finding of a recording.

    Attributes:
        start, stop: Seconds.
        label: The artifact, or the kind of a measured finding.
        severity: In [0, 1]; None where it is unknown, and for measured findings.
        confidence: In [0, 1]; None for measured findings.
        value: Of a measured finding, with its unit; None for others.
        sound: Number of its sound in the page of the recording; -1 for none.
    """

    start: float
    stop: float
    label: str
    severity: float | None
    confidence: float | None
    value: str | None
    sound: int

    @property
    def rank(self) -> tuple[float, ...]:
        """Sorts places, the most important first."""
        return (*(-value for value in importance(self.severity, self.confidence)), self.start)


@dataclass(frozen=True)
class Recording:
    """A recording that was scanned: its row, the data of its page, and its findings, the most important first."""

    row: FileSummary
    page: Path
    data: Mapping[str, Any]
    places: tuple[Place, ...]


def write_report(rows: Sequence[FileSummary], folder: Path) -> Path:
    """Writes ``report.html`` beside the tables of an archive; returns its path.

    Args:
        rows: In the order of :func:`~.summary.ordered`.
        folder: Of the results.

    Raises:
        StorageError: the page of a recording is missing or of another version, or the report cannot be written.
    """
    recordings = [_recording(row, folder) for row in rows if row.scanned]
    failed = [row for row in rows if not row.scanned]
    root = _root([row.path for row in rows])
    names = sorted({place.label for recording in recordings for place in recording.places})
    worst = sorted(((place.rank, n, p) for n, r in enumerate(recordings) for p, place in enumerate(r.places)))
    moments = [(n, p) for _, n, p in worst if recordings[n].places[p].confidence is not None][:MOMENTS]
    chosen, texts = _sounds(recordings, moments)
    data = {
        "root": root,
        "sentences": sentences(rows, {r.row.title: _shown(r.row.title, root) for r in recordings}),
        "faults": [_fault(name, recordings) for name in names],
        "files": [_file(r, n, root, names, chosen) for n, r in enumerate(recordings)],
        "failed": [[_shown(row.title, root), row.reason] for row in failed],
        "moments": [list(moment) for moment in moments],
        "sound_bytes": sum(map(len, texts)),
        "limit_bytes": PAGE_BYTES,
    }
    blocks = {f"{SOUND}{number}": text for number, text in enumerate(texts)}
    title = f"Report of {len(rows)} recordings"
    files.write_text(folder / REPORT, build_page(__package__, "shelf", title, {DATA: data, **blocks}))
    return folder / REPORT


def _recording(row: FileSummary, folder: Path) -> Recording:
    page = result_paths(folder / row.results)["html"]
    try:
        data = read_blocks(page, [DATA]).get(DATA, {})
        rate = data["sample_rate"]
        places = [
            Place(start / rate, stop / rate, label, severity, confidence, None, sound)
            for start, stop, label, severity, confidence, _, sound in data["segments"]
        ]
        places += [
            Place(start / rate, stop / rate, kind, None, None, value, sound)
            for start, stop, kind, value, _, sound in data["findings"]
            if kind in MEASURED
        ]
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise StorageError(f"{page} cannot be read ({error}); remove it and scan again.") from None
    return Recording(row, page, data, tuple(sorted(places, key=lambda place: place.rank)))


def _sounds(
    recordings: Sequence[Recording], moments: Sequence[tuple[int, int]]
) -> tuple[dict[tuple[int, int], int], list[str]]:
    """Which sounds go into the report: (recording, number in its page) -> number in the report; and their texts.

    First those of the worst moments, then the most important one of each recording, then the second one of each ...,
    until one does not fit.
    """
    turns = max((len(recording.places) for recording in recordings), default=0)
    others = ((n, turn) for turn in range(min(turns, _PLACES)) for n in range(len(recordings)))
    chosen: dict[tuple[int, int], int] = {}
    room = PAGE_BYTES
    for n, place in (*moments, *others):
        if place >= len(recordings[n].places):
            continue
        key = (n, recordings[n].places[place].sound)
        if key[1] < 0 or key in chosen:
            continue
        room -= recordings[n].data["sounds"][key[1]][2]
        if room < 0:
            break
        chosen[key] = len(chosen)
    texts = [""] * len(chosen)
    for n in sorted({n for n, _ in chosen}):
        numbers = {f"{SOUND}{sound}": place for (recording, sound), place in chosen.items() if recording == n}
        for name, text in read_blocks(recordings[n].page, numbers).items():
            texts[numbers[name]] = text
    return chosen, texts


def _file(
    recording: Recording, number: int, root: str, names: Sequence[str], chosen: Mapping[tuple[int, int], int]
) -> dict[str, Any]:
    row, data = recording.row, recording.data
    shown = sorted(recording.places[:_PLACES], key=lambda place: place.start)
    order = {id(place): at for at, place in enumerate(recording.places)}
    drawn = data["overview"]
    low, high = (base64.b64decode(drawn[side]) if drawn else b"" for side in ("low", "high"))
    low, high = joined_columns(low, high, _COLUMNS)
    return {
        "name": _shown(row.title, root),
        "page": quote(os.fsencode(result_paths(row.results)["html"])),
        "seconds": row.duration_s,
        "rate": row.sample_rate,
        "channels": row.channels,
        "damage": row.damage,
        "share": row.marked_share,
        "low": base64.b64encode(low).decode(),
        "high": base64.b64encode(high).decode(),
        "lanes": _lanes(recording, names),
        "places": [
            [
                *(round(place.start, 3), round(place.stop, 3), names.index(place.label), place.severity, place.value),
                chosen.get((number, place.sound), -1),
                data["sounds"][place.sound][0] / data["sample_rate"] if place.sound >= 0 else 0,
                order[id(place)],
            ]
            for place in shown
        ],
    }


def _lanes(recording: Recording, names: Sequence[str]) -> list[list[Any]]:
    """[fault, findings, worst severity or None, spans] of each fault; spans are [first column, last column, severity].

    Spans that touch in columns of the waveform are one, of the larger severity.
    """
    seconds = max(recording.row.duration_s or 0.0, 1e-9)
    by_label: dict[str, list[Place]] = {}
    for place in sorted(recording.places, key=lambda place: place.start):
        by_label.setdefault(place.label, []).append(place)
    lanes: list[list[Any]] = []
    for label in names:
        spans: list[list[Any]] = []
        for place in by_label.get(label, []):
            first, last = (min(_COLUMNS - 1, int(at / seconds * _COLUMNS)) for at in (place.start, place.stop))
            severity = None if place.severity is None else round(place.severity, 3)
            if spans and first <= spans[-1][1] + 1:
                spans[-1][1] = max(last, spans[-1][1])
                spans[-1][2] = max((s for s in (spans[-1][2], severity) if s is not None), default=None)
            else:
                spans.append([first, last, severity])
        if spans:
            known = [place.severity for place in by_label[label] if place.severity is not None]
            lanes.append([names.index(label), len(by_label[label]), max(known, default=None), spans])
    return lanes


def _fault(name: str, recordings: Sequence[Recording]) -> dict[str, Any]:
    counts = [sum(place.label == name for place in recording.places) for recording in recordings]
    hint = advice(name)
    return {
        "name": name,
        "place": catalog_places([name]).get(name),
        "measured": name in MEASURED,
        "files": int(np.count_nonzero(counts)),
        "count": sum(counts),
        "order": hint.order if hint else None,
        "stage": hint.stage if hint else "",
        "advice": hint.text if hint else "A label that users added: the catalog has no advice.",
        "atlas": hint.address if hint else "",
    }


def _root(paths: Sequence[str]) -> str:
    """The innermost folder of all paths; "" if there is none."""
    parents = {os.path.dirname(path) for path in paths}
    if len({os.path.isabs(path) for path in paths}) > 1:
        return ""
    return os.path.commonpath(parents) if parents and all(parents) else ""


def _shown(title: str, root: str) -> str:
    return title.removeprefix(root).lstrip(os.sep) if root else title
