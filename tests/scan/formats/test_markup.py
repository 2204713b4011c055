"""XML reports: they parse whatever the file is called, and their elements are those of the public schemas."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from contrastive_artifacts import artifacts
from contrastive_artifacts.scan.formats import pbcore
from contrastive_artifacts.scan.formats.ebu_qc import SPACE, TIMING
from contrastive_artifacts.scan.formats.terms import EBU_QC, terms
from contrastive_artifacts.scan.timeline import Timeline

# Element -> its children in the order of the schema (qc.xsd of 2026-01; pbcore-2.1.xsd). Those that must be there
# end with "!".
EBU_ORDER = {
    "Report": "ReportId! ExecutionStatus! CheckResult ContentId! LastModifiedDateTime! ToolInformation Profile! "
    "ItemResults! ExtensionProperties",
    "ContentId": "ContentIdentifier!",
    "ContentIdentifier": "ID! Annotation",
    "Annotation": "Text!",
    "ToolInformation": "ToolID! ToolName! Vendor URL Version",
    "Profile": "ID! Name ContentId! CheckResultRule Description Scopes! Items! ItemDefinitions!",
    "Items": "Item",
    "Item": "EBUQCID! EBUQCName EBUQCVersion! InstanceId UsedAs Track Scopes! Inputs!",
    "ItemResults": "ItemResult",
    "ItemResult": "EBUQCID! EBUQCName EBUQCVersion! InstanceId AnalysisMethodUsed! ExecutionStatus! CheckResult "
    "ResultDescription MaxSeverity DetectionMethod Outputs!",
    "Outputs": "Output",
    "Output": "Name! Locator Track Value Confidence Severity",
    "Locator": "Start End ExtensionProperties",
}
PBCORE_ORDER = {
    "pbcoreInstantiationDocument": "instantiationIdentifier! instantiationLocation! instantiationTimeStart "
    "instantiationDuration instantiationEssenceTrack instantiationAnnotation",
    "instantiationEssenceTrack": "essenceTrackType essenceTrackIdentifier essenceTrackSamplingRate "
    "essenceTrackDuration",
}


def check_order(element: ElementTree.Element, space: str, order: dict[str, str]) -> None:
    name = element.tag.removeprefix(f"{{{space}}}")
    children = [child.tag.removeprefix(f"{{{space}}}") for child in element if child.tag.startswith(f"{{{space}}}")]
    known = order.get(name, "").split()
    names = [child.removesuffix("!") for child in known]
    assert set(children) <= set(names), name
    assert children == sorted(children, key=names.index), name
    assert {child.removesuffix("!") for child in known if child.endswith("!")} <= set(children), name
    for child in element:
        check_order(child, space, order)


def report(timeline: Timeline, path: Path) -> ElementTree.Element:
    timeline.write(path, "ebu_qc")
    return ElementTree.parse(path).getroot()


def texts(element: ElementTree.Element, path: str) -> list[str | None]:
    return [child.text for child in element.findall(path, {"": SPACE, "timing": TIMING})]


def test_ebu_qc_has_the_elements_of_its_schema(timeline: Timeline, tmp_path: Path) -> None:
    root = report(timeline, tmp_path / "t.xml")
    assert root.tag == f"{{{SPACE}}}Report"
    check_order(root, SPACE, EBU_ORDER)
    urn = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    assert all(urn.fullmatch(str(text)) for path in ("ReportId", ".//InstanceId") for text in texts(root, path))
    assert all(re.fullmatch(r"[0-9a-zA-Z\-]+", str(text)) for text in texts(root, ".//EBUQCID"))
    assert str(texts(root, "LastModifiedDateTime")[0]).endswith("+00:00")


def test_ebu_qc_results_are_those_of_its_profile(timeline: Timeline, tmp_path: Path) -> None:
    root = report(timeline, tmp_path / "t.xml")
    assert texts(root, "Profile/Items/Item/InstanceId") == texts(root, "ItemResults/ItemResult/InstanceId")
    assert texts(root, "Profile/ContentId//ID") == texts(root, "ContentId//ID")
    used = dict(zip(texts(root, ".//Item/InstanceId"), texts(root, ".//Item/UsedAs"), strict=True))
    for result in root.findall(".//ItemResult", {"": SPACE}):
        checks = texts(result, "CheckResult")
        assert len(checks) == (used[texts(result, "InstanceId")[0]] == "check")
        is_clean = str(texts(result, "ResultDescription")[0]).endswith(": 0")
        assert checks in ([], ["true" if is_clean else "false"])


def test_ebu_qc_events_are_in_edit_units_seconds_and_time_code(timeline: Timeline, tmp_path: Path) -> None:
    root = report(timeline, tmp_path / "t.xml")
    assert texts(root, "ExtensionProperties/timing:EditRate") == ["48000/1"]
    (clicks,) = (
        r for r in root.findall(".//ItemResult", {"": SPACE}) if texts(r, "ResultDescription") == ["clicks: 1"]
    )
    assert texts(clicks, "EBUQCID") == ["0057B"]
    assert texts(clicks, "CheckResult") == ["false"]
    assert texts(clicks, ".//Locator/Start") + texts(clicks, ".//Locator/End") == ["144480", "192000"]
    assert texts(clicks, ".//timing:StartSeconds") == ["3.010000"]
    assert texts(clicks, ".//timing:EndTimecode") == ["10:00:04:00"]
    assert texts(clicks, ".//Track") == ["channel 2"]
    assert texts(clicks, ".//Severity") == ["100"]


def test_ebu_qc_passes_where_nothing_is_wrong(timeline: Timeline, tmp_path: Path) -> None:
    assert texts(report(timeline, tmp_path / "t.xml"), "CheckResult") == ["false"]
    assert timeline.measured is not None
    silent = dataclasses.replace(timeline.measured, findings=timeline.measured.findings[1:])
    clean = dataclasses.replace(timeline, segments=(), no_data=(), out_of_phase=(), measured=silent)
    root = report(clean, tmp_path / "t.xml")
    assert texts(root, "CheckResult") == ["true"], "silence is reported, not checked"
    assert texts(root, ".//Output/Value").count("1 s") == 1


def test_pbcore_has_the_elements_of_its_schema_and_terms_of_the_trade(timeline: Timeline, tmp_path: Path) -> None:
    timeline.write(tmp_path / "t.xml", "pbcore")
    root = ElementTree.parse(tmp_path / "t.xml").getroot()
    check_order(root, pbcore.SPACE, PBCORE_ORDER)
    notes = root.findall("instantiationAnnotation", {"": pbcore.SPACE})
    hum = next(note for note in notes if note.get("annotationType") == "hum")
    assert hum.get("annotation") == "A/V Artifact Atlas: Hum and Buzz; EBU QC: 0088B Audio Hum & Buzz"
    assert "00:00:00.000 to 00:00:01.000 (time code 10:00:00:00 to 10:00:01:00), severity 0.25" in str(hum.text)
    assert {"tape_squeal", "digital clipping", "no data", "true peak"} <= {n.get("annotationType") for n in notes}


@pytest.mark.parametrize("name", ["ebu_qc", "pbcore"])
def test_a_hostile_name_is_text(name: str, timeline: Timeline, tmp_path: Path) -> None:
    timeline.write(tmp_path / "t.xml", name)
    root = ElementTree.parse(tmp_path / "t.xml").getroot()
    assert any("\\x01film <1> & \\udcff\"2' ]]> \\ufffe" in (element.text or "") for element in root.iter())


def test_terms_are_of_artifacts_that_exist() -> None:
    marks = {"digital clipping", "digital silence", "leader silence", "trailer silence", "no data", "out of phase"}
    assert set(EBU_QC) <= {*artifacts.names(), *marks}
    assert terms("tape_squeal") == []
