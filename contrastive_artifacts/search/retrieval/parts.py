"""Embedding of many recordings into one table, with parts on disk: an interrupted run goes on, memory stays flat.

Finished recordings are written to ``OUT.parts/``: tables of some recordings each, and a journal that lists what is in
them. At the end the parts are joined to ``OUT`` and removed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...core import files
from ...core.console import printable
from ...core.errors import ArtifactsError
from ...core.journal import Journal
from ...data.corpora import Clip, Corpus
from ...embedding.table import make_table, read_table, write_table
from .archive import Classifier, Signals, embed_recording, none_embedded, with_verdicts

_FORMAT = 2
_RECORDINGS, _WINDOWS = 32, 2048  # a part is written when it has so many
_BLOCK = 16384  # rows that are classified and written at a time


@dataclass
class _Finished:
    """A recording that is not written yet: its rows and vectors [N, D], or the problem for which it is left out."""

    key: str
    clip: str
    problem: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    vectors: list[np.ndarray] = field(default_factory=list)


class EmbeddingParts:
    """The parts of a table of embeddings that is being made.

    Use as a context manager: what is finished is written when the block ends, by an exception as well.

    Args:
        out: The table that the parts are joined to.
        corpus: Where the clips come from.
        encoder: Embeds and classifies.
        signals: What of each recording is embedded; by default the mean of its channels.

    Attributes:
        problems: (clip, problem) of each recording that was left out.

    Raises:
        StorageError: another process is embedding to the same table.
    """

    def __init__(self, out: str | Path, corpus: Corpus, encoder: Classifier, signals: Signals | None = None) -> None:
        self.out = Path(out)
        self.folder = self.out.with_name(f"{self.out.name}.parts")
        self.corpus, self.encoder, self.signals = corpus, encoder, signals or Signals()
        self.problems: list[tuple[str, str]] = []
        self._parts: list[dict[str, Any]] = []
        self._finished: list[_Finished] = []

    def __enter__(self) -> EmbeddingParts:
        self._journal = Journal(self.folder / "journal.jsonl")
        about = {"format": _FORMAT, "encoder": self.encoder.fingerprint, "corpus": self.corpus.name}
        about |= asdict(self.signals)
        entries = self._journal.entries
        if not entries or entries[0] != about:
            self._journal.clear()
            self._journal.add(about)
        self._parts = self._journal.entries[1:]
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._flush()
        finally:
            self._journal.close()

    def embed(self, clips: Iterable[Clip]) -> None:
        """Embeds the clips; those in parts of an interrupted run, if unchanged and first in the same order, are not."""
        done = self._usable(list(self.corpus.clips))
        for number, clip in enumerate(clips):
            if number < done:
                continue
            finished = _Finished(_key(self.corpus, clip), clip.id)
            try:
                for rows, vectors in embed_recording(self.corpus, clip, self.encoder, self.signals):
                    finished.rows += rows
                    finished.vectors.append(vectors)
            except ArtifactsError as error:
                finished.problem = str(error)
            self._finished.append(finished)
            if len(self._finished) >= _RECORDINGS or sum(len(f.rows) for f in self._finished) >= _WINDOWS:
                self._flush()
        self._flush()
        self.problems = [(clip, problem) for part in self._parts for _, clip, problem in part["recordings"] if problem]

    def join(self) -> int:
        """Writes the table; returns its number of rows.

        Raises:
            ArtifactsError: none of the recordings could be embedded.
        """
        total = sum(part["rows"] for part in self._parts)
        if not total:
            self.remove()
            raise none_embedded(self.problems)
        with files.atomic_path(self.out) as temporary:
            writer: pq.ParquetWriter | None = None
            try:
                for block in self._blocks():
                    table = with_verdicts(block, self.encoder)
                    writer = writer or pq.ParquetWriter(temporary, table.schema)
                    writer.write_table(table)
            finally:
                if writer is not None:
                    writer.close()
        return total

    def remove(self) -> None:
        """Removes the parts, when the table and what is made of it are written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _is_whole(self, entry: dict[str, Any]) -> bool:
        return not entry["rows"] or (self.folder / entry["file"]).is_file()

    def _usable(self, clips: list[Clip]) -> int:
        """Drops parts from the first one that does not hold the next clips; returns how many clips are in parts."""
        done = 0
        for number, part in enumerate(self._parts):
            keys = [key for key, _, _ in part["recordings"]]
            if not self._is_whole(part) or keys != [_key(self.corpus, clip) for clip in clips[done : done + len(keys)]]:
                self._parts = self._parts[:number]
                about = self._journal.entries[0]
                self._journal.clear()
                for entry in (about, *self._parts):
                    self._journal.add(entry)
                break
            done += len(keys)
        return done

    def _flush(self) -> None:
        """Writes the finished recordings as a part; they count from the moment at which the journal lists them."""
        if not self._finished:
            return
        rows = [row for finished in self._finished for row in finished.rows]
        vectors = [frames for finished in self._finished for frames in finished.vectors]
        name = f"{len(self._parts):06d}.parquet"
        if rows:
            table = make_table(rows, np.concatenate(vectors), self.encoder.fingerprint, "h")
            write_table(self.folder / name, table)
        recordings = [(finished.key, printable(finished.clip), finished.problem) for finished in self._finished]
        self._journal.add({"file": name, "rows": len(rows), "recordings": recordings})
        self._parts.append(self._journal.entries[-1])
        self._finished = []

    def _blocks(self) -> Iterator[pa.Table]:
        """The rows of all parts, ``_BLOCK`` at a time."""
        waiting: list[pa.Table] = []
        for part in self._parts:
            if not part["rows"]:
                continue
            waiting.append(read_table(self.folder / part["file"], self.encoder.fingerprint))
            while sum(map(len, waiting)) >= _BLOCK:
                rows = pa.concat_tables(waiting)
                yield rows.slice(0, _BLOCK).combine_chunks()
                waiting = [rows.slice(_BLOCK)]
        if rest := [table for table in waiting if len(table)]:
            yield pa.concat_tables(rest).combine_chunks()


def _key(corpus: Corpus, clip: Clip) -> str:
    """Identifies a recording and its content, as far as can be seen without reading it."""
    if clip.path is None:
        state = corpus.fingerprint
    else:
        state = f"{clip.path.resolve()}|{files.state(clip.path)}"
    return hashlib.blake2b(os.fsencode(f"{clip.id}|{clip.source}|{clip.category}|{state}"), digest_size=12).hexdigest()
