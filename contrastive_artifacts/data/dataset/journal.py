"""What is done of a dataset: a journal beside it, so that a killed process loses no finished job."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...core import files
from ...core.errors import StorageError

FOLDER = ".render"  # hidden: loaders of datasets pass over it
_PLAN, _LOCK, _LINES = "plan.json", "lock", "journal.jsonl"


class Journal:
    """Finished jobs by name, with what each left behind (plain JSON)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[str, dict[str, Any]] = {}
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                self.done[entry["job"]] = entry["outcome"]
            except (ValueError, KeyError, TypeError):
                break  # cut short by a kill: nothing follows
        if text and (not text.endswith("\n") or len(text.splitlines()) != len(self.done)):
            self._rewrite()

    def add(self, job: str, outcome: dict[str, Any]) -> None:
        self.done[job] = outcome
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_line(job, outcome))

    def forget(self, missing: Callable[[dict[str, Any]], bool]) -> None:
        """Drops the jobs whose files are no longer there."""
        kept = {job: outcome for job, outcome in self.done.items() if not missing(outcome)}
        if len(kept) < len(self.done):
            self.done = kept
            self._rewrite()

    def _rewrite(self) -> None:
        files.write_text(self.path, "".join(_line(job, outcome) for job, outcome in self.done.items()))


@contextmanager
def opened(folder: Path, plan: Mapping[str, Any]) -> Iterator[Journal]:
    """The journal of the dataset in ``folder``, for one process at a time; half-written files are cleared away.

    Args:
        folder: Of the dataset; made if need be.
        plan: Plain JSON that says what the dataset is; a folder that holds another one is refused.

    Raises:
        StorageError: another plan's dataset is there, other files are there, or another process is at work on it.
    """
    own = folder / FOLDER
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"{folder} is a file; give a folder for the dataset.")
    if not own.is_dir() and folder.is_dir() and any(folder.iterdir()):
        raise StorageError(f"{folder} holds files that are no dataset of this package; give a new or an empty folder.")
    own.mkdir(parents=True, exist_ok=True)
    with open(own / _LOCK, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the system frees it with the process, however that ends
        except OSError:
            raise StorageError(f"Another process is rendering into {folder}; wait for it, or give another.") from None
        try:
            _clear(folder)
            journal = Journal(own / _LINES)
            _check(folder, plan, journal)
            yield journal
        finally:
            _clear(folder)


def _check(folder: Path, plan: Mapping[str, Any], journal: Journal) -> None:
    path, wanted = folder / FOLDER / _PLAN, json.loads(json.dumps(plan))
    found = files.read_json(path) if path.exists() else None
    if found == wanted:
        return
    if found is not None and any(outcome["rows"] for outcome in journal.done.values()):
        keys = [key for key in {**found, **wanted} if found.get(key) != wanted.get(key)]
        differences = "; ".join(f"{key} was {_short(found.get(key))}, is {_short(wanted.get(key))}" for key in keys)
        raise StorageError(
            f"{folder} holds a dataset of another plan: {differences}. Give another folder, or the same settings to go "
            "on with it."
        )
    journal.done = {}  # nothing was rendered by that plan: only rejections stand in its journal
    journal.path.unlink(missing_ok=True)
    files.write_json(path, wanted)


def _clear(folder: Path) -> None:
    for left in folder.rglob(".*.tmp*"):  # names of files.atomic_path
        left.unlink(missing_ok=True)


def _line(job: str, outcome: dict[str, Any]) -> str:
    return json.dumps({"job": job, "outcome": outcome}, sort_keys=True, allow_nan=False) + "\n"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
