"""A timeline in every format it is written to, read back by that format's own rules."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from pathlib import Path

import pytest
from measures import measures_at

from contrastive_artifacts.scan.measured import Finding
from contrastive_artifacts.scan.timeline import Segment, Timeline, clock

RATE = 44100


@pytest.fixture
def timeline() -> Timeline:
    segments = (
        Segment(0, RATE, "hum", 0.25, 0.9),
        Segment(3 * 3600 * RATE + 441, 3 * 3600 * RATE + RATE, "clicks", 1.0, 0.75, channel=1),
    )
    return Timeline(Path("dir/film <1> & 2.wav"), RATE, 4 * 3600 * RATE, segments, ("hiss", "hum", "clicks"))


def test_duration(timeline: Timeline) -> None:
    assert timeline.duration == 4 * 3600


def test_csv(timeline: Timeline, tmp_path: Path) -> None:
    timeline.to_csv(tmp_path / "t.csv")
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(r["start"]) for r in rows] == [0, 3 * 3600 * RATE + 441]
    assert float(rows[1]["start_s"]) == 10800.01
    assert [r["channel"] for r in rows] == ["", "1"]
    assert float(rows[0]["severity"]) == 0.25


def test_json_holds_everything(timeline: Timeline, tmp_path: Path) -> None:
    timeline.to_json(tmp_path / "t.json")
    value = json.loads((tmp_path / "t.json").read_text())
    assert tuple(Segment(**s) for s in value["segments"]) == timeline.segments
    assert (value["sample_rate"], value["samples"], value["labels"]) == (RATE, timeline.samples, list(timeline.labels))


def test_audacity_labels(timeline: Timeline, tmp_path: Path) -> None:
    timeline.to_audacity(tmp_path / "t.txt")
    lines = [line.split("\t") for line in (tmp_path / "t.txt").read_text().splitlines()]
    assert [len(line) for line in lines] == [3, 3]
    assert [float(v) for v in lines[1][:2]] == [10800.01, 10801.0]
    assert lines[1][2].startswith("clicks (severity 1.00")
    assert "channel 2" in lines[1][2], "people count channels from 1"


def test_webvtt_cues(timeline: Timeline, tmp_path: Path) -> None:
    odd = Timeline(Path("x"), RATE, RATE, (Segment(0, RATE, "a --> <b>\n&", 0.5, 0.5),))
    odd.to_webvtt(tmp_path / "odd.vtt")
    assert (tmp_path / "odd.vtt").read_text().splitlines()[4].startswith("a --&gt; &lt;b&gt; &amp; (")
    timeline.to_webvtt(tmp_path / "t.vtt")
    text = (tmp_path / "t.vtt").read_text()
    assert text.startswith("WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.000\nhum ")
    assert "\n\n2\n03:00:00.010 --> 03:00:01.000\nclicks " in text


def test_clock_carries() -> None:
    assert clock(59 * RATE + RATE - 1, RATE) == "00:01:00.000"
    assert clock(3600 * 48000 * 123 + 24, 48000) == "123:00:00.001"


def test_html_has_a_lane_for_each_label_with_a_segment(timeline: Timeline, tmp_path: Path) -> None:
    timeline.to_html(tmp_path / "t.html")
    page = (tmp_path / "t.html").read_text(encoding="utf-8")
    assert "film &lt;1&gt; &amp; 2.wav" in page
    assert "film <1>" not in page
    script = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert script is not None
    data = json.loads(script[1])
    assert data["lanes"] == [["hum", None], ["clicks", 1]]
    assert data["unheard"] == ["hiss"]
    assert data["segments"][1] == [3 * 3600 * RATE + 441, 3 * 3600 * RATE + RATE, "clicks", 1.0, 0.75, 1, -1]


def test_an_unknown_severity_is_unknown_in_every_format(tmp_path: Path) -> None:
    timeline = Timeline(Path("a.wav"), RATE, RATE, (Segment(0, RATE, "tape_squeal", None, 0.9),), ("tape_squeal",))
    timeline.to_csv(tmp_path / "t.csv")
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as file:
        assert [row["severity"] for row in csv.DictReader(file)] == [""]
    timeline.to_json(tmp_path / "t.json")
    strict = json.loads((tmp_path / "t.json").read_text(), parse_constant=pytest.fail)
    assert Segment(**strict["segments"][0]) == timeline.segments[0]
    timeline.to_audacity(tmp_path / "t.txt")
    timeline.to_webvtt(tmp_path / "t.vtt")
    for name in ("t.txt", "t.vtt"):
        assert "tape_squeal (severity unknown, confidence 0.90)" in (tmp_path / name).read_text()
    timeline.to_html(tmp_path / "t.html")
    data = re.search(r'id="data">(.*?)</script>', (tmp_path / "t.html").read_text(encoding="utf-8"), re.DOTALL)
    assert data is not None
    assert json.loads(data[1], parse_constant=pytest.fail)["segments"] == [
        [0, RATE, "tape_squeal", None, 0.9, None, -1]
    ]


def test_a_timeline_without_segments_is_written_in_every_format(tmp_path: Path) -> None:
    empty = Timeline(Path("quiet.wav"), RATE, RATE, (), ("hum",))
    for write, name in ((empty.to_csv, "a.csv"), (empty.to_json, "a.json"), (empty.to_audacity, "a.txt")):
        write(tmp_path / name)
    empty.to_webvtt(tmp_path / "a.vtt")
    empty.to_html(tmp_path / "a.html")
    assert (tmp_path / "a.vtt").read_text() == "WEBVTT\n"
    assert len(list(tmp_path.iterdir())) == 5


def test_ranges_without_data_and_out_of_phase_are_in_json_and_page(timeline: Timeline, tmp_path: Path) -> None:
    marked = dataclasses.replace(timeline, no_data=((0, 500), (900, 1000)), out_of_phase=((500, 700),))
    marked.to_json(tmp_path / "t.json")
    marked.to_html(tmp_path / "t.html")
    script = re.search(r'id="data">(.*?)</script>', (tmp_path / "t.html").read_text(encoding="utf-8"), re.DOTALL)
    assert script is not None
    for value in (json.loads((tmp_path / "t.json").read_text()), json.loads(script[1])):
        assert value["no_data"] == [[0, 500], [900, 1000]]
        assert value["out_of_phase"] == [[500, 700]]


def test_ranges_without_data_are_rows_and_cues(timeline: Timeline, tmp_path: Path) -> None:
    marked = dataclasses.replace(timeline, no_data=((RATE, 2 * RATE),), out_of_phase=((3 * RATE, 4 * RATE),))
    marked.to_csv(tmp_path / "t.csv")
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == ["hum", "no data", "out of phase", "clicks"]
    assert list(rows[1].values()) == ["44100", "88200", "1.000000", "2.000000", "no data", "", "", "", "true", "", ""]
    marked.to_webvtt(tmp_path / "t.vtt")
    assert "\n\n2\n00:00:01.000 --> 00:00:02.000\nno data\n\n3\n" in (tmp_path / "t.vtt").read_text()
    marked.to_audacity(tmp_path / "t.txt")
    assert (tmp_path / "t.txt").read_text().splitlines()[1] == "1.000000\t2.000000\tno data"


MEASURED = measures_at(RATE)


def test_measured_findings_are_rows_and_cues_among_the_segments(timeline: Timeline, tmp_path: Path) -> None:
    measured = dataclasses.replace(timeline, measured=MEASURED)
    measured.to_csv(tmp_path / "t.csv")
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as file:
        rows = [list(row.values())[4:] for row in csv.DictReader(file)]
    assert rows == [
        ["hum", "0.2500", "0.9000", "", "false", "", ""],
        ["digital clipping", "", "", "1", "true", "5", "samples"],
        ["digital silence", "", "", "", "true", "1", "s"],
        ["clicks", "1.0000", "0.7500", "1", "false", "", ""],
    ]
    measured.to_audacity(tmp_path / "t.txt")
    labels = [line.split("\t")[2] for line in (tmp_path / "t.txt").read_text().splitlines()]
    assert labels[1:3] == ["digital clipping (measured: 5 samples, channel 2)", "digital silence (measured: 1 s)"]
    measured.to_webvtt(tmp_path / "t.vtt")
    assert "\ndigital silence (measured: 1 s)\n" in (tmp_path / "t.vtt").read_text()


def test_measures_are_in_json_and_page(timeline: Timeline, tmp_path: Path) -> None:
    measured = dataclasses.replace(timeline, measured=MEASURED)
    measured.to_json(tmp_path / "t.json")
    value = json.loads((tmp_path / "t.json").read_text(), parse_constant=pytest.fail)["measured"]
    assert [finding.pop("measured") for finding in value["findings"]] == [True, True]
    assert tuple(Finding(**finding) for finding in value["findings"]) == MEASURED.findings
    assert value["bandwidth"] == dataclasses.asdict(MEASURED.bandwidth)
    assert (value["true_peak_dbtp"], value["loudness_range_lu"], value["dc"]) == (0.31, None, [0.01, 0.0])
    measured.to_html(tmp_path / "t.html")
    script = re.search(r'id="data">(.*?)</script>', (tmp_path / "t.html").read_text(encoding="utf-8"), re.DOTALL)
    assert script is not None
    data = json.loads(script[1], parse_constant=pytest.fail)
    assert data["lanes"] == [
        ["hum", None],
        ["clicks", 1],
        ["digital clipping", 1],
        ["digital silence", None],
    ]
    assert data["findings"][0] == [RATE // 2, RATE // 2 + 5, "digital clipping", "5 samples", 1, -1]
    assert ["true peak", "0.3 dBTP"] in data["facts"]
    timeline.to_json(tmp_path / "t.json")
    assert json.loads((tmp_path / "t.json").read_text())["measured"] is None
