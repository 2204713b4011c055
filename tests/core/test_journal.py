"""What was acknowledged survives; what was not leaves no trace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from contrastive_artifacts.core.errors import ParameterError, StorageError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.data.curation.decisions import Decisions


def test_entries_come_back_in_order(tmp_path):
    with Journal(tmp_path / "new" / "j.jsonl") as journal:
        for n in range(3):
            journal.add({"n": n, "text": "a\nb é"})
    with Journal(tmp_path / "new" / "j.jsonl") as journal:
        assert [entry["n"] for entry in journal.entries] == [0, 1, 2]
        assert journal.entries[0]["text"] == "a\nb é"


def test_a_cut_at_any_byte_of_the_last_line_loses_that_line_only(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.add({"n": 1})
        journal.add({"n": 2, "note": "é"})
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(first, len(whole)):
        path.write_bytes(whole[:cut])
        with Journal(path) as journal:
            assert [entry["n"] for entry in journal.entries] == [1]
            journal.add({"n": 3})
        with Journal(path) as journal:
            assert [entry["n"] for entry in journal.entries] == [1, 3]


def test_a_killed_process_keeps_what_it_acknowledged(tmp_path):
    code = (
        "import sys\nfrom contrastive_artifacts.core.journal import Journal\n"
        "journal = Journal(sys.argv[1])\nn = 0\n"
        "while True:\n    journal.add({'n': n})\n    print(n, flush=True)\n    n += 1\n"
    )
    path = tmp_path / "j.jsonl"
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            if int(line) >= 20:
                break
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read().split()
    process.wait()
    acknowledged = max([20, *(int(n) for n in rest)])
    with Journal(path) as journal:
        survived = [entry["n"] for entry in journal.entries]
    assert survived == list(range(len(survived)))
    assert len(survived) > acknowledged


def test_two_processes_cannot_write_one_journal(tmp_path):
    with Journal(tmp_path / "j.jsonl"), pytest.raises(StorageError, match="in use"):
        Journal(tmp_path / "j.jsonl")
    Journal(tmp_path / "j.jsonl").close()


def test_a_cleared_journal_is_empty_and_goes_on(tmp_path):
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.add({"n": 1})
        journal.clear()
        assert journal.entries == []
        journal.add({"n": 2})
    with Journal(tmp_path / "j.jsonl") as journal:
        assert journal.entries == [{"n": 2}]


def test_a_damaged_line_is_named(tmp_path):
    (tmp_path / "j.jsonl").write_text('{"n": 1}\n[2]\n{"n": 3}\n')
    with pytest.raises(StorageError, match="line 2"):
        Journal(tmp_path / "j.jsonl")


def test_a_full_disk_changes_nothing(tmp_path, monkeypatch):
    with Journal(tmp_path / "j.jsonl") as journal:
        decisions = Decisions(journal, "ana")
        decisions.decide("a", "1", "keep")
        monkeypatch.setattr(os, "fsync", _full)
        with pytest.raises(StorageError, match="No space"):
            decisions.decide("a", "1", "reject")
        assert decisions.in_force()["a", "1"].decision == "keep"
    assert len((tmp_path / "j.jsonl").read_text().splitlines()) == 1


def _full(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_decisions_stand_until_undone_and_for_their_samples_only(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        ana = Decisions(journal, "ana")
        ana.decide("a", "1", "keep", reasons=("clipped",))
        ana.decide("a", "1", "reject", "rattles")
        ana.decide("b", "2", "keep")
        assert ana.undo() == "b"
        with pytest.raises(ParameterError):
            ana.decide("b", "2", "undo")
        with pytest.raises(ParameterError, match="1001"):
            ana.decide("b", "2", "keep", "x" * 1001)
    with Journal(path) as journal:
        ben = Decisions(journal, "ben")
        assert ben.undo() is None, "nobody undoes what another one decided"
        standing = ben.in_force()
        assert standing.keys() == {("a", "1")}
        assert (standing["a", "1"].decision, standing["a", "1"].note) == ("reject", "rattles")
        ana = Decisions(journal, "ana")
        assert ana.undo() == "a"
        assert ana.in_force()["a", "1"].decision == "keep", "the decision before is in force again"
    first = json.loads(path.read_text().splitlines()[0])
    assert first.keys() == {"clip", "sha256", "decision", "note", "reasons", "time", "who", "tool"}
    assert first["reasons"] == ["clipped"]
    assert first["time"].endswith("+00:00")
