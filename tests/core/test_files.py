"""Files are whole or absent, whatever stops the writer."""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from contrastive_artifacts.core import files
from contrastive_artifacts.core.errors import StorageError, TargetError


def test_the_new_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "a.txt"
    with files.atomic_path(path) as temporary:
        temporary.write_text("new")
        assert temporary.parent == path.parent  # the same file system, so that the rename is atomic
        assert temporary.suffix == path.suffix  # writers that go by the suffix write the right format
        assert not path.exists()
    assert path.read_text() == "new"
    assert os.listdir(path.parent) == ["a.txt"]


def _fails(path: Path) -> None:
    with files.atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("stop")


def test_an_error_keeps_what_was_there_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="stop"):
        _fails(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_killed_writer_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    files.write_json(path, {"step": 1})
    code = (
        "import os, signal, sys\nfrom contrastive_artifacts.core import files\n"
        "with files.atomic_path(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('{\"st')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code, path], env=environment).returncode == -signal.SIGKILL
    assert files.read_json(path) == {"step": 1}
    assert len(os.listdir(tmp_path)) == 2, "the killed writer should have got as far as its temporary file"


def test_names_of_temporary_files_are_unique_and_no_longer_than_a_file_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 120 + ".json")  # 245 bytes
    with files.atomic_path(path) as first, files.atomic_path(path) as second:
        assert first != second
        first.write_text("1")
        second.write_text("2")
    assert path.read_text() == "1"  # the outer block ends last
    assert os.listdir(tmp_path) == [path.name]


def test_what_is_in_the_way_is_named_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").touch()
    cases = {
        tmp_path / "folder.csv": r"folder\.csv cannot be written: a folder has this name",
        tmp_path / "file" / "a.csv": r"a\.csv cannot be written: a part of the path is a file",
        tmp_path / f"{'a' * 300}.csv": "cannot be written: the name is too long; choose a shorter one",
    }
    for path, message in cases.items():
        with pytest.raises(StorageError, match=message), files.atomic_path(path):
            pytest.fail("the block ran")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO])
def test_an_error_of_the_disk_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StorageError, match=r"a\.json cannot be written: .*; .*(choose|free)"):
        files.write_json(tmp_path / "a.json", 1)
    assert not any(tmp_path.iterdir())


def test_a_full_disk_is_named_whatever_library_writes(tmp_path: Path) -> None:
    code = """
import resource, sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from safetensors.numpy import save_file
from contrastive_artifacts.core import errors, files
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
x = np.random.default_rng(0).normal(size=9999)
writers = [lambda path: path.write_bytes(bytes(9999)), lambda path: save_file({"x": x}, path),
           lambda path: pq.write_table(pa.table({"x": x}), path)]
for write in writers:
    try:
        with files.atomic_path(sys.argv[1]) as temporary:
            write(temporary)
    except errors.StorageError as error:
        print(error)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    path = tmp_path / "a.bin"
    done = subprocess.run([sys.executable, "-c", code, path], env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.count(f"{path} cannot be written: the file would be larger than the system allows") == 3
    assert not any(tmp_path.iterdir())


def test_an_error_that_is_not_of_the_written_file_stays(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="source"), files.atomic_path(tmp_path / "a" / "b.txt") as temporary:
        temporary.write_text((tmp_path / "other" / "source").read_text())


def test_json_round_trip_is_sorted_and_readable(tmp_path: Path) -> None:
    value = {"b": [1, 2.5, None, True], "a": {"ü": "x"}}
    files.write_json(tmp_path / "a.json", value)
    assert files.read_json(tmp_path / "a.json") == value
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text.index('"a"') < text.index('"b"')
    assert text.endswith("}\n")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x"])
def test_what_is_not_json_is_refused_and_the_old_file_stays(tmp_path: Path, value: object) -> None:
    path = tmp_path / "a.json"
    files.write_json(path, 1)
    with pytest.raises((ValueError, TypeError)):
        files.write_json(path, {"x": value})
    assert json.loads(path.read_text()) == 1


HOSTILE = [b"[" * 100_000, b'{"a": NaN}', b"[-Infinity]", b"1e999", b"1" * 10_000]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[1,", *HOSTILE], ids=lambda b: repr(b[:12]))
def test_damaged_json_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(StorageError, match=r"run\.json is not readable JSON"):
        files.read_json(path)


def test_missing_json_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"none\.json does not exist"):
        files.read_json(tmp_path / "none.json")
    with pytest.raises(StorageError, match="not readable"):
        files.read_json(tmp_path)


def test_sha256_is_the_published_one(tmp_path: Path) -> None:
    """FIPS 180-2, B.1."""
    (tmp_path / "abc").write_bytes(b"abc")
    assert files.sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_private_file_becomes_an_ordinary_one(tmp_path):
    with files.atomic_path(tmp_path / "a.bin") as temporary:
        temporary.touch(mode=0o600)
    (tmp_path / "b.bin").touch()
    assert (tmp_path / "a.bin").stat().st_mode == (tmp_path / "b.bin").stat().st_mode


def test_a_commit_is_that_of_the_checkout_which_holds_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        return subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "a.py").write_text("1")
    assert files.commit(tmp_path / "a.py") == "unknown"
    git("init", "-q")
    git("add", "a.py")
    git("commit", "-qm", "first")
    assert files.commit(tmp_path / "a.py") == git("describe", "--always").strip()
    (tmp_path / "a.py").write_text("2")
    assert files.commit(tmp_path / "a.py").endswith("+")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert files.commit(tmp_path / "a.py") == "unknown"


def test_a_target_is_tried_and_its_setting_named(tmp_path: Path) -> None:
    files.check_file("out", tmp_path / "new" / "a.csv")
    files.check_folder("to", tmp_path / "new" / "folder")
    assert not list(tmp_path.iterdir())
    (tmp_path / "new").mkdir()
    (tmp_path / "a.csv").write_text("before")
    files.check_file("csv", tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "before"
    for setting, check, path in (
        ("page", files.check_file, tmp_path / "new"),
        ("out", files.check_file, tmp_path / ("n" * 300)),
        ("csv", files.check_file, tmp_path / "a.csv" / "b.csv"),
        ("to", files.check_folder, tmp_path / "a.csv"),
        ("index", files.check_folder, tmp_path / ("n" * 300)),
    ):
        with pytest.raises(TargetError, match=f"^{setting}={path}"):
            check(setting, path)


def test_cells_that_a_spreadsheet_would_run_are_inert_and_come_back(tmp_path: Path) -> None:
    texts = ["=1+1", "+x", "-rf.wav", "@name", "\tx", "'=quoted", "'plain", "plain", "-3.5", "", "a\udcff"]
    files.write_csv(tmp_path / "a.csv", [["text", "number"], *([text, -1.5] for text in texts)])
    with open(tmp_path / "a.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    written = [row["text"] for row in rows]
    assert written[:7] == ["'=1+1", "'+x", "'-rf.wav", "'@name", "'\tx", "''=quoted", "'plain"]
    assert [files.from_inert(row)["text"] for row in rows] == [*texts[:-1], r"a\udcff"]
    assert {row["number"] for row in rows} == {"-1.5"}


def test_what_dead_processes_left_in_writing_a_target_is_removed(tmp_path: Path) -> None:
    """But neither what a living one writes nor other files, which may be anybody's beside a recording."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    with files.atomic_path(tmp_path / "a.csv") as temporary:
        temporary.touch()
        dead = temporary.name.replace(f"-{os.getpid()}-", f"-{process.pid}-")
        assert dead != temporary.name
        for name in (dead, dead.replace(".a.", ".b."), f".a.{process.pid}.tmp.csv"):
            (tmp_path / name).touch()
        files.check_file("out", tmp_path / "a.csv")
        assert {path.name for path in tmp_path.iterdir()} == {
            temporary.name,
            dead.replace(".a.", ".b."),
            f".a.{process.pid}.tmp.csv",
        }
    files.check_folder("to", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_what_a_dead_process_left_is_removed_though_its_parent_has_not_waited_for_it(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        os.kill(process.pid, 0)  # a zombie has its number still
        with files.atomic_path(tmp_path / "a.csv") as temporary:
            temporary.touch()
            left = tmp_path / temporary.name.replace(f"-{os.getpid()}-", f"-{process.pid}-")
            left.touch()
            files.remove_abandoned(tmp_path)
            assert temporary.exists()
        assert not left.exists()
