"""The page of a timeline: what it shows and plays; its HTML, styles and script are in ``scan/timeline/``."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import audio
from ...artifacts.taxonomy import catalog_places
from ...core import files
from ...core.html import build_page
from ..marks import Mark, Segment, importance
from ..measured import Finding, facts
from ..overview import Overview, peak_dbfs
from ..sounds import CONTEXT_S, LONGEST_S, PAGE_BYTES, Sound, Span, sounds_of

if TYPE_CHECKING:
    from ..timeline import Timeline

_FOLDER = __name__.replace("formats.page", "timeline")
SERVED_S = 30.0  # longest part of a finding that a served page plays at once
DATA, SOUND = "data", "sound"  # names of the blocks of data; those of sounds are numbered: sound0, sound1 ...


def write_html(timeline: Timeline, path: str | Path) -> None:
    """A page that opens from disk without a network: lanes, waveform, spectrogram, facts, and sounds to play.

    The sounds are read from ``timeline.path``; without the recording the page has none.
    """
    sounds, of_segments, of_findings = _sounds(timeline)
    data = {
        **_data(timeline, of_segments, of_findings),
        "sounds": [[sound.span.start, sound.span.stop, len(sound.text)] for sound in sounds],
        "limit_bytes": PAGE_BYTES,
    }
    blocks = {f"{SOUND}{number}": sound.text for number, sound in enumerate(sounds)}
    files.write_text(path, build_page(_FOLDER, "timeline", _title(timeline), {DATA: data, **blocks}))


def served_page(timeline: Timeline, has_picture: bool) -> str:
    """The same page for a server that has the recording: it reads sounds and stores decisions there, and holds none.

    Args:
        timeline: See :func:`write_html`.
        has_picture: Whether the recording is a film, whose picture is shown beside.
    """
    none = [-1] * len(timeline.segments), [-1] * len(timeline.findings)
    served = {"served": True, "has_picture": has_picture, "sounds": [], "longest_s": SERVED_S}
    data = {**_data(timeline, *none), **served}
    allow = "connect-src 'self'; media-src 'self'"
    return build_page(_FOLDER, "timeline", _title(timeline), {DATA: data}, allow)


def marks_of(timeline: Timeline) -> list[Segment | Finding]:
    """The segments and findings in the order of the page, in which it numbers them."""
    marks: list[Segment | Finding] = [*timeline.segments, *timeline.findings]
    return sorted(marks, key=lambda mark: (mark.start, mark.stop))


def _name(timeline: Timeline) -> str:
    return audio.location(timeline.path).name + (f", audio stream {timeline.stream}" if timeline.streams > 1 else "")


def _title(timeline: Timeline) -> str:
    return f"{_name(timeline)} – artifacts"


def _data(timeline: Timeline, of_segments: Sequence[int], of_findings: Sequence[int]) -> dict[str, Any]:
    """What both pages show; ``of_segments`` and ``of_findings`` are the places of their sounds, -1 for none."""
    heard = {segment.label for segment in timeline.segments}
    segments = [
        [s.start, s.stop, s.label, s.severity, s.confidence, s.channel, place]
        for s, place in zip(timeline.segments, of_segments, strict=True)
    ]
    findings = [
        [f.start, f.stop, f.kind, f.text, f.channel, place]
        for f, place in zip(timeline.findings, of_findings, strict=True)
    ]
    return {
        "name": _name(timeline),
        "id": _identity(timeline, [segments, findings]),
        "sample_rate": timeline.sample_rate,
        "samples": timeline.samples,
        "lanes": [list(lane) for lane in _lanes(timeline.segments, timeline.findings, timeline.labels)],
        "unheard": [label for label in timeline.labels if label not in heard],
        "places": catalog_places([*timeline.labels, *heard]),
        "segments": segments,
        "findings": findings,
        "facts": [] if timeline.measured is None else [list(fact) for fact in facts(timeline.measured)],
        "no_data": [list(span) for span in timeline.no_data],
        "out_of_phase": [list(span) for span in timeline.out_of_phase],
        "timecodes": _timecodes(timeline),
        "overview": None if timeline.overview is None else _drawn(timeline.overview),
        "context_s": CONTEXT_S,
        "longest_s": LONGEST_S,
    }


def _sounds(timeline: Timeline) -> tuple[list[Sound], list[int], list[int]]:
    """The sounds, and the place among them of the sound of each segment and of each finding."""
    marks = [(importance(s.severity, s.confidence), Span(s.start, s.stop, s.channel)) for s in timeline.segments]
    marks += [(importance(None, None), Span(f.start, f.stop, f.channel)) for f in timeline.findings]
    order = sorted(range(len(marks)), key=lambda n: (tuple(-value for value in marks[n][0]), marks[n][1].start))
    spans = [marks[number][1] for number in order]
    path = audio.location(timeline.path)
    sounds, places = sounds_of(path, timeline.stream, timeline.sample_rate, timeline.samples, spans)
    place_of = dict(zip(order, places, strict=True))
    split = len(timeline.segments)
    return sounds, [place_of[n] for n in range(split)], [place_of[n] for n in range(split, len(marks))]


def _timecodes(timeline: Timeline) -> list[list[str]] | None:
    """Of the first frame and after the last frame of each segment, then of each finding; None without a time code."""
    if timeline.timecode is None:
        return None
    marks: list[Mark] = [*timeline.segments, *timeline.findings]
    return [list(timeline.timecode.span(mark.start, mark.stop, timeline.sample_rate)) for mark in marks]


def _drawn(overview: Overview) -> dict[str, Any]:
    """An overview as JSON; the spectrogram as ``pages/shared/levels.js`` takes it."""
    return {
        "hop": overview.hop,
        "low": base64.b64encode(overview.low).decode(),
        "high": base64.b64encode(overview.high).decode(),
        "peak_dbfs": round(peak_dbfs(overview), 1),
        "frame": overview.frame,
        "rows": overview.bands,
        "columns": len(overview.levels) // overview.bands,
        "spectrogram": base64.b64encode(overview.levels).decode(),
        "lowest_hz": overview.lowest_hz,
        "highest_hz": overview.highest_hz,
    }


def _identity(timeline: Timeline, marks: Any) -> str:
    """Tells the decisions on this timeline from those on others in the storage of a browser."""
    text = f"{timeline.path}|{timeline.stream}|{timeline.samples}|{marks}"
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=8).hexdigest()


def _lanes(
    segments: Sequence[Segment], findings: Sequence[Finding], labels: Sequence[str]
) -> list[tuple[str, int | None]]:
    """(label, channel) of each lane: labels in their order, channels of a label together; then measured findings."""
    known = [*labels, *sorted({s.label for s in segments} - set(labels))]
    measured = {(f.kind, f.channel) for f in findings}
    kinds = sorted({kind for kind, _ in measured})
    return [
        (label, channel)
        for names, occurring in ((known, {(s.label, s.channel) for s in segments}), (kinds, measured))
        for label in names
        for _, channel in sorted(
            (pair for pair in occurring if pair[0] == label), key=lambda pair: -1 if pair[1] is None else pair[1]
        )
    ]
