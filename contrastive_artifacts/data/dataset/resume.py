"""Resuming a dataset: its plan and a journal of its finished jobs, in a hidden folder inside the dataset."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...core import files
from ...core.errors import StorageError
from ...core.journal import Journal
from ...core.lock import locked

FOLDER = ".render"  # hidden: loaders of datasets skip it
JOURNAL = f"{FOLDER}/journal.jsonl"
_LOCK = "lock"  # in FOLDER
_PLAN = f"{FOLDER}/plan.json"


@contextmanager
def open_journal(folder: Path, plan: Mapping[str, Any]) -> Iterator[Journal]:
    """Opens the journal of the dataset in ``folder``, for one process at a time; removes half-written files.

    An entry is ``{"job": name, "outcome": {"rows": ..., ...}}``; of two entries for one job the last is valid.

    Args:
        folder: Folder of the dataset; created if it does not exist.
        plan: Plain JSON that describes the dataset; a folder that holds another one is refused.

    Raises:
        StorageError: the folder holds a dataset of another plan or other files, or another process is using it.
    """
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"{folder} is a file; give a folder for the dataset.")
    if not (folder / FOLDER).is_dir() and folder.is_dir() and any(folder.iterdir()):
        raise StorageError(f"{folder} holds files that are no dataset of this package; give a new or an empty folder.")
    with locked(folder / FOLDER, "rendering", _LOCK), Journal(folder / JOURNAL) as journal:
        try:
            _remove_abandoned(folder)
            _check_plan(folder, plan, journal)
            yield journal
        finally:
            _remove_abandoned(folder)


def outcomes(journal: Journal) -> dict[str, dict[str, Any]]:
    """Outcome of every job in the journal, by the name of the job."""
    return {entry["job"]: entry["outcome"] for entry in journal.entries}


def _check_plan(folder: Path, plan: Mapping[str, Any], journal: Journal) -> None:
    path, asked = folder / _PLAN, json.loads(json.dumps(plan))
    stored = files.read_json(path) if path.exists() else None
    if stored == asked:
        return
    if stored is not None and any(outcome["rows"] for outcome in outcomes(journal).values()):
        keys = [key for key in {**stored, **asked} if stored.get(key) != asked.get(key)]
        differences = "; ".join(f"{key} was {_short(stored.get(key))}, is {_short(asked.get(key))}" for key in keys)
        raise StorageError(
            f"{folder} holds a dataset of another plan: {differences}. Give another folder, or the same settings to "
            "continue it."
        )
    journal.clear()  # that plan rendered nothing: its journal holds rejections only
    files.write_json(path, asked)


def _remove_abandoned(folder: Path) -> None:
    for inside, _, _ in os.walk(folder):
        files.remove_abandoned(inside)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
