"""A technical note for catalogues: an instantiation of PBCore 2.1 (https://pbcore.org) with annotations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from ... import audio
from ...core.journal import tool_version
from ..marks import clock, detail, name_of
from ..measured import facts
from .markup import add, write_xml
from .terms import terms

if TYPE_CHECKING:
    from ..timeline import Timeline

SPACE = "http://www.pbcore.org/PBCore/PBCoreNamespace.html"


def write_pbcore(timeline: Timeline, path: str | Path) -> None:
    """An annotation for each mark and each fact of the recording.

    The type of an annotation is the artifact, kind or fact; its attribute ``annotation`` has the terms of the A/V
    Artifact Atlas, MovieLabs and EBU QC for it, and its text the place (as clock time, and as time code) and measures.
    """
    root, tool, rate = Element(f"{{{SPACE}}}pbcoreInstantiationDocument"), tool_version(), timeline.sample_rate
    length = clock(timeline.samples, rate)
    add(root, "instantiationIdentifier", audio.location(timeline.path).name, source="file name")
    add(root, "instantiationLocation", str(timeline.path))
    if timeline.timecode is not None:
        add(root, "instantiationTimeStart", timeline.timecode.text(0))
    add(root, "instantiationDuration", length)
    track = add(root, "instantiationEssenceTrack")
    add(track, "essenceTrackType", "Audio")
    add(track, "essenceTrackIdentifier", str(timeline.stream), source="index of the audio stream, from 0")
    add(track, "essenceTrackSamplingRate", str(rate), unitsOfMeasure="Hz")
    add(track, "essenceTrackDuration", length)
    for mark in timeline.marks:
        name = name_of(mark)
        place = f"{clock(mark.start, rate)} to {clock(mark.stop, rate)}"
        if timeline.timecode is not None:
            place += " (time code {} to {})".format(*timeline.timecode.span(mark.start, mark.stop, rate))
        text = f"{name}: {place}" + (f", {detail(mark)}" if detail(mark) else "")
        vocabulary = {"annotation": "; ".join(terms(name))} if terms(name) else {}
        add(root, "instantiationAnnotation", text, annotationType=name, source=tool, **vocabulary)
    for name, value in facts(timeline.measured) if timeline.measured is not None else ():
        add(root, "instantiationAnnotation", f"{name}: {value}", annotationType=name, source=tool)
    write_xml(root, path, {"": SPACE})
