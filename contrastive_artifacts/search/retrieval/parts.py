"""Embedding of many recordings into one table, with parts on disk: an interrupted run goes on, memory stays flat.

Finished recordings are written to ``OUT.parts/``: tables of some recordings each, and a journal that lists what is in
them. At the end the parts are joined to ``OUT``, in the order of the corpus, and removed. Shards on several machines
write into the same folder, each with its own journal.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...core import files, shards
from ...core.console import printable
from ...core.errors import ArtifactsError, StorageError
from ...core.journal import Journal
from ...core.pool import Crashed
from ...core.ray_pool import Cluster
from ...data.corpora import Clip, Corpus, lengths
from ...embedding.table import make_table, read_table, write_table
from .archive import Classifier, Signals, embed_recording, none_embedded, with_verdicts

_FORMAT = 3
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


@dataclass(frozen=True)
class _Place:
    """A recording in the parts: rows ``[first, first + rows)`` of a file, or the problem for which it is left out."""

    clip: str
    problem: str
    file: str
    first: int
    rows: int


class EmbeddingParts:
    """The parts of a table of embeddings that is being made.

    Use as a context manager: what is finished is written when the block ends, by an exception as well.

    Args:
        out: The table that the parts are joined to.
        corpus: Where the clips come from.
        encoder: Embeds and classifies.
        signals: What of each recording is embedded; by default the mean of its channels.
        shard: Embeds the recordings of this shard only; :meth:`gather` takes those of all shards.

    Attributes:
        problems: (clip, problem) of each recording that was left out.

    Raises:
        StorageError: another process is embedding to the same table (the same shard of it), or the folder has shards of
            another encoder or other settings.
    """

    def __init__(
        self,
        out: str | Path,
        corpus: Corpus,
        encoder: Classifier,
        signals: Signals | None = None,
        shard: shards.Shard | None = None,
    ) -> None:
        self.out = Path(out)
        self.folder = self.out.with_name(f"{self.out.name}.parts")
        self.corpus, self.encoder, self.signals, self.shard = corpus, encoder, signals or Signals(), shard
        self._clips = list(corpus.clips) if shard is None else shard.part(corpus.clips, self._seconds)
        self._places: dict[str, _Place] = {}
        self._finished: list[_Finished] = []
        self._about = {"format": _FORMAT, "encoder": self.encoder.fingerprint, "corpus": self.corpus.name}
        self._about |= asdict(self.signals)

    @property
    def problems(self) -> list[tuple[str, str]]:
        places = (self._places.get(_key(self.corpus, clip)) for clip in self._clips)
        return [(place.clip, place.problem) for place in places if place is not None and place.problem]

    def __enter__(self) -> EmbeddingParts:
        self._journal = Journal(self.folder / ("journal.jsonl" if self.shard is None else self.shard.journal))
        try:
            if self.shard is not None:
                shards.begin(self._journal, self._about, self.shard)
            elif not self._journal.entries or self._journal.entries[0] != self._about:
                self._journal.clear()
                self._journal.add(self._about)
        except StorageError:
            self._journal.close()
            raise
        self._take(self._journal.entries[1:])
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._flush()
        finally:
            self._journal.close()

    @property
    def remaining(self) -> list[Clip]:
        """The clips, of the shard if there is one, that are not in the parts as they are now."""
        return [clip for clip in self._clips if _key(self.corpus, clip) not in self._places]

    def embed(self, clips: Iterable[Clip]) -> None:
        """Embeds clips of the corpus, in general :attr:`remaining`."""
        for clip in clips:
            self._finished.append(_finished(self.corpus, clip, self.encoder, self.signals))
            if len(self._finished) >= _RECORDINGS or sum(len(f.rows) for f in self._finished) >= _WINDOWS:
                self._flush()
        self._flush()

    def embed_on(self, cluster: Cluster, open_encoder: Callable[[], Classifier]) -> None:
        """:attr:`remaining`, embedded by the workers of a cluster, which see the same files; a part for each recording.

        Args:
            cluster: The workers.
            open_encoder: Opens the encoder, once in each worker; must be picklable.
        """
        jobs = deque(sorted(self.remaining, key=lambda clip: -self._seconds(clip)))
        work = partial(_embedded, open_encoder, self.corpus, self.signals, self.folder)
        for clip, outcome in cluster.results(work, jobs):
            rows, problem = (0, outcome.problem) if isinstance(outcome, Crashed) else outcome
            key = _key(self.corpus, clip)
            entry = {"file": f"{key}.parquet", "rows": rows, "recordings": [(key, printable(clip.id), problem, rows)]}
            self._journal.add(entry)
            self._take(self._journal.entries[-1:])

    def gather(self) -> None:
        """Takes what all shards embedded.

        Raises:
            StorageError: a recording is missing (the message says which shards to run), or has changed since; or shards
                are of another encoder or other settings.
        """
        entries, shard = shards.joined(self.folder, self._about)
        self._take(entries)
        lost = {clip.id for clip in self.remaining}
        if lost:
            clips = list(self.corpus.clips)
            raise shards.missing(
                "recordings", clips, lambda clip: clip.id in lost, lambda clip: printable(clip.id), self._seconds, shard
            )

    def join(self) -> int:
        """Writes the table; returns its number of rows.

        Raises:
            ArtifactsError: none of the recordings could be embedded.
        """
        total = sum(place.rows for place in self._in_order())
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

    def _take(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Adds what entries of a journal list, if its files are there."""
        for entry in entries:
            if entry["rows"] and not (self.folder / entry["file"]).is_file():
                continue
            first = 0
            for key, clip, problem, rows in entry["recordings"]:
                self._places[key] = _Place(clip, problem, entry["file"], first, rows)
                first += rows

    def _in_order(self) -> Iterator[_Place]:
        return (self._places[key] for key in (_key(self.corpus, clip) for clip in self._clips))

    def _seconds(self, clip: Clip) -> float:
        return lengths.clip_s(clip, self.signals.stream)

    def _flush(self) -> None:
        """Writes the finished recordings as a part; they count from the moment at which the journal lists them."""
        if not self._finished:
            return
        rows = [row for finished in self._finished for row in finished.rows]
        vectors = [frames for finished in self._finished for frames in finished.vectors]
        before = "" if self.shard is None else f"{self.shard.name}-"
        name = f"{before}{len(self._journal.entries):06d}.parquet"
        if rows:
            write_table(self.folder / name, make_table(rows, np.concatenate(vectors), self.encoder.fingerprint, "h"))
        recordings = [(f.key, printable(f.clip), f.problem, len(f.rows)) for f in self._finished]
        self._journal.add({"file": name, "rows": len(rows), "recordings": recordings})
        self._take(self._journal.entries[-1:])
        self._finished = []

    def _blocks(self) -> Iterator[pa.Table]:
        """The rows of all recordings in the order of the corpus, ``_BLOCK`` at a time."""
        shares = {place.file.rpartition("-")[0] for place in self._places.values()}
        read = lru_cache(len(shares))(lambda name: read_table(self.folder / name, self.encoder.fingerprint))
        waiting: list[pa.Table] = []
        for place in self._in_order():
            if not place.rows:
                continue
            waiting.append(read(place.file).slice(place.first, place.rows))
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


def _finished(corpus: Corpus, clip: Clip, encoder: Classifier, signals: Signals) -> _Finished:
    finished = _Finished(_key(corpus, clip), clip.id)
    try:
        for rows, vectors in embed_recording(corpus, clip, encoder, signals):
            finished.rows += rows
            finished.vectors.append(vectors)
    except ArtifactsError as error:
        finished.problem = str(error)
    return finished


def _embedded(
    open_encoder: Callable[[], Classifier], corpus: Corpus, signals: Signals, folder: Path, clip: Clip
) -> tuple[int, str]:
    """In a worker: writes the part of a recording; its number of rows, and its problem or ""."""
    encoder = _opened(open_encoder)
    finished = _finished(corpus, clip, encoder, signals)
    if finished.rows:
        table = make_table(finished.rows, np.concatenate(finished.vectors), encoder.fingerprint, "h")
        write_table(folder / f"{finished.key}.parquet", table)
    return len(finished.rows), finished.problem


@cache
def _opened(open_encoder: Callable[[], Any]) -> Any:
    """The encoder of a process."""
    return open_encoder()
