"""Exported labels are read back exactly, from each format and from the journal; other files are refused."""

from __future__ import annotations

import csv

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contrastive_artifacts.core.errors import ParameterError, StorageError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.probes.labels import Labels, read_labels, write_labels

NOTE = 'a "b", c;\nd\r\ne \u2028 é\t=1+1 '


@pytest.fixture
def labels(tmp_path, a_view, a_window):
    """Labels of all kinds in a journal that stays open."""
    with Journal(tmp_path / "journal.jsonl") as journal:
        labels = Labels(journal, "ana, b", "enc")
        labels.add([a_view(0), a_view(1), a_window(2)], "relabel", "tape_squeal", NOTE)
        labels.add([a_window(0, channel=0), a_window(1)], "keep")
        labels.add([a_view(1)], "reject")
        labels.add([a_view(5)], "reject")
        labels.undo()
        yield labels


@pytest.mark.parametrize("name", ["l.csv", "l.parquet", "l.jsonl"])
def test_round_trip(labels, tmp_path, name):
    before = list(labels.in_force().values())
    assert len(before) == 5
    assert labels.export(tmp_path / name) == 5
    again = read_labels(tmp_path / name)
    assert again == before
    assert [type(value) for value in again[0].address.values()] == [type(value) for value in before[0].address.values()]
    assert write_labels(tmp_path / f"2{name}", again) == 5
    assert (tmp_path / f"2{name}").read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("name", ["l.csv", "l.parquet", "l.jsonl"])
def test_files_without_labels_are_read(tmp_path, name):
    assert write_labels(tmp_path / name, []) == 0
    assert read_labels(tmp_path / name) == []


def test_a_journal_is_read_while_it_is_written(labels, tmp_path):
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"action": "kee')
    assert read_labels(tmp_path / "journal.jsonl") == list(labels.in_force().values())


@pytest.mark.parametrize("name", ["l.csv", "l.parquet", "l.jsonl"])
def test_a_set_is_one_column(tmp_path, a_view, name):
    with Journal(tmp_path / "journal.jsonl") as journal:
        labels = Labels(journal, "ana", "enc")
        labels.add([a_view(0)], "relabel", "hum, hiss")
        labels.export(tmp_path / name)
    assert [label.label for label in read_labels(tmp_path / name)] == ["hiss, hum"]
    if name == "l.csv":
        text = (tmp_path / name).read_text()
        assert ',"hiss, hum",' in text
        (tmp_path / name).write_text(text.replace('"hiss, hum"', '"hum, hiss"'))
        assert read_labels(tmp_path / name)[0].label == "hiss, hum", "names in any order"


def test_every_part_is_a_column_that_others_can_read(labels, tmp_path):
    labels.export(tmp_path / "l.csv")
    with (tmp_path / "l.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    relabelled = next(row for row in rows if row["clip"] == "0.wav")
    assert (relabelled["label"], relabelled["before"], relabelled["who"]) == ("tape_squeal", "hiss", "ana, b")
    assert (relabelled["note"], relabelled["channel"], relabelled["artifact"]) == (NOTE, "", "hiss")
    labels.export(tmp_path / "l.parquet")
    table = pq.read_table(tmp_path / "l.parquet")
    assert table.schema.field("id").type == table.schema.field("channel").type == pa.int64()


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [("a.txt", "x", ParameterError, r"\.csv, \.parquet, \.jsonl"), ("no.csv", None, StorageError, r"no\.csv"),
     ("a.csv", "file,label\nx.wav,hum\n", StorageError, "action"), ("a.csv", "", StorageError, "holds no labels"),
     ("b.csv", b"\xff\xfe\x00", StorageError, "as CSV"), ("a.parquet", "id,action", StorageError, "as Parquet"),
     ("no.parquet", None, StorageError, r"no\.parquet"), ("no.jsonl", None, StorageError, r"no\.jsonl"),
     ("a.jsonl", '{"id": 1}\n', StorageError, "holds no labels"), ("a.jsonl", "[1]\n", StorageError, "line 1"),
     ("a.jsonl", '{"rows": [], "decision": "keep"}\n', StorageError, "'action'")],
)  # fmt: skip
def test_foreign_files(tmp_path, name, text, error, message):
    if text is not None:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(error, match=message):
        read_labels(tmp_path / name)


@pytest.mark.parametrize(
    ("column", "value"),
    [("action", "love"), ("label", "Tape Squeal"), ("id", "x"), ("start", ""), ("sample_rate", "48k"), ("clip", "")],
)
def test_a_damaged_row_is_named(labels, tmp_path, column, value):
    labels.export(tmp_path / "l.csv")
    with (tmp_path / "l.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[1][column] = value
    with (tmp_path / "l.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(StorageError, match="row 2"):
        read_labels(tmp_path / "l.csv")


def test_labels_are_not_written_as_anything_else(tmp_path):
    with pytest.raises(ParameterError, match=r"l\.json"):
        write_labels(tmp_path / "l.json", [])
