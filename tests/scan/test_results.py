"""The files of a scan: named so that two recordings do not write the same ones, and written all or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from contrastive_artifacts.core.errors import StorageError
from contrastive_artifacts.scan.formats import DEFAULT, FORMATS, Format
from contrastive_artifacts.scan.results import result_paths, stem_beside, write_results
from contrastive_artifacts.scan.timeline import Segment, Timeline

RATE = 8000


def timeline(label: str = "hum") -> Timeline:
    return Timeline(Path("a.wav"), RATE, RATE, (Segment(0, RATE, label, 0.5, 0.5),), (label,))


def test_results_are_named_after_the_stem_unless_that_loses_something(tmp_path: Path) -> None:
    for name in ("film.wav", "film.m4a", "film.txt", "alone.mp4", "alone.srt", "tape.side A", "a.b.wav"):
        (tmp_path / name).touch()
    stems = {name: stem_beside(tmp_path / name).name for name in ("film.wav", "film.m4a", "alone.mp4", "a.b.wav")}
    assert stems == {"film.wav": "film.wav", "film.m4a": "film.m4a", "alone.mp4": "alone", "a.b.wav": "a.b"}
    assert stem_beside(tmp_path / "tape.side A").name == "tape.side A"
    assert result_paths("x/tape.side A")["csv"] == Path("x/tape.side A.artifacts.csv")


def test_the_results_appear_together_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = write_results(timeline(), tmp_path / "to" / "film")
    assert sorted(path.suffix[1:] for path in (tmp_path / "to").iterdir()) == sorted(
        FORMATS[name].suffix for name in DEFAULT
    )
    before = {path: path.read_bytes() for path in written.values()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(FORMATS._items, "html", Format("html", full))
    with pytest.raises(StorageError, match="disk is full"):
        write_results(timeline("hiss"), tmp_path / "to" / "film")
    assert {path: path.read_bytes() for path in (tmp_path / "to").iterdir()} == before
