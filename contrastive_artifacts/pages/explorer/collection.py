"""The rows that the explorer shows: an index with metadata, verdicts of the probe and user labels."""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ... import audio, embedding
from ...core.errors import AudioError, FingerprintError, ParameterError
from ...core.vectors import unit_rows
from ...data.corpora import Corpus
from ...probes import AnyProbe, load_any_probe, verdict_columns
from ...probes.label_sets import COLUMNS, names_of
from ...probes.labels import REJECT, RowLabel, shown_label
from ...probes.storage import PROBE_RECORD
from ...runs.run import Run
from ...search import retrieval
from ...search.index import Index, rows_at
from ...search.retrieval import Roots, SpanHit
from .columns import TIME, Column, coded, columns_of
from .layout import Layout, Progress, layout_of, silent
from .sample import sampled
from .tables import in_time, times, with_columns

CLEAN = "clean"
SILENCE = "silence"  # verdict on a row of digital silence, which is neither clean nor damaged
_SILENCE_S = 3.0  # of the digital silence that rows are compared with
CORRECTED = "relabelled"  # folder of the corrected probe and its encoder, inside that of the run or the index
ROW = "_row"  # column of the searched table: the number of the row
_VERDICT = ("heard", "present", "heard_severity", "heard_probability")
_DECISIONS = ("", "keep", "reject", "relabel")
_BLOCK = 1 << 16  # rows that are classified at a time


class Collection:
    """An index with its encoder, its map and, for rendered views, the corpora of their clean clips.

    Attributes that change are replaced as a whole, so that reading them needs no lock.

    Attributes:
        index: Its table has a column ROW and, if there is a probe, the columns ``heard`` (label), ``heard_severity``
            and ``heard_probability`` of the probe's verdicts.
        probe: Classifies the rows: the one that labels corrected, if that is in use, else the encoder's; None without.
        layout: Positions of the rows on the map.
        columns: Name -> column; those that can colour the map.
        user_labels: Row -> the user label in force.
        home: Folder of the run or the index, in which a retrained probe is saved.
        roots: Folders whose recordings and clips are opened.
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
        roots: Roots | None = None,
    ) -> None:
        retrieval.check_places(index)
        if not len(index):
            raise ParameterError(f"{index.location} has no rows; embed recordings first.")
        self.encoder, self.encoder_folder = encoder, encoder_folder
        self.corpora, self.layout = dict(corpora), layout
        self.home, self.title = home, title
        self.roots = roots or retrieval.roots_of(index.directory)
        corrected = _corrected_probe(self.home / CORRECTED, index.fingerprint)
        self.probe = corrected or encoder.probe
        self.index = self._embedded = with_columns(
            index, **{ROW: pa.array(np.arange(len(index))), TIME: times(index.metadata)}
        )
        self.user_labels: dict[int, RowLabel] = {}
        self.columns: dict[str, Column] = {}
        self._label_names: list[str] = []
        self._lock = threading.Lock()
        by_labels = None if corrected is None else self.with_verdicts(self.verdicts(corrected))
        self.adopt(self.probe, by_labels or self.encoder_verdicts())
        self.set_labels({})
        self._before, self._after = in_time(self.index.metadata)

    @classmethod
    def of_run(
        cls,
        directory: str | Path,
        seed: int = 0,
        progress: Progress = silent,
        roots: str | Sequence[str] | None = None,
    ) -> Collection:
        """Opens the views of a probed run.

        Args:
            directory: The run.
            seed: Of the map.
            progress: Shows the steps of the map.
            roots: Folders of the clips; see :func:`contrastive_artifacts.search.retrieval.roots_of`.

        Raises:
            StorageError: the folder holds no run, or the run was not probed.
            CorpusError: the run's corpus is missing.
        """
        home = Path(directory)
        folder = embedding.encoder_folder(home)
        encoder = embedding.load(folder)
        index = Index.open(home / "index", encoder.fingerprint)
        corpora = {corpus.name: corpus for corpus in Run(home).corpora().values()}
        layout, allowed = layout_of(index, seed, progress, _silence(encoder)), retrieval.roots_of(home, roots)
        return cls(index, encoder, folder, corpora, layout, home, home.resolve().name, allowed)

    @classmethod
    def of_index(
        cls,
        directory: str | Path,
        encoder: str | Path = "release",
        seed: int = 0,
        progress: Progress = silent,
        roots: str | Sequence[str] | None = None,
    ) -> Collection:
        """Opens the windows of recordings that scripts/embed.py indexed; of many, some at random: see :func:`sampled`.

        Args:
            directory: The index, or its address.
            encoder: The encoder that made it.
            seed: Of the map.
            progress: Shows the steps of the map.
            roots: Folders of the recordings; see :func:`contrastive_artifacts.search.retrieval.roots_of`.

        Raises:
            FingerprintError: the index was built with another encoder.
            StorageError: the index is missing or damaged.
        """
        folder = embedding.encoder_folder(encoder)
        pretrained = embedding.load(folder)
        try:
            index = Index.open(directory, pretrained.fingerprint)
        except FingerprintError as error:
            raise FingerprintError(f"{error} Give encoder=RUN or encoder=FOLDER; it is {str(encoder)!r} now.") from None
        run = retrieval.run_of_index(index.directory)
        corpora = {corpus.name: corpus for corpus in Run(run).corpora().values()} if run else {}
        part, allowed = sampled(index, seed), retrieval.roots_of(run or index.directory, roots)
        layout = layout_of(part, seed, progress, _silence(pretrained)).of_rows_among(len(index))
        return cls(part, pretrained, folder, corpora, layout, index.directory, index.name, allowed)

    def __len__(self) -> int:
        return len(self.index)

    def with_verdicts(self, columns: Mapping[str, Any]) -> Index:
        """The index with these columns of verdicts in place of all others."""
        return with_columns(self._embedded, **columns)

    def encoder_verdicts(self) -> Index:
        """The index with the verdicts of the encoder's own probe: those stored with it, else computed now."""
        probe, names = self.encoder.probe, self._embedded.metadata.column_names
        if "heard" not in names and probe is not None:
            return self.with_verdicts(self.verdicts(probe))
        stored = {name: self._embedded.metadata.column(name) for name in _VERDICT if name in names}
        return self.with_verdicts(self._silenced(stored))

    def verdicts(self, probe: AnyProbe) -> dict[str, pa.Array]:
        """The columns of a probe's verdicts on every row; nothing changes."""
        vectors, blocks = self.index.vectors(), []
        for start in range(0, len(self), _BLOCK):
            blocks.append(heard_columns(probe, np.array(vectors[start : start + _BLOCK])))
        return self._silenced({name: pa.concat_arrays([block[name] for block in blocks]) for name in blocks[0]})

    def _silenced(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """Columns of verdicts, in which rows of silence have the verdict "silence" and no figures."""
        quiet = self.layout.silent
        if not quiet.any():
            return dict(columns)
        empty = {"heard": SILENCE, "present": SILENCE, "heard_severity": None, "heard_probability": None}
        return {
            name: pc.if_else(pa.array(quiet), pa.scalar(empty[name], column.type), column) if name in empty else column
            for name, column in columns.items()
        }

    def adopt(self, probe: AnyProbe | None, index: Index) -> None:
        """Replaces the probe, and the index by one with that probe's verdicts."""
        with self._lock:
            self.probe, self.index = probe, index
            self._update_columns()

    def set_labels(self, user_labels: Mapping[int, RowLabel]) -> None:
        """Replaces all user labels.

        Args:
            user_labels: Row -> the label in force.
        """
        label, decision = np.zeros(len(self), np.uint16), np.zeros(len(self), np.uint16)
        with self._lock:
            # A name never changes its code while the process runs: open pages hold columns of different ages.
            used = {user_label.label for user_label in user_labels.values()}
            self._label_names += sorted(used - {*self._label_names, ""})
            names = ["", *self._label_names]
            code = {name: n for n, name in enumerate(names)}
            for row, user_label in user_labels.items():
                label[row], decision[row] = code[user_label.label], _DECISIONS.index(user_label.action)
            self.user_labels = dict(user_labels)
            self.columns = self.columns | {
                "label": coded("label", label, names),
                "decision": coded("decision", decision, _DECISIONS),
            }

    def labels(self) -> list[str]:
        """Names that a row may be given: clean, the encoder's labels, names that occur, names of the users."""
        of_users = [name for label in self._label_names for name in names_of(label)]
        return list(dict.fromkeys([CLEAN, *self.encoder.labels, *self._occurring, *of_users]))

    def facts(self, row: int) -> dict[str, Any]:
        """The metadata of a row; NaN and infinity become None."""
        return _finite(rows_at(self.index.metadata.slice(row, 1), np.zeros(1, np.int64))[0])

    def many_facts(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """:meth:`facts` of many rows."""
        return [_finite(facts) for facts in rows_at(self.index.metadata, np.asarray(rows, np.int64))]

    def span(self, row: int) -> SpanHit:
        """A row as a hit of score 1."""
        return self.spans([row])[0]

    def spans(self, rows: Sequence[int]) -> list[SpanHit]:
        """:meth:`span` of many rows."""
        pairs = [(int(self.index.ids[row]), facts) for row, facts in zip(rows, self.many_facts(rows), strict=True)]
        return [
            SpanHit(id, 1.0, facts, facts["start"], facts["stop"], facts["sample_rate"], (id,)) for id, facts in pairs
        ]

    def label_of(self, row: int, facts: Mapping[str, Any]) -> str:
        """The label of a row: the user label, else the rendered artifact, else what the probe found; "" for none."""
        user_label = self.user_labels.get(row)
        if user_label is not None and user_label.action != REJECT:
            return user_label.label
        return shown_label(facts)

    def vector(self, row: int) -> np.ndarray:
        """Embedding of a row, float32 [D]."""
        return np.array(self.index.vectors()[row])

    def adjacent(self, row: int) -> tuple[int | None, int | None]:
        """The previous and the next window of the same recording, in time."""
        before, after = int(self._before[row]), int(self._after[row])
        return (before if before >= 0 else None), (after if after >= 0 else None)

    def overlapping(self, row: int, start: int, stop: int) -> list[int]:
        """``row``, and all windows of its recording that overlap the samples [start, stop)."""
        starts, stops = self.index.metadata.column("start"), self.index.metadata.column("stop")
        rows = [row]
        for next_row in (self._before, self._after):
            at = int(next_row[row])
            while at >= 0:
                first, last = starts[at].as_py(), stops[at].as_py()
                if first < stop and start < last:
                    rows.append(at)
                elif (first >= stop) == (next_row is self._after):  # outside the span and moving away from it
                    break
                at = int(next_row[at])
        return rows

    def _update_columns(self) -> None:
        table = self.index.metadata
        labels = [CLEAN, *(self.probe.classes if self.probe else ())]
        user_columns = {name: column for name, column in self.columns.items() if name in ("label", "decision")}
        self.columns = columns_of(table, labels) | user_columns
        names = [name for name in COLUMNS if name in table.column_names]
        occurring = {str(v) for name in names for v in pc.unique(table.column(name)).to_pylist() if v}
        self._occurring = sorted({name for label in occurring for name in names_of(label)})


def _corrected_probe(folder: Path, fingerprint: str) -> AnyProbe | None:
    """The probe that labels corrected; None without one, or if another encoder made the rows since.

    Raises:
        StorageError: the saved probe is damaged; its folder can be deleted.
    """
    if not (folder / PROBE_RECORD).exists():
        return None
    with suppress(FingerprintError):
        return load_any_probe(folder, fingerprint)
    return None


def _silence(encoder: embedding.PretrainedEncoder) -> np.ndarray:
    """Embedding of digital silence, float32 [D]."""
    rate = 16_000
    return np.asarray(encoder.embed((np.zeros((1, round(_SILENCE_S * rate)), np.float32), rate)).clip)


def heard_columns(probe: AnyProbe, vectors: np.ndarray) -> dict[str, pa.Array]:
    """The verdicts on windows [N, D] as columns."""
    return verdict_columns(probe, probe.classes, *probe.classify_batch(unit_rows(vectors), probe.fingerprint))


@functools.lru_cache(maxsize=4096)
def channels_of(path: Path, stream: int | None) -> int | None:
    """Number of channels of an audio stream of a recording; None if it cannot be read."""
    try:
        return audio.probe(path, stream).channels
    except AudioError:
        return None


def _finite(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in facts.items()}
