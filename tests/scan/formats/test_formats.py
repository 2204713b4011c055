"""Every format is written for every timeline, by its name; the formats of tables and tracks hold every mark."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import jsonschema
import pyarrow.parquet as pq
import pytest

from contrastive_artifacts.core.errors import UnknownNameError
from contrastive_artifacts.scan.formats import DEFAULT, FORMATS
from contrastive_artifacts.scan.marks import name_of
from contrastive_artifacts.scan.timeline import Timeline

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_is_written_and_described(name: str, timeline: Timeline, tmp_path: Path) -> None:
    empty = Timeline(Path("quiet.wav"), 8000, 8000, (), ("hum",))
    for number, each in enumerate((timeline, empty)):
        each.write(tmp_path / f"{number}", name)
        assert (tmp_path / f"{number}").stat().st_size > 0 or (name, number) == ("audacity", 1)
    suffix = f".artifacts.{FORMATS[name].suffix}`"
    assert f"| `{name}` | `{suffix} |" in (DOCS / "formats.md").read_text(encoding="utf-8")


def test_names_and_suffixes_are_of_one_format(timeline: Timeline, tmp_path: Path) -> None:
    suffixes = [FORMATS[name].suffix for name in FORMATS]
    assert len(set(suffixes)) == len(suffixes)
    assert set(DEFAULT) <= set(FORMATS)
    with pytest.raises(UnknownNameError, match="no format 'praat'"):
        timeline.write(tmp_path / "x", "praat")


def test_json_is_as_its_schema_says(timeline: Timeline, tmp_path: Path) -> None:
    schema = json.loads((DOCS / "timeline.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    bare = dataclasses.replace(timeline, measured=None, timecode=None, segments=())
    for each in (timeline, bare):
        each.to_json(tmp_path / "t.json")
        value = json.loads((tmp_path / "t.json").read_text())
        validator.validate(value)
        assert value["schema"] == 1
    for change in ({"schema": 2}, {"samples": 1.5}, {"new": 0}, {"segments": [{"label": "hum"}]}):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(value | change)


def test_csv_has_time_codes_beside_the_seconds(timeline: Timeline, tmp_path: Path) -> None:
    timeline.to_csv(tmp_path / "t.csv")
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    places = {row["label"]: (row["start_timecode"], row["stop_timecode"]) for row in rows}
    assert places["clicks"] == ("10:00:03:00", "10:00:04:00")
    assert places["digital clipping"] == ("10:00:00:12", "10:00:00:13")


def test_parquet_is_the_table_of_csv_with_types(timeline: Timeline, tmp_path: Path) -> None:
    timeline.write(tmp_path / "t.parquet", "parquet")
    table = pq.read_table(tmp_path / "t.parquet")
    timeline.to_csv(tmp_path / "t.csv")
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert table.column_names == list(rows[0])
    for name in ("start", "stop", "label", "start_timecode"):
        assert [str(value) for value in table.column(name).to_pylist()] == [row[name] for row in rows]
    assert table.column("severity").to_pylist()[table.column("label").to_pylist().index("tape_squeal")] is None
    facts = json.loads(table.schema.metadata[b"contrastive_artifacts"])
    assert (facts["schema"], facts["sample_rate"], facts["labels"]) == (1, 48000, list(timeline.labels))


def test_raven_has_its_columns_first(timeline: Timeline, tmp_path: Path) -> None:
    timeline.write(tmp_path / "t.txt", "raven")
    with open(tmp_path / "t.txt", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True))
    required = ["Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"]
    assert list(rows[0])[:7] == required
    assert [row["Selection"] for row in rows] == [str(n) for n in range(1, len(timeline.marks) + 1)]
    for row, mark in zip(rows, timeline.marks, strict=True):
        assert row["Annotation"] == name_of(mark)
        assert 0 <= float(row["Begin Time (s)"]) < float(row["End Time (s)"]) <= 5
        assert (float(row["Low Freq (Hz)"]), float(row["High Freq (Hz)"])) == (0, 24000)
        assert int(row["Channel"]) == 1 + (mark.channel or 0)


def test_captions_have_time_codes_as_comments_and_last_a_millisecond(timeline: Timeline, tmp_path: Path) -> None:
    timeline.to_webvtt(tmp_path / "t.vtt")
    blocks = (tmp_path / "t.vtt").read_text().strip().split("\n\n")
    assert blocks[0] == "WEBVTT"
    notes, cues = blocks[1::2], [block.splitlines() for block in blocks[2::2]]
    assert len(notes) == len(cues) == len(timeline.marks)
    assert "NOTE time code 10:00:03:00 to 10:00:04:00" in notes
    for _, times, text in cues:
        start, stop = times.split(" --> ")
        assert start < stop, text
