"""One process writes a folder at a time; a process that dies holds nothing."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contrastive_artifacts.core import files
from contrastive_artifacts.core.errors import StorageError
from contrastive_artifacts.core.lock import NAME, locked

HOLD = """
import os, sys, time
from contrastive_artifacts.core.lock import locked
with locked(sys.argv[1], "training"):
    {work}
    print("locked", flush=True)
    time.sleep(60)
"""
FORK = """reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, b"runs")  # until then, it holds its copy of the lock
        time.sleep(60)
    os.read(reader, 4)
    print(child, flush=True)
"""


@contextmanager
def holder(folder: Path, work: str = "pass") -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock of a folder."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", HOLD.format(work=work), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def test_another_process_is_refused_and_told_the_holder_until_that_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with holder(folder) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        who = rf"run is in use by process {process.pid} on {re.escape(socket.gethostname())} \(training since 20"
        with pytest.raises(StorageError, match=who), locked(folder, "probing"):
            pass
        process.kill()
        process.wait()
        assert (folder / NAME).exists(), "the killed process should have left its file behind"
        with locked(folder, "probing"):
            assert (folder / NAME).exists()
    assert os.listdir(tmp_path) == ["run"]
    assert os.listdir(folder) == []


def test_a_forked_process_does_not_hold_the_lock_of_its_dead_parent(tmp_path: Path) -> None:
    with holder(tmp_path, FORK) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            process.stdout.readline()
            process.kill()
            process.wait()
            with locked(tmp_path, "probing"):
                pass
        finally:
            os.kill(child, 9)


def test_a_thread_locks_again_and_another_thread_is_refused(tmp_path: Path) -> None:
    problems: list[str] = []

    def lock() -> None:
        try:
            with locked(tmp_path / "a", "saving"):
                problems.append("none")
        except StorageError as error:
            problems.append(str(error))

    with locked(tmp_path / "a", "exporting"), locked(tmp_path / "b" / ".." / "a", "saving"):
        thread = threading.Thread(target=lock)
        thread.start()
        thread.join()
    lock()
    assert re.search(rf"in use by process {os.getpid()} on .* \(exporting since", problems[0])
    assert problems[1:] == ["none"]


def test_a_folder_into_which_nothing_was_written_is_removed(tmp_path: Path) -> None:
    with locked(tmp_path / "new", "writing"):
        assert (tmp_path / "new").is_dir()
    assert not (tmp_path / "new").exists()
    with locked(tmp_path / "new", "writing"):
        files.write_text(tmp_path / "new" / "a.txt", "a")
    assert os.listdir(tmp_path / "new") == ["a.txt"]


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(StorageError, match=r"run.* cannot be written: .* is a file, not a folder"):  # noqa: SIM117
        with locked(tmp_path / "run", "training"):
            pass


def test_temporary_files_of_dead_processes_are_removed_and_no_others(tmp_path: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    pid, day = int(dead.stdout), 24 * 3600
    of_this_process = files._temporary_beside(tmp_path / "a.json").name
    of_dead = [f".a.{pid}.tmp.json", of_this_process.replace(f"-{os.getpid()}-", f"-{pid}-")]
    old = [".b.01234567-1-0.tmp", f".old.{os.getpid()}.tmp.json"]
    stays = [of_this_process, ".c.01234567-1-0.tmp.json", ".a.tmp.json", "a.json", f"a.{pid}.tmp.json"]
    for name in (*of_dead, *old, *stays):
        (tmp_path / name).touch()
    for name in (*old, "a.json"):
        os.utime(tmp_path / name, (time.time() - 2 * day,) * 2)
    with locked(tmp_path, "writing"):
        pass
    assert sorted(os.listdir(tmp_path)) == sorted(stays)
