"""Renders every item once, computes its vectors by every encoder, and caches them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...core import files
from ...core.console import track
from ...core.errors import FingerprintError, ParameterError, StorageError
from ...models.context import PatchTable
from .material import Item

FACTS = ("id", "source", "label", "severity", "at_s", "rate_hz", "clicks_s")


class Job(NamedTuple):
    """``vectors(waveform [T], item) -> [N, D]`` at the item's rate, and the fingerprint of this computation."""

    fingerprint: str
    vectors: Callable[[np.ndarray, Item], np.ndarray]


@dataclass(frozen=True, eq=False)
class Collected:
    """FACTS of every item ([M] dicts), and for each job its M arrays of vectors."""

    facts: list[dict[str, Any]]
    rows: dict[str, tuple[np.ndarray, ...]]

    def column(self, name: str) -> np.ndarray:
        return np.array([fact[name] for fact in self.facts])


def collect(
    folder: str | Path, make_items: Callable[[], Iterator[Item]], total: int, jobs: Mapping[str, Job],
    about: Mapping[str, Any], finished: bool, title: str,
) -> Collected:  # fmt: skip
    """The vectors of every job over every item; those in ``folder`` are read instead of computed.

    Args:
        make_items: Returns the items, the same at every call.
        total: Approximate number of items, for the progress bar.
        jobs: Name -> computation for each item.
        about: JSON that identifies the items; other items get another folder. It does not include the code that renders
            them: delete the folder after changing that.
        finished: Whether level and tilt of waveforms are drawn as for views.
    """
    key = hashlib.blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=8).hexdigest()
    folder = Path(folder) / key
    paths = {name: folder / f"{name}-{job.fingerprint}.safetensors" for name, job in jobs.items()}
    try:
        facts = files.read_json(folder / "facts.json")
        ids = [fact["id"] for fact in facts]
        tables = {name: PatchTable.load(paths[name], job.fingerprint, ids) for name, job in jobs.items()}
    except (StorageError, FingerprintError):
        return _compute(folder, make_items, total, jobs, paths, finished, title)
    return Collected(facts, {name: table.rows for name, table in tables.items()})


def _compute(
    folder: Path, make_items: Callable[[], Iterator[Item]], total: int, jobs: Mapping[str, Job],
    paths: Mapping[str, Path], finished: bool, title: str,
) -> Collected:  # fmt: skip
    facts: list[dict[str, Any]] = []
    rows: dict[str, list[np.ndarray]] = {name: [] for name in jobs}
    for item in track(make_items(), title, total=total):
        waveform = item.finished() if finished else item.waveform[0]
        for name, job in jobs.items():
            rows[name].append(job.vectors(waveform, item).astype(np.float16))
        facts.append({name: getattr(item, name) for name in FACTS})
    if not facts:
        raise ParameterError("No clip of the corpus could be read; check its path and its files.")
    ids = tuple(fact["id"] for fact in facts)
    files.write_json(folder / "facts.json", facts)
    for name, job in jobs.items():
        PatchTable(ids, tuple(rows[name]), job.fingerprint).save(paths[name])
    return Collected(facts, {name: tuple(vectors) for name, vectors in rows.items()})
