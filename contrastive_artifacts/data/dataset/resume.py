"""Resuming a dataset: its plan and a journal of its finished jobs, in a hidden folder inside the dataset."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...core import files, shards
from ...core.errors import StorageError
from ...core.journal import Journal, read_entries
from ...core.lock import locked

FOLDER = ".render"  # hidden: loaders of datasets skip it
JOURNAL = f"{FOLDER}/journal.jsonl"
_JOURNALS = "journal*.jsonl"  # in FOLDER: that of the dataset and those of its shards
_LOCK = "lock"  # in FOLDER
_PLAN = f"{FOLDER}/plan.json"


@contextmanager
def open_journal(folder: Path, plan: Mapping[str, Any], shard: shards.Shard | None = None) -> Iterator[Journal]:
    """Opens the journal of the dataset in ``folder``, for one process at a time; removes half-written files.

    An entry is ``{"job": name, "outcome": {"rows": ..., ...}}``; of two entries for one job the last is valid.

    Args:
        folder: Folder of the dataset; created if it does not exist.
        plan: Plain JSON that describes the dataset; a folder that holds another one is refused.
        shard: Opens the journal of this shard, which others may write beside.

    Raises:
        StorageError: the folder holds a dataset or a shard of another plan or other files, or another process is using
            it (the same shard of it).
    """
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"{folder} is a file; give a folder for the dataset.")
    if not (folder / FOLDER).is_dir() and folder.is_dir() and any(folder.iterdir()):
        raise StorageError(f"{folder} holds files that are no dataset of this package; give a new or an empty folder.")
    lock, path = _LOCK, folder / JOURNAL
    if shard is not None:
        lock, path = f"{_LOCK}.{shard.name}", folder / FOLDER / shard.journal
    with locked(folder / FOLDER, "rendering", lock), Journal(path) as journal:
        try:
            _remove_abandoned(folder)
            if shard is None:
                _check_plan(folder, as_stored(plan), journal)
            else:
                _check_plan(folder, as_stored(plan), None)
                shards.begin(journal, as_stored(plan), shard)
            yield journal
        finally:
            _remove_abandoned(folder)


def outcomes(entries: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Outcome of every job in the entries of a journal, by the name of the job."""
    return {entry["job"]: entry["outcome"] for entry in entries if "job" in entry}  # the first of a shard has none


def as_stored(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A plan as JSON reads it."""
    stored: dict[str, Any] = json.loads(json.dumps(plan))
    return stored


def _check_plan(folder: Path, plan: Mapping[str, Any], journal: Journal | None) -> None:
    """Writes the plan, or compares it; one that rendered nothing is replaced where the dataset's journal is open."""
    path, journals = folder / _PLAN, sorted((folder / FOLDER).glob(_JOURNALS))
    stored = files.read_json(path) if path.exists() else None
    if stored == plan:
        return
    rows = (outcome["rows"] for other in journals for outcome in outcomes(read_entries(other)).values())
    if stored is not None and (journal is None or any(rows)):
        keys = [key for key in {**stored, **plan} if stored.get(key) != plan.get(key)]
        differences = "; ".join(f"{key} was {_short(stored.get(key))}, is {_short(plan.get(key))}" for key in keys)
        raise StorageError(
            f"{folder} holds a dataset of another plan: {differences}. Give another folder, or the same settings to "
            "continue it."
        )
    if journal is not None:
        journal.clear()  # it holds rejections only
    files.write_json(path, plan)


def _remove_abandoned(folder: Path) -> None:
    for inside, _, _ in os.walk(folder):
        files.remove_abandoned(inside)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
