"""A report of the EBU QC data model (release 2026-01, https://github.com/ebu/qc)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from ...core.journal import tool_version
from ..marks import NO_DATA, OUT_OF_PHASE, Mark, Segment, name_of
from ..measured import Finding
from .markup import add, write_xml
from .terms import MEASURED, Item, ebu_item

if TYPE_CHECKING:
    from ..timeline import Timeline

SPACE = "tag:qc.ebu.ch,2026-01"
TIMING = "urn:contrastive-artifacts:timing:1"
_MOST_SEVERE = 100


def write_ebu_qc(timeline: Timeline, path: str | Path) -> None:
    """One item for each artifact that the encoder knows, and for what is measured; a check fails where one is marked.

    Start and End of a locator are edit units, samples of the recording (the end is after the last one); beside them,
    in a namespace of this package, the seconds and, with a time code, the time codes. Severity is 0 to 100. Silence is
    reported, not checked.
    """
    names = _names(timeline)
    marks: dict[str, list[Mark]] = {name: [] for name in names}
    for mark in timeline.marks:
        marks[name_of(mark)].append(mark)
    passed = not any(marks[name] for name in names if ebu_item(name).is_check)
    root = Element(f"{{{SPACE}}}Report")
    add(root, "ReportId", uuid.uuid4().urn)
    add(root, "ExecutionStatus", "complete")
    add(root, "CheckResult", _boolean(passed))
    _add_content(root, timeline)
    add(root, "LastModifiedDateTime", datetime.now(UTC).isoformat(timespec="seconds"))
    tool, _, version = tool_version().partition(" ")
    information = add(root, "ToolInformation")
    for tag, text in (("ToolID", f"urn:{tool}"), ("ToolName", tool), ("Version", version)):
        add(information, tag, text)
    _add_profile(root, timeline, names)
    results = add(root, "ItemResults")
    for name in names:
        _add_result(results, timeline, name, marks[name])
    properties = add(root, "ExtensionProperties")
    add(properties, f"{{{TIMING}}}EditRate", f"{timeline.sample_rate}/1")
    if timeline.timecode is not None:
        add(properties, f"{{{TIMING}}}TimecodeRate", str(timeline.timecode.rate))
    write_xml(root, path, {"": SPACE, "timing": TIMING})


def _names(timeline: Timeline) -> Sequence[str]:
    """What is tested: artifacts, kinds of findings, notes."""
    measured = () if timeline.measured is None else MEASURED
    marked = map(name_of, timeline.marks)
    return list(dict.fromkeys([*timeline.labels, *measured, NO_DATA, OUT_OF_PHASE, *marked]))


def _add_content(parent: Element, timeline: Timeline) -> None:
    identifier = add(add(parent, "ContentId"), "ContentIdentifier")
    add(identifier, "ID", str(timeline.path))
    if timeline.streams > 1:
        add(add(identifier, "Annotation"), "Text", f"audio stream {timeline.stream} of {timeline.streams}, from 0")


def _add_profile(root: Element, timeline: Timeline, names: Sequence[str]) -> None:
    profile = add(root, "Profile")
    add(profile, "ID", _uuid("\n".join(names)))
    add(profile, "Name", "Artifacts that are heard and measured")
    _add_content(profile, timeline)
    add(profile, "CheckResultRule", "AND")
    add(profile, "Scopes")
    items = add(profile, "Items")
    for name in names:
        element = add(items, "Item")
        _add_identity(element, name, ebu_item(name))
        add(element, "UsedAs", "check" if ebu_item(name).is_check else "report")
        add(element, "Scopes")
        add(element, "Inputs")
    add(profile, "ItemDefinitions")


def _add_identity(element: Element, name: str, item: Item) -> None:
    add(element, "EBUQCID", item.id)
    add(element, "EBUQCName", item.name)
    add(element, "EBUQCVersion", item.version)
    add(element, "InstanceId", _uuid(name))


def _add_result(results: Element, timeline: Timeline, name: str, marks: Sequence[Mark]) -> None:
    item, element = ebu_item(name), add(results, "ItemResult")
    _add_identity(element, name, item)
    add(element, "AnalysisMethodUsed", "measurement")
    add(element, "ExecutionStatus", "complete")
    if item.is_check:
        add(element, "CheckResult", _boolean(not marks))
    add(element, "ResultDescription", f"{name}: {len(marks)}")
    add(element, "MaxSeverity", str(_MOST_SEVERE))
    add(element, "DetectionMethod", "automatic")
    outputs = add(element, "Outputs")
    if item.is_check:
        check = add(outputs, "Output")
        add(check, "Name", "CheckResult")
        add(check, "Value", _boolean(not marks))
    for mark in marks:
        _add_output(outputs, timeline, mark, f"{re.sub('[^0-9a-zA-Z]', '', item.name)}Segment")


def _add_output(outputs: Element, timeline: Timeline, mark: Mark, name: str) -> None:
    output = add(outputs, "Output")
    add(output, "Name", name)
    locator = add(output, "Locator")
    add(locator, "Start", str(mark.start))
    add(locator, "End", str(mark.stop))
    places = add(locator, "ExtensionProperties")
    for tag, sample in (("StartSeconds", mark.start), ("EndSeconds", mark.stop)):
        add(places, f"{{{TIMING}}}{tag}", f"{sample / timeline.sample_rate:.6f}")
    if timeline.timecode is not None:
        span = timeline.timecode.span(mark.start, mark.stop, timeline.sample_rate)
        for tag, text in zip(("StartTimecode", "EndTimecode"), span, strict=True):
            add(places, f"{{{TIMING}}}{tag}", text)
    if mark.channel is not None:
        add(output, "Track", f"channel {mark.channel + 1}")
    if isinstance(mark, Finding):
        add(output, "Value", mark.text)
    elif isinstance(mark, Segment):
        add(output, "Confidence", f"{mark.confidence:.4f}")
        if mark.severity is not None:
            add(output, "Severity", str(round(_MOST_SEVERE * mark.severity)))


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _uuid(text: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"contrastive-artifacts:{text.encode('utf-8', 'backslashreplace')!r}").urn
