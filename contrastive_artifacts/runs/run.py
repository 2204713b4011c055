"""A run: one directory that holds a configuration and everything made from it.

Pretraining writes ``config.json``, ``encoder/``, its log and its checkpoint; probing adds the probe to ``encoder/``,
``tables/{h,z}.parquet``, ``index/`` and ``metrics.json``, with a frame head also ``frames.json``.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from ..core import files
from ..core.errors import ParameterError, StorageError
from ..data.corpora import Clip, Corpus
from ..embedding.context import ContextEmbedder
from ..embedding.embedder import Embedder, WindowEmbedder
from ..embedding.opening import open_embedder
from ..embedding.table import table_vectors, write_table
from ..models.encoder import Encoder
from ..probes import Embedded, Probe
from ..probes.labels import RowLabel, apply_labels, read_labels
from ..search.index import Index
from ..training import Pretraining, Result
from .measure import embed_views, localise, measure
from .sections import check_pretraining, encoder_settings, make_backbone, trainer_settings, view_changes
from .sections import make_corpus as make_corpus
from .sections import make_splits as make_splits
from .sections import make_stages as make_stages
from .sections import view_settings as view_settings
from .typed import settings as settings

logger = logging.getLogger("contrastive_artifacts")


def pretrain(config: dict[str, Any], directory: str | Path) -> Result:
    """Pretrains as configured, or resumes; the configuration has the sections of ``configs/pretrain.yaml``."""
    check_pretraining(config)
    trainer = trainer_settings(config)
    corpus = make_corpus(config["corpus"])
    splits = make_splits(corpus, config["split"])
    if "OMP_NUM_THREADS" not in os.environ:  # more threads than cores make each step many times slower
        torch.set_num_threads(max(1, (os.cpu_count() or 1) - trainer.workers))
    torch.manual_seed(trainer.seed)
    encoder = Encoder(make_backbone(config["backbone"]), encoder_settings(config))
    stages = make_stages(config, encoder.sample_rate)
    return Pretraining(encoder, corpus, splits, stages, trainer, directory, config).fit()


def corpora_of(directory: str | Path) -> dict[str, Corpus]:
    """Side (column ``split`` of the tables of a probed run) -> the corpus that its views come from."""
    own = make_corpus(files.read_json(Path(directory) / "config.json")["corpus"])
    unseen = files.read_json(Path(directory) / "probing.json")["unseen"]
    return {"train": own, "test": own} | {
        name: make_corpus(section, f"unseen.{name}") for name, section in unseen.items()
    }


def probe(
    directory: str | Path,
    unseen: Mapping[str, dict[str, Any]],
    probes: Sequence[str],
    duration_s: float,
    draws: int,
    bootstrap: int,
    seed: int,
    labels: str | Path | None = None,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Probes the encoder of a run and writes into the run what it finds.

    Args:
        directory: The run.
        unseen: Name -> corpus section; each is measured whole, as a corpus that nothing was fitted on.
        probes: Trained probes beside kNN: "linear", "mlp".
        duration_s: Length of the views in seconds.
        draws: Views per clip and state.
        bootstrap: Resamples of the sources for the intervals.
        seed: Of the views; not the one of training.
        labels: What people said of rows (a file that the explorer exported, or its journal): training rows are
            relabelled or left out before probes are fitted. What judges, the tables and the index stay as they are.

    Returns:
        ``{space: {side: figures}}`` for the sides ``test`` and each unseen corpus.

    Raises:
        StorageError: the directory holds no run, its corpus is no longer the same, or the file holds no labels.
    """
    directory = Path(directory)
    said = [] if labels is None else read_labels(labels)
    embedder = open_embedder(directory / "encoder")
    tables = _embed_run(directory, embedder, unseen, duration_s, draws, seed)
    for space, table in tables.items():
        write_table(directory / "tables" / f"{space}.parquet", table)
    about: dict[str, Any] = {"unseen": dict(unseen), "duration_s": duration_s, "draws": draws, "seed": seed}
    told, about["labels"] = (tables, None) if labels is None else _labelled(tables, said, labels)
    files.write_json(directory / "probing.json", about)
    figures = measure(told, probes, bootstrap, seed)
    files.write_json(directory / "metrics.json", figures)
    if isinstance(embedder, WindowEmbedder) and embedder.encoder.frames is not None:
        files.write_json(directory / "frames.json", _localise_run(directory, embedder.encoder, unseen, seed, draws))
    Probe.fit(Embedded.from_table(told["h"], "train"), embedder.fingerprint).save(directory / "encoder")
    facts = tables["h"].drop_columns(["embedding"])
    Index.build(table_vectors(tables["h"]), facts, directory / "index", fingerprint=embedder.fingerprint)
    return figures


def export(
    directory: str | Path, target: str | Path, duration_s: float, draws: int, seed: int, same_as: str | None = None
) -> str:
    """Writes the encoder of a run in half precision with a probe of its own into ``target``; returns its fingerprint.

    An encoder under a context module is written as it is, module and all: the module was trained on just its patches.

    The probe is fitted on every source of the run, held-out ones included: what is given out is to know all there is,
    and its figures are those that :func:`probe` measured before. ``same_as``: see :meth:`.ContextEmbedder.save`.
    """
    trained = open_embedder(Path(directory) / "encoder")
    if isinstance(trained, ContextEmbedder):
        trained.save(target, same_as)
    elif same_as is not None:
        raise ParameterError(f"same_as={same_as!r}: only a run with a context module can refer to another encoder.")
    else:
        trained.encoder.save(target, half=True)
    embedder = open_embedder(target)
    table = _embed_run(Path(directory), embedder, {}, duration_s, draws, seed)["h"]
    Probe.fit(Embedded.from_table(table), embedder.fingerprint).save(target)
    return embedder.fingerprint


def _labelled(
    tables: Mapping[str, pa.Table], said: Sequence[RowLabel], path: str | Path
) -> tuple[dict[str, pa.Table], dict[str, Any]]:
    """The tables as labels change their training side, and what became of the labels, for the record."""
    changed = {space: apply_labels(table, said) for space, table in tables.items()}
    applied = next(iter(changed.values()))[1]
    if applied.unmatched:
        first = applied.unmatched[0].address
        logger.warning(
            "%d of %d labels in %s are of sounds that are not in this run; the first: %s of %s, %s, samples %d to %d. "
            "Probe with the seed, draws and duration_s of the probing whose views were labelled.",
            len(applied.unmatched), len(said), path, first["artifact"] or "a recording", first["corpus"], first["clip"],
            first["start"], first["stop"],
        )  # fmt: skip
    facts = {**dataclasses.asdict(applied), "unmatched": len(applied.unmatched), "file": str(path)}
    return {space: table for space, (table, _) in changed.items()}, facts


def _embed_run(
    directory: Path,
    embedder: Embedder[Any],
    unseen: Mapping[str, dict[str, Any]],
    duration_s: float,
    draws: int,
    seed: int,
) -> dict[str, pa.Table]:
    """Tables of the run's training and test sides and of the unseen corpora."""
    config = files.read_json(directory / "config.json")
    sides = _sides(directory, config, unseen)
    return embed_views(embedder, sides, view_settings(config, embedder.sample_rate, duration_s), seed, draws)


def _localise_run(
    directory: Path, encoder: Encoder, unseen: Mapping[str, dict[str, Any]], seed: int, draws: int
) -> dict[str, dict[str, Any]]:
    """Side -> figures of the frame head, on views as long as its windows."""
    config = files.read_json(directory / "config.json")
    views = dataclasses.replace(
        view_settings(config, encoder.sample_rate, encoder.settings.window_s), **view_changes(config.get("views"))
    )
    sides = _sides(directory, config, unseen)
    return {
        side: localise(encoder, corpus, clips, views, seed, draws)
        for side, (corpus, clips) in sides.items()
        if side != "train"
    }


def _sides(
    directory: Path, config: dict[str, Any], unseen: Mapping[str, dict[str, Any]]
) -> dict[str, tuple[Corpus, Sequence[Clip]]]:
    """The run's training and test sides and the unseen corpora.

    Raises:
        StorageError: the run's corpus is no longer the same.
    """
    corpus = make_corpus(config["corpus"])
    if config["corpus_fingerprint"] != corpus.fingerprint:
        raise StorageError(f"The corpus of {directory} has changed since pretraining; its split would be another one.")
    splits = make_splits(corpus, config["split"])
    test = splits.get("test", splits["validation"])  # a run for release keeps no test side: validation is looked at
    sides: dict[str, tuple[Corpus, Sequence[Clip]]] = {"train": (corpus, splits["train"]), "test": (corpus, test)}
    others = {name: make_corpus(section, f"unseen.{name}") for name, section in unseen.items()}
    return sides | {name: (other, other.clips) for name, other in others.items()}
