"""Label tracks that a person corrected in Audacity, as labels of the windows of a recording."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import artifacts
from ..artifacts import CLEAN, taxonomy
from ..core import files
from ..core.errors import ParameterError, StorageError, UnknownNameError
from ..probes.label_sets import joined
from ..probes.labels import check_label
from .marks import NO_DATA, OUT_OF_PHASE

_DETAILS = re.compile(r"(?P<name>.*?)(?: \((?P<details>(?:severity|measured)\b.*)\))?", re.DOTALL)
_CHANNEL = re.compile(r"channel (\d+)$")
_MISSPELT = 0.8  # likeness to a known name from which a name is taken for a misspelling, and not for a new one
_NEEDED = 0.5  # share of the shorter of a window and a label that lies in the other


@dataclass(frozen=True)
class Span:
    """A part of a recording that has an artifact, or is clean, in the opinion of a person or of a scan.

    Attributes:
        start_s, stop_s: Seconds; equal for a point.
        name: Of the artifact, or "clean".
        channel: From 0; None: the mix, or all channels.
    """

    start_s: float
    stop_s: float
    name: str
    channel: int | None = None


def read_track(path: str | Path, known: Iterable[str] = ()) -> list[Span]:
    """Reads a label track of Audacity (File > Export > Export Labels).

    A label is one name or several joined by commas, of artifacts, their synonyms, or new ones; what a scan wrote behind
    a name ("(severity ...)") is ignored, but for the channel. Measured findings and notes are left out: no network
    heard them.

    Args:
        path: The file.
        known: Names beside those of all artifacts.

    Raises:
        StorageError: the file cannot be read as text.
        ParameterError: a line is no label, or its name is a misspelling of a known one; the message names the line.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{path} cannot be read as a label track ({error}); export it again.") from None
    spans: list[Span] = []
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("\\"):  # a line of frequencies of the label before it
            spans += _spans(line, f"{path}, line {number}", {*artifacts.names(), CLEAN, *known})
    return spans


def read_timeline(path: str | Path) -> list[Span]:
    """The segments in the JSON of a scan.

    Raises:
        StorageError: the file is missing or is no timeline.
    """
    value = files.read_json(path)
    try:
        rate = int(value["sample_rate"])
        return [Span(s["start"] / rate, s["stop"] / rate, s["label"], s["channel"]) for s in value["segments"]]
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise StorageError(f"{path} is no timeline of a scan ({error!r}); give its .artifacts.json.") from None


def window_labels(
    windows: Sequence[Mapping[str, Any]], before: Sequence[Span], after: Sequence[Span]
) -> dict[int, str]:
    """The labels that a correction gives to windows.

    A window is labelled where it touches a label of either track: with the names of the corrected labels that have half
    of it, or half of themselves in it; with "clean" where it touches none. Windows that only the edge of a corrected
    label touches are left out, and so are those that no label touches: nobody said that they are clean.

    Args:
        windows: N with ``start``, ``stop`` and ``sample_rate``; ``channel``, None for the mix.
        before: What the scan heard.
        after: What is there in the opinion of a person.

    Returns:
        Number of a window -> names joined as in a label set.
    """
    edges = np.array([[w["start"], w["stop"]] for w in windows], float).reshape(-1, 2)
    starts, stops = (edges / np.array([[w["sample_rate"]] for w in windows], float).reshape(-1, 1)).T
    channels = [w.get("channel") for w in windows]
    names: dict[int, set[str]] = {}
    unsure: set[int] = set()
    for spans, is_corrected in ((before, False), (after, True)):
        for span in spans:
            common = np.minimum(stops, span.stop_s) - np.maximum(starts, span.start_s)
            is_point = span.stop_s <= span.start_s
            touches = (common > 0) | (is_point & (starts <= span.start_s) & (span.start_s < stops))
            has_enough = common >= _NEEDED * np.minimum(stops - starts, span.stop_s - span.start_s)
            for row in np.flatnonzero(touches).tolist():
                if None not in (channels[row], span.channel) and channels[row] != span.channel:
                    continue
                heard = names.setdefault(row, set())
                if not is_corrected or span.name == CLEAN:
                    continue
                if has_enough[row]:
                    heard.add(span.name)
                else:
                    unsure.add(row)
    return {row: joined(heard) for row, heard in sorted(names.items()) if row not in unsure}


def _spans(line: str, place: str, known: set[str]) -> list[Span]:
    cells = line.split("\t", 2)
    try:
        start_s, stop_s = float(cells[0]), float(cells[1])
    except (ValueError, IndexError):
        raise ParameterError(f"{place} is no label: give seconds, seconds and a name with tabs between them.") from None
    if not (math.isfinite(stop_s) and 0 <= start_s <= stop_s):
        raise ParameterError(f"{place}: {start_s} to {stop_s} s is no part of a recording.")
    match = _DETAILS.fullmatch(cells[2].strip() if len(cells) > 2 else "")
    assert match is not None
    details = match["details"] or ""
    if details.startswith("measured") or match["name"] in (NO_DATA, OUT_OF_PHASE):
        return []
    number = _CHANNEL.search(details)
    channel = int(number[1]) - 1 if number else None
    return [Span(start_s, stop_s, _name(text, place, known), channel) for text in match["name"].split(",")]


def _name(text: str, place: str, known: set[str]) -> str:
    """The name of an artifact that a person wrote: a known name, a synonym, or a new name."""
    name = re.sub(r"[\s-]+", "_", text.strip().lower())
    if name in known:
        return name
    try:
        return taxonomy.find(text.strip())
    except UnknownNameError:
        if close := difflib.get_close_matches(name, known, n=1, cutoff=_MISSPELT):
            raise ParameterError(f"{place}: there is no artifact {text.strip()!r}; did you mean {close[0]}?") from None
    try:
        return check_label(name)
    except ParameterError as error:
        raise ParameterError(f"{place}: {error}") from None
