"""Scans in shards: joined they are the scan of one machine, to the byte; what is missing is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fsspec
import pytest
from test_scan_archive import Loudness, films, in_this_process, write, written_names  # noqa: F401

from contrastive_artifacts.core.errors import ParameterError, StorageError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.core.shards import Shard
from contrastive_artifacts.scan.archive import joined_shards, scan_archive
from contrastive_artifacts.scan.inputs import gather
from contrastive_artifacts.scan.options import ScanOptions
from contrastive_artifacts.scan.summary import FileSummary, write_summaries

pytestmark = pytest.mark.usefixtures("in_this_process")


def scanned(folder: Path, out: Path, shard: Shard | None = None, options: ScanOptions | None = None) -> Any:
    return scan_archive(gather([str(folder)]), out, Loudness, ["x"], options or ScanOptions(), shard=shard)


def joined(folder: Path, out: Path, identity: str = "x", options: ScanOptions | None = None) -> list[FileSummary]:
    return joined_shards(gather([str(folder)]), out, [identity], options or ScanOptions())


def test_shards_are_joined_to_the_scan_of_one_machine(films: Path, tmp_path: Path) -> None:  # noqa: F811
    write(films / "long.wav", 0.6, seconds=9)
    out, whole = tmp_path / "out", tmp_path / "whole"
    parts = [scanned(films, out, Shard(number, 3)) for number in (3, 1, 2)]
    assert [row.path for row in parts[1]] == [str(films / "long.wav")], "the longest is a shard of its own"
    rows = joined(films, out)
    assert rows == scanned(films, whole)
    assert sorted(row.path for part in parts for row in part) == sorted(row.path for row in rows)
    for folder in (out, whole):
        write_summaries(rows, ["loud"], folder)
    names = {name for name in written_names(out) if not name.startswith("journal")}
    assert names == written_names(whole)
    assert all((out / name).read_bytes() == (whole / name).read_bytes() for name in names)


def test_after_a_merge_the_plain_scan_goes_on(films: Path, tmp_path: Path, in_this_process: list[str]) -> None:  # noqa: F811
    out = tmp_path / "out"
    scanned(films, out, Shard(1, 1))
    joined(films, out)
    in_this_process.clear()
    write(films / "new.wav", 0.2)
    scanned(films, out)
    assert in_this_process == ["new.wav"]


def test_what_is_missing_is_said(films: Path, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "out"
    with pytest.raises(StorageError, match="holds no shards"):
        joined(films, out)
    scanned(films, out, Shard(1, 2))
    with pytest.raises(StorageError, match=r"2 of 4 recordings are missing: .*\. Run shard=2/2 \(again\)"):
        joined(films, out)
    scanned(films, out, Shard(2, 2))
    write(films / "a.wav", 0.3, start_s=0.0)
    with pytest.raises(StorageError, match=r"1 of 4 recordings are missing: a\.wav"):
        joined(films, out)
    write(films / "new.wav", 0.3)
    with pytest.raises(StorageError, match=r"2 of 5 recordings are missing: "):
        joined(films, out)
    assert not (out / "journal.jsonl").exists(), "nothing is written of what is not complete"


def test_another_encoder_or_setting_is_refused(films: Path, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "out"
    scanned(films, out, Shard(1, 2))
    before = {name: (out / name).read_bytes() for name in written_names(out)}
    with pytest.raises(StorageError, match=r"journal\.shard-1-of-2\.jsonl is a shard with enter None and not 0\.9"):
        scanned(films, out, Shard(2, 2), ScanOptions(enter=0.9))
    with pytest.raises(StorageError, match=r"encoder \['x'\] and not \['y'\]"):
        joined(films, out, "y")
    assert all((out / name).read_bytes() == content for name, content in before.items())


def test_two_writers_of_a_shard_and_two_shards_at_once(films: Path, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "out"
    with Journal(out / Shard(1, 2).journal):
        with pytest.raises(StorageError, match=r"journal\.shard-1-of-2\.jsonl is in use by another process"):
            scanned(films, out, Shard(1, 2))
        scanned(films, out, Shard(2, 2))


def test_recordings_at_addresses(films: Path, tmp_path: Path) -> None:  # noqa: F811
    pytest.importorskip("upath")
    memory = fsspec.filesystem("memory")
    for path in films.rglob("*.wav"):
        memory.pipe(f"/films/{path.relative_to(films)}", path.read_bytes())
    memory.pipe("/films/notes.txt", b"")
    try:
        inputs = gather(["memory://films"])
        rows = scan_archive(inputs, tmp_path / "out", Loudness, ["x"], ScanOptions())
        with pytest.raises(ParameterError, match=r"nothing://films: .*s3://"):
            gather(["nothing://films"])
    finally:
        memory.store.clear()
    local = scanned(films, tmp_path / "local")
    assert inputs.left_out == "4 of 5 files; not read: 1 .txt (no media)"
    assert [row.results for row in rows[1:]] == ["memory/films/b/a.wav", "memory/films/a.wav", "memory/films/clean.wav"]
    assert [(row.damage, row.counts, row.duration_s) for row in rows] == [
        (row.damage, row.counts, row.duration_s) for row in local
    ]
    assert rows[0].path == "memory://films/empty.wav"
    assert (tmp_path / "out" / "memory" / "films" / "a.wav.artifacts.html").is_file()
