"""A run: one directory that holds a configuration and everything made from it.

Pretraining writes ``config.json``, ``encoder/``, its log and its checkpoint; probing adds the probe to ``encoder/``,
``tables/{h,z}.parquet``, ``index/``, ``roots.json``, ``probing.json`` and ``metrics.json``, with a frame head also
``frames.json``.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from scipy.special import softmax

from ..core import files
from ..core.errors import StorageError
from ..core.lock import locked
from ..core.typed import mapping
from ..data.corpora import Clip, Corpus
from ..embedding import ContextEmbedder, Embedder, FigureEmbedder, WindowEmbedder, open_embedder
from ..embedding.table import table_vectors, write_table
from ..models.encoder import Encoder
from ..probes import Embedded, Outcomes, Probe
from ..probes.labels import RowLabel, apply_labels, read_labels
from ..probes.outcomes import DrawOutcomes
from ..search.index import Index
from ..search.retrieval import record_roots
from ..training import Pretraining, Result, distributed
from ..training.log import Judged
from .corpus_sections import make_corpora, make_corpus, make_splits
from .measure import embed_views, localise, measure
from .sections import (
    check_pretraining,
    encoder_settings,
    make_backbone,
    make_stages,
    trainer_settings,
    view_changes,
    view_settings,
)

Sides = dict[str, tuple[Corpus, Sequence[Clip]]]
Unseen = Mapping[str, Mapping[str, Any]]  # name -> corpus section
logger = logging.getLogger("contrastive_artifacts")


def pretrain(config: dict[str, Any], directory: str | Path, draw: DrawOutcomes | None = None) -> Result:
    """Pretrains as configured, or resumes.

    Under torchrun, several processes train together, see :mod:`..training.distributed`.

    Args:
        config: The sections of ``configs/pretrain.yaml``.
        directory: The run.
        draw: Gives names and matplotlib figures of what the heads say of the validation views, for TensorBoard, which
            shows losses alone where it is None.

    Raises:
        ParameterError: a setting that does not exist or is out of range.
        StorageError: another process is working on the run, or it cannot be written.
        TrainingError: the directory holds something else, or the loss is no longer finite.
    """
    check_pretraining(config)
    with (
        distributed.group(trainer_settings(config).device),
        locked(directory, "pretraining") if distributed.is_first() else nullcontext(),
    ):
        return _pretrain(config, directory, draw)


def _pretrain(config: dict[str, Any], directory: str | Path, draw: DrawOutcomes | None) -> Result:
    trainer = trainer_settings(config)
    corpus = make_corpus(config["corpus"])
    splits = make_splits(corpus, config["split"])
    if "OMP_NUM_THREADS" not in os.environ:  # more threads than cores make each step many times slower
        torch.set_num_threads(max(1, (os.cpu_count() or 1) - trainer.workers))
    torch.manual_seed(trainer.seed)
    encoder = Encoder(make_backbone(config["backbone"]), encoder_settings(config))
    states = np.array(encoder.settings.states)

    def figures(views: Judged) -> Iterable[tuple[str, Any]]:
        assert draw is not None
        chances = softmax(views.logits, axis=1)
        names = states[views.states]
        return draw(
            Outcomes.of_one_label(encoder.settings.states, chances, views.estimates, names, views.severities, views.h)
        )

    stages, shown = make_stages(config), None if draw is None else figures
    record = {key: section for key, section in config.items() if key != "plots"}
    return Pretraining(encoder, corpus, splits, stages, trainer, directory, record, shown).fit()


class _Record(dict[str, Any]):
    """The object in a JSON file; looking up a key that it lacks is a StorageError with the name of the file."""

    def __init__(self, path: Path, what: str) -> None:
        record = files.read_json(path)
        if not isinstance(record, dict):
            raise StorageError(f"{path} does not describe {what}: it holds {type(record).__name__}; restore the file.")
        super().__init__(record)
        self.path, self.what = path, what

    def __missing__(self, key: str) -> Any:
        raise StorageError(f"{self.path} does not describe {self.what}: it lacks {key!r}; restore the file.")


class Run:
    """A run directory of :func:`pretrain` or of a context training; configuration and corpus are read once.

    Args:
        directory: The run.

    Raises:
        StorageError: the directory holds no run.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        if not (self.directory / "config.json").exists():
            raise StorageError(f"{self.directory} holds no run (no config.json); give the directory of a pretraining.")
        self.config: dict[str, Any] = _Record(self.directory / "config.json", "a run")

    @cached_property
    def corpus(self) -> Corpus:
        """The corpus that the run was trained on."""
        return make_corpus(self.config["corpus"])

    @cached_property
    def splits(self) -> dict[str, list[Clip]]:
        """The clips of each side, as in training.

        Raises:
            StorageError: the corpus is no longer the same.
        """
        if self.config["corpus_fingerprint"] != self.corpus.fingerprint:
            raise StorageError(
                f"The corpus of {self.directory} has changed since pretraining; its split would be another one."
            )
        return make_splits(self.corpus, self.config["split"])

    def embedder(self) -> WindowEmbedder | ContextEmbedder | FigureEmbedder:
        """What the run has trained, its context module included."""
        return open_embedder(self.directory / "encoder")

    def corpora(self) -> dict[str, Corpus]:
        """Side (column ``split`` of the tables of a probed run) -> the corpus that its views come from.

        Raises:
            StorageError: the run was not probed.
        """
        unseen = _Record(self.directory / "probing.json", "a probing")["unseen"]
        return {"train": self.corpus, "test": self.corpus, **make_corpora(mapping(unseen, "unseen"), "unseen")}

    def sides(self, unseen: Mapping[str, Corpus]) -> Sides:
        """The training and test sides of the run, and unseen corpora as they are.

        A run for release keeps no test side; then the validation side, which chose the best step, is measured.

        Raises:
            StorageError: the run's corpus is no longer the same.
        """
        test = self.splits.get("test", self.splits["validation"])
        sides: Sides = {"train": (self.corpus, self.splits["train"]), "test": (self.corpus, test)}
        return sides | {name: (corpus, corpus.clips) for name, corpus in unseen.items()}

    def probe(
        self,
        unseen: Unseen,
        probes: Sequence[str],
        duration_s: float,
        draws: int,
        bootstrap: int,
        seed: int,
        labels: str | Path | None = None,
    ) -> dict[str, dict[str, dict[str, Any]]]:
        """Probes the encoder and writes probe, tables, index and figures into the run.

        Args:
            unseen: Name -> corpus section; each is measured whole, as a corpus that nothing was fitted on.
            probes: Trained probes beside kNN: "linear", "mlp".
            duration_s: Length of the views in seconds.
            draws: Views per clip and state.
            bootstrap: Resamples of the sources for the intervals.
            seed: Of the views; not the one of training.
            labels: A file of user labels (an export of the explorer, or its journal): training rows are relabelled or
                left out before probes are fitted. Test rows, tables and the index stay as they are.

        Returns:
            ``{space: {side: figures}}`` for the sides ``test`` and each unseen corpus.

        Raises:
            StorageError: the run's corpus is no longer the same, the file holds no labels, or another process is
                working on the run.
        """
        with locked(self.directory, "probing"):
            files.remove_abandoned(self.directory / "tables")
            user_labels = [] if labels is None else read_labels(labels)
            embedder, sides = self.embedder(), self.sides(make_corpora(unseen, "unseen"))
            tables = self._embed(embedder, sides, duration_s, draws, seed)
            for space, table in tables.items():
                write_table(self.directory / "tables" / f"{space}.parquet", table)
            record: dict[str, Any] = {"unseen": dict(unseen), "duration_s": duration_s, "draws": draws, "seed": seed}
            labelled, record["labels"] = (tables, None) if labels is None else _labelled(tables, user_labels, labels)
            files.write_json(self.directory / "probing.json", record)
            figures = measure(labelled, probes, bootstrap, seed)
            files.write_json(self.directory / "metrics.json", figures)
            if isinstance(embedder, WindowEmbedder) and embedder.encoder.frames is not None:
                frames = self._localise(embedder.encoder, sides, seed, draws)
                files.write_json(self.directory / "frames.json", frames)
            train = Embedded.from_table(labelled["h"], "train")
            Probe.fit(train, embedder.fingerprint).save(self.directory / "encoder")
            metadata = tables["h"].drop_columns(["embedding"])
            vectors = table_vectors(tables["h"])
            Index.build(vectors, metadata, self.directory / "index", fingerprint=embedder.fingerprint)
            clips = [clip for _, clips_of_side in sides.values() for clip in clips_of_side]
            record_roots(self.directory, {clip.path.resolve() for clip in clips if clip.path})
            return figures

    def export(self, target: str | Path, duration_s: float, draws: int, seed: int) -> str:
        """Writes the encoder in half precision with a probe of its own into ``target``; returns its fingerprint.

        An encoder under a context module is written in full precision with the module, which was trained on exactly
        these patches. The probe is fitted on every source of the run, held-out ones included: users get all that is
        known, and the figures are those that :meth:`probe` measured before.

        Args:
            target: The folder.
            duration_s: Length in seconds of the views that the probe is fitted on.
            draws: Views per clip and state.
            seed: Of the views.

        Raises:
            StorageError: the run's corpus is no longer the same, the target is the encoder of the run itself, or
                another process is writing it.
        """
        trained = self.embedder()
        if Path(target).resolve() in (self.directory.resolve(), (self.directory / "encoder").resolve()):
            raise StorageError(
                f"{target} holds the trained encoder itself, which is not replaced; give another folder."
            )
        with locked(target, "exporting"):
            if isinstance(trained, ContextEmbedder):
                trained.save(target)
            else:
                trained.encoder.save(target, half=True)
            embedder = open_embedder(target)
            table = self._embed(embedder, self.sides({}), duration_s, draws, seed)["h"]
            Probe.fit(Embedded.from_table(table), embedder.fingerprint).save(target)
        return embedder.fingerprint

    def _embed(
        self, embedder: Embedder[Any], sides: Sides, duration_s: float, draws: int, seed: int
    ) -> dict[str, pa.Table]:
        settings = view_settings(self.config, embedder.sample_rate, duration_s)
        return embed_views(embedder, sides, settings, seed, draws)

    def _localise(self, encoder: Encoder, sides: Sides, seed: int, draws: int) -> dict[str, dict[str, Any]]:
        """Side -> figures of the frame head, on views as long as its windows."""
        settings = view_settings(self.config, encoder.sample_rate, encoder.settings.window_s)
        settings = dataclasses.replace(settings, **view_changes(self.config.get("views")))
        return {
            side: localise(encoder, corpus, clips, settings, seed, draws)
            for side, (corpus, clips) in sides.items()
            if side != "train"
        }


def _labelled(
    tables: Mapping[str, pa.Table], labels: Sequence[RowLabel], path: str | Path
) -> tuple[dict[str, pa.Table], dict[str, Any]]:
    """The tables with user labels applied to their training rows, and counts of what was applied, for the record."""
    changed = {space: apply_labels(table, labels) for space, table in tables.items()}
    applied = next(iter(changed.values()))[1]
    if applied.unmatched:
        first = applied.unmatched[0].address
        logger.warning(
            "%d of %d labels in %s belong to rows that are not in this run; the first: %s of %s, %s, samples %d to %d. "
            "Probe with the seed, draws and duration_s of the probing whose views were labelled.",
            len(applied.unmatched), len(labels), path, first["artifact"] or "a recording", first["corpus"],
            first["clip"], first["start"], first["stop"],
        )  # fmt: skip
    record = {**dataclasses.asdict(applied), "unmatched": len(applied.unmatched), "file": str(path)}
    return {space: table for space, (table, _) in changed.items()}, record
