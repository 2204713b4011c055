"""Probing: views embedded to a table, probes fitted on one side of the split by source and measured on the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from rich.progress import track

from .corpora import Clip, Corpus
from .embedding import make_table, view_row
from .probes import Embedded, evaluate
from .views import View, ViewSettings, evaluation_views

BATCH = 28


class ViewEmbedder(Protocol):
    """Anything that turns finished views into vectors: an encoder in use, or a baseline."""

    fingerprint: str

    @property
    def sample_rate(self) -> int: ...

    def view_vectors(self, waveforms: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Waveforms [T] at ``sample_rate`` -> ``{space: float32 [N, D]}``."""


def embed_views(
    model: ViewEmbedder,
    sides: Mapping[str, tuple[Corpus, Sequence[Clip]]],
    settings: ViewSettings,
    seed: int,
    draws: int,
) -> dict[str, pa.Table]:
    """Every clip of every side in every state, ``draws`` times, as one embedding table per space.

    Args:
        sides: Name of the side (column ``split``) -> corpus and clips.
        settings: Its sample rate must be the model's.
        seed: Of the views; the same seed gives the same table.
    """
    rows: list[dict[str, Any]] = []
    parts: dict[str, list[np.ndarray]] = {}
    for side, (corpus, clips) in sides.items():
        total = len(clips) * draws * len(settings.states)
        views = evaluation_views(corpus, clips, settings, seed, draws)
        shown = track(_batched(views, BATCH), f"embed {corpus.name}/{side}", total=-(-total // BATCH), transient=True)
        for batch in shown:
            for space, vectors in model.view_vectors([view.waveform for view in batch]).items():
                parts.setdefault(space, []).append(vectors)
            rows += [view_row(view, settings.states, corpus.name, side, settings.duration_s) for view in batch]
    return {space: make_table(rows, np.concatenate(v), model.fingerprint, space) for space, v in parts.items()}


def measure(
    tables: Mapping[str, pa.Table], probes: Sequence[str], bootstrap: int, seed: int = 0
) -> dict[str, dict[str, dict[str, Any]]]:
    """``{space: {side: figures}}``: probes fitted on side ``train``, figures of every other side.

    See :func:`contrastive_artifacts.probes.evaluate` for the figures.
    """
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    for space, table in tables.items():
        train = Embedded.from_table(table, "train")
        sides = [side for side in dict.fromkeys(table.column("split").to_pylist()) if side != "train"]
        figures[space] = {
            side: evaluate(train, Embedded.from_table(table, side), probes, bootstrap, seed) for side in sides
        }
    return figures


def summary(figures: Mapping[str, Any], probe: str = "linear") -> dict[str, float | None]:
    """The handful of figures that a table of results shows, from those of one space and side."""
    kind, binary = figures["type"], figures["binary"]
    return {
        "linear macro-F1": kind[probe]["macro_f1"]["value"],
        "kNN5 macro-F1": kind["knn5"]["macro_f1"]["value"],
        "binary macro-F1": binary[probe]["macro_f1"]["value"],
        "clean recall": kind[probe]["clean_recall"]["value"],
        "P@10": figures["retrieval"]["p_at_10"]["value"],
        "leak": figures["leakage"]["value"],
        "severity rho": figures["severity"]["mean"]["value"],
        "ECE": kind[probe]["ece"]["value"],
    }


def _batched(views: Iterator[View], size: int) -> Iterator[list[View]]:
    while batch := list(islice(views, size)):
        yield batch
