"""Locks on folders: one process writes a folder, any other is refused and told which process holds it.

A lock is a flock on a file in the folder, so that the system releases it when the process ends, by SIGKILL too. Readers
take no lock. Written by hand because the files of the package filelock do not say who holds them.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .errors import StorageError
from .files import remove_abandoned, writing

NAME = ".lock"
_PATIENCE_S = 0.2  # from a lock to the name of its holder in the file


@dataclass
class _Held:
    """A lock of this process; ``depth`` is the number of ``with`` blocks around it."""

    descriptor: int
    thread: int
    depth: int = 1


_held: dict[str, _Held] = {}


@contextmanager
def locked(folder: str | Path, purpose: str, name: str = NAME) -> Iterator[None]:
    """Inside the block, no other process and no other thread can lock ``folder``; the same thread can, again.

    Temporary files that dead processes left in the folder are removed first. The folder is created if it does not
    exist, and removed again where nothing was written into it.

    Args:
        folder: Folder to be written.
        purpose: For the message to others, such as "rendering".
        name: Of the lock file, which is in the folder as long as the lock is held.

    Raises:
        StorageError: another process or thread holds the lock (the message names it), or the file cannot be written.
    """
    folder = Path(folder)
    path = os.path.join(os.path.realpath(folder), name)
    held = _held.get(path)
    if held is not None and held.thread == threading.get_ident():
        held.depth += 1
        try:
            yield
        finally:
            held.depth -= 1
        return
    is_new = not folder.exists()
    with writing(folder / name):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = _acquire(path, folder, purpose)
    _held[path] = _Held(descriptor, threading.get_ident())
    try:
        remove_abandoned(folder)
        yield
    finally:
        if _held.pop(path, None) is not None:  # None in a forked process, whose locks are its parent's
            with suppress(OSError):
                os.unlink(path)  # before the release: the next process must not lock a file that is then removed
            os.close(descriptor)
            if is_new:
                with suppress(OSError):
                    folder.rmdir()


def _acquire(path: str, folder: Path, purpose: str) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                now = datetime.now(UTC).isoformat(timespec="seconds")
                holder = {"pid": os.getpid(), "host": socket.gethostname(), "purpose": purpose, "since": now}
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, json.dumps(holder).encode(), 0)
                return descriptor
        except BlockingIOError:
            holder_text = _holder(descriptor)
            os.close(descriptor)
            raise StorageError(f"{folder} is in use by {holder_text}; wait until it has ended, or stop it.") from None
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its holder removed the file after it was opened here


def _is_at(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _holder(descriptor: int) -> str:
    """The process that a lock file names, in words."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            holder = json.loads(os.pread(descriptor, 1 << 12, 0))
            return f"process {holder['pid']} on {holder['host']} ({holder['purpose']} since {holder['since']})"
        except (ValueError, KeyError, TypeError, RecursionError):
            if time.monotonic() > end:
                return "another process"
            time.sleep(0.01)


def _forget() -> None:
    """In a forked process: its copies of the descriptors would hold the locks beyond the end of the parent."""
    for held in _held.values():
        os.close(held.descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_forget)
