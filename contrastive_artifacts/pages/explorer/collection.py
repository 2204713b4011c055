"""What is explored: the rows of an index, what is known of them, heard in them and said of them."""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ... import audio, embedding
from ...core.errors import AudioError, FingerprintError, ParameterError
from ...core.vectors import unit_rows
from ...data.corpora import Corpus
from ...probes import Probe, Verdicts
from ...probes.labels import REJECT, RowLabel
from ...runs.run import Run
from ...search import retrieval
from ...search.index import Index, rows_at
from ...search.retrieval import SpanHit
from .columns import Column, coded, columns_of
from .layout import Layout, Progress, layout_of, silent
from .tables import in_time, with_columns

CLEAN = "clean"
ROW = "_row"  # column of the searched table: the number of a row
_DECISIONS = ("", "keep", "reject", "relabel")
_PLACE = ("clip", "start", "stop", "sample_rate")
_BLOCK = 1 << 16


class Collection:
    """An index with its encoder, its map and, for rendered views, the corpora that they were made from.

    What changes while it is explored is replaced whole, so that reading it needs no lock.

    Attributes:
        index: Its table has a column ROW, and the probe's verdicts ``heard``, ``heard_severity``,
            ``heard_probability`` where there is a probe.
        probe: What hears; None without one.
        layout: Where rows lie on the map.
        columns: Name -> column, of those worth colouring by.
        said: Row -> what people said of it.
        home: Folder of the run or the index: where a retrained probe goes.
    """

    def __init__(
        self,
        index: Index,
        encoder: embedding.PretrainedEncoder,
        encoder_folder: Path,
        corpora: Mapping[str, Corpus],
        layout: Layout,
        home: Path,
        title: str,
    ) -> None:
        names = index.metadata.column_names
        if missing := [name for name in _PLACE if name not in names]:
            raise ParameterError(
                f"{index.directory} has no columns {', '.join(missing)}: its rows are no sounds. Explore an index of "
                "scripts/embed.py or a run of scripts/probe.py."
            )
        if not len(index):
            raise ParameterError(f"{index.directory} is empty: there is nothing to explore; embed recordings first.")
        self.encoder, self.encoder_folder = encoder, encoder_folder
        self.corpora, self.layout = dict(corpora), layout
        self.home, self.title = home, title
        self.probe = encoder.probe
        self.index = with_columns(index, **{ROW: pa.array(np.arange(len(index)))})
        self.said: dict[int, RowLabel] = {}
        self.columns: dict[str, Column] = {}
        self._names: list[str] = []
        self._lock = threading.Lock()
        if "heard" not in names and self.probe is not None:
            self.hear(self.probe)
        else:
            self._count_columns()
        self.say({})
        self._before, self._after = in_time(self.index.metadata)

    @classmethod
    def of_run(cls, directory: str | Path, seed: int = 0, progress: Progress = silent) -> Collection:
        """The views of a probed run.

        Raises:
            StorageError: the folder holds no run, or one that was not probed.
            CorpusError: its corpus is no longer there.
        """
        home = Path(directory)
        folder = embedding.encoder_folder(home)
        encoder = embedding.load(folder)
        index = Index.open(home / "index", encoder.fingerprint)
        corpora = {corpus.name: corpus for corpus in Run(home).corpora().values()}
        return cls(index, encoder, folder, corpora, layout_of(index, seed, progress), home, home.resolve().name)

    @classmethod
    def of_index(
        cls, directory: str | Path, encoder: str | Path = "release", seed: int = 0, progress: Progress = silent
    ) -> Collection:
        """The windows of an archive, as scripts/embed.py indexes them.

        Raises:
            FingerprintError: the index was made with another encoder.
            StorageError: there is no index, or a part of it is damaged.
        """
        home, folder = Path(directory), embedding.encoder_folder(encoder)
        loaded = embedding.load(folder)
        try:
            index = Index.open(home, loaded.fingerprint)
        except FingerprintError as error:
            raise FingerprintError(f"{error} Here: encoder=RUN or FOLDER, which is {str(encoder)!r} now.") from None
        of = retrieval.run_of_index(home)
        corpora = {corpus.name: corpus for corpus in Run(of).corpora().values()} if of else {}
        return cls(index, loaded, folder, corpora, layout_of(index, seed, progress), home, home.resolve().name)

    def __len__(self) -> int:
        return len(self.index)

    def hear(self, probe: Probe) -> int:
        """Listens with ``probe`` to every row; in how many something else than before is heard."""
        vectors, parts = self.index.vectors(), []
        for start in range(0, len(self), _BLOCK):
            parts.append(verdicts(probe, np.array(vectors[start : start + _BLOCK])))
        best, severity, probability = (np.concatenate(part) for part in zip(*parts, strict=True))
        before = self.index.metadata.column("heard") if "heard" in self.index.metadata.column_names else None
        heard = pa.DictionaryArray.from_arrays(pa.array(best), pa.array(probe.classes)).cast(pa.string())
        with self._lock:
            self.probe = probe
            self.index = with_columns(
                self.index, heard=heard, heard_severity=pa.array(severity), heard_probability=pa.array(probability)
            )
            self._count_columns()
        return len(self) if before is None else int(pc.sum(pc.fill_null(pc.not_equal(before, heard), True)).as_py())

    def say(self, said: Mapping[int, RowLabel]) -> None:
        """What people said of rows, by their numbers; replaces what was said before."""
        label, decision = np.zeros(len(self), np.uint16), np.zeros(len(self), np.uint16)
        with self._lock:
            # A name keeps its code for as long as this runs: pages hold columns of different ages.
            self._names += sorted({one.label for one in said.values()} - {*self._names, ""})
            names = ["", *self._names]
            place = {name: n for n, name in enumerate(names)}
            for row, one in said.items():
                label[row], decision[row] = place[one.label], _DECISIONS.index(one.action)
            self.said = dict(said)
            own = {"label": coded("label", label, names), "decision": coded("decision", decision, _DECISIONS)}
            self.columns = self.columns | own

    def labels(self) -> list[str]:
        """Names that a row may be given: what the encoder knows, clean first, what occurs, what people named."""
        return list(dict.fromkeys([CLEAN, *self.encoder.labels, *self._occurring, *self._names]))

    def facts(self, row: int) -> dict[str, Any]:
        """The metadata of a row, as the index holds it; numbers that are none are missing."""
        return _finite(rows_at(self.index.metadata.slice(row, 1), np.zeros(1, np.int64))[0])

    def many_facts(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """:meth:`facts` of many rows at once."""
        return [_finite(facts) for facts in rows_at(self.index.metadata, np.asarray(rows, np.int64))]

    def found(self, row: int) -> SpanHit:
        """A row as a span."""
        facts, id = self.facts(row), int(self.index.ids[row])
        return SpanHit(id, 1.0, facts, facts["start"], facts["stop"], facts["sample_rate"], (id,))

    def shown(self, row: int, facts: Mapping[str, Any]) -> str:
        """The label of a row: what people said, else what is known, else what is heard; "" for nothing."""
        said = self.said.get(row)
        if said is not None and said.action != REJECT:
            return said.label
        return str(facts.get("artifact") or facts.get("heard") or "")

    def vector(self, row: int) -> np.ndarray:
        return np.array(self.index.vectors()[row])

    def beside(self, row: int) -> tuple[int | None, int | None]:
        """The windows before and after, in time, of the same recording."""
        before, after = int(self._before[row]), int(self._after[row])
        return (before if before >= 0 else None), (after if after >= 0 else None)

    def overlapping(self, row: int, start: int, stop: int) -> list[int]:
        """Windows of the recording of ``row`` that share samples with [start, stop) of it; ``row`` is always one."""
        starts, stops = self.index.metadata.column("start"), self.index.metadata.column("stop")
        found = [row]
        for way in (self._before, self._after):
            at = int(way[row])
            while at >= 0:
                first, last = starts[at].as_py(), stops[at].as_py()
                if first < stop and start < last:
                    found.append(at)
                elif (first >= stop) == (way is self._after):  # beyond the span, and going away from it
                    break
                at = int(way[at])
        return found

    def _count_columns(self) -> None:
        table = self.index.metadata
        labels = [CLEAN, *(self.probe.classes if self.probe else ())]
        kept = {name: column for name, column in self.columns.items() if name in ("label", "decision")}
        self.columns = columns_of(table, labels) | kept
        names = [name for name in ("artifact", "heard") if name in table.column_names]
        self._occurring = sorted({str(v) for n in names for v in pc.unique(table.column(n)).to_pylist() if v})


def verdicts(probe: Probe, vectors: np.ndarray) -> Verdicts:
    """Verdicts on windows [N, D]; their labels are numbers of the probe's classes."""
    return Verdicts.of(*probe.classify_batch(unit_rows(vectors), probe.fingerprint))


@functools.lru_cache(maxsize=4096)
def channels_of(path: Path) -> int | None:
    """Channels of a recording, or None where it cannot be read."""
    try:
        return audio.probe(path).channels
    except AudioError:
        return None


def _finite(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in facts.items()}
