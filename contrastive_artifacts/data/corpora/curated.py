"""A corpus without the clips that a manifest rejects; ``scripts/curate.py`` writes manifests."""

from __future__ import annotations

import csv
import hashlib
from functools import cached_property
from pathlib import Path

import numpy as np

from ...core import files
from ...core.errors import CorpusError
from .base import Clip, Corpus


class CuratedCorpus(Corpus):
    """Some of the clips of another corpus, under the same name and loaded in the same way.

    Args:
        whole: The other corpus.
        ids: Ids of the clips to keep.
    """

    def __init__(self, whole: Corpus, ids: frozenset[str]) -> None:
        super().__init__(whole.name, (clip for clip in whole.clips if clip.id in ids), whole.left_out)
        self._whole = whole

    def load(self, clip: Clip) -> tuple[np.ndarray, int]:
        return self._whole.load(clip)

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits over the fingerprint of the whole corpus and the ids of these clips."""
        key = (self._whole.fingerprint, *sorted(clip.id for clip in self.clips))
        return hashlib.blake2b(repr(key).encode(), digest_size=8).hexdigest()


def curated(corpus: Corpus, manifest: str | Path) -> Corpus:
    """The clips of ``corpus`` that ``manifest`` keeps.

    Args:
        corpus: Any corpus.
        manifest: A ``manifest.csv`` or its folder: the folder of the curation, or ``versions/0002`` in it for an
            earlier version.

    Raises:
        CorpusError: the manifest is missing or damaged, or clips of the corpus are not in it (they were never judged).
    """
    decisions = _decisions(Path(manifest))
    unknown = [clip.id for clip in corpus.clips if clip.id not in decisions]
    if unknown:
        raise CorpusError(
            f"{manifest} does not list {len(unknown)} of the {len(corpus)} clips of {corpus.name!r}, the first is "
            f"{unknown[0]!r}; run curate on this corpus again."
        )
    return CuratedCorpus(corpus, frozenset(clip_id for clip_id, decision in decisions.items() if decision == "keep"))


def _decisions(path: Path) -> dict[str, str]:
    table = path / "manifest.csv" if path.is_dir() else path
    try:
        with open(table, newline="", encoding="utf-8") as stream:
            rows = [files.from_inert(row) for row in csv.DictReader(stream)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"The manifest {table} cannot be read ({error}); run curate first.") from error
    if not rows or not {"id", "decision"} <= rows[0].keys():
        raise CorpusError(f"{table} is no manifest: it needs rows with the columns id and decision.")
    about = table.with_suffix(".json")
    if about.is_file() and files.read_json(about).get("csv_sha256") != files.sha256(table):
        raise CorpusError(
            f"{table} does not match the sha256 in {about.name}; run curate again, or give a folder in versions/."
        )
    wrong = next((row for row in rows if row["decision"] not in ("keep", "reject")), None)
    if wrong is not None:
        raise CorpusError(f"{table}: the decision on {wrong['id']!r} is {wrong['decision']!r}, not keep or reject.")
    return {row["id"]: row["decision"] for row in rows}
