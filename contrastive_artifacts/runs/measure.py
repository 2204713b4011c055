"""Measuring an encoder: views are embedded to a table, probes are fitted on one split and measured on the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import torch

from ..core.console import track
from ..core.errors import ParameterError
from ..data.corpora import Clip, Corpus
from ..data.views import View, ViewSettings, evaluation_views, stack
from ..embedding.table import make_table, view_row
from ..models.detail import DetailFigures
from ..models.encoder import Encoder
from ..models.objectives import frame_targets
from ..probes import Embedded, evaluate, localisation

BATCH = 28


class ViewEmbedder(Protocol):
    """Computes vectors of views: an encoder, or a baseline."""

    fingerprint: str

    @property
    def sample_rate(self) -> int: ...

    @property
    def wants_native(self) -> bool:
        """Whether it needs the waveforms before resampling, too."""

    def view_vectors(
        self, waveforms: Sequence[np.ndarray], natives: Sequence[tuple[np.ndarray, int]] | None = None
    ) -> dict[str, np.ndarray]:
        """Waveforms [T] at ``sample_rate``, natives [T'] each with its rate -> ``{space: float32 [N, D]}``."""


def embed_views(
    model: ViewEmbedder,
    sides: Mapping[str, tuple[Corpus, Sequence[Clip]]],
    settings: ViewSettings,
    seed: int,
    draws: int,
) -> dict[str, pa.Table]:
    """Embeds every clip of every side in every state, ``draws`` times: one embedding table per space.

    Args:
        sides: Name of the split (column ``split``) -> corpus and clips.
        settings: Its sample rate must be that of the model.
        seed: Of the views; the same seed gives the same table.
    """
    rows: list[dict[str, Any]] = []
    parts: dict[str, list[np.ndarray]] = {}
    settings = dataclasses.replace(settings, native=model.wants_native)
    for side, (corpus, clips) in sides.items():
        total = len(clips) * draws * len(settings.states)
        views = evaluation_views(corpus, clips, settings, seed, draws)
        shown = track(_batched(views, BATCH), f"embed {corpus.name}/{side}", total=-(-total // BATCH))
        for batch in shown:
            natives = [
                (view.native_waveform, view.native_rate) for view in batch if view.native_waveform is not None
            ] or None
            for space, vectors in model.view_vectors([view.waveform for view in batch], natives).items():
                parts.setdefault(space, []).append(vectors)
            rows += [view_row(view, settings.states, corpus.name, side, settings.duration_s) for view in batch]
    return {space: make_table(rows, np.concatenate(v), model.fingerprint, space) for space, v in parts.items()}


def measure(
    tables: Mapping[str, pa.Table], probes: Sequence[str], bootstrap: int, seed: int = 0
) -> dict[str, dict[str, dict[str, Any]]]:
    """``{space: {side: figures}}``: probes are fitted on side ``train``, figures are those of every other side.

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


def localise(
    encoder: Encoder, corpus: Corpus, clips: Sequence[Clip], settings: ViewSettings, seed: int, draws: int = 1
) -> dict[str, Any]:
    """Localisation by the frame head, on views whose artifacts all lie in a span.

    Args:
        settings: Its sample rate must be that of the encoder; ``spliced`` is set to 1.

    Returns:
        The figures of :func:`.probes.localisation`.

    Raises:
        ParameterError: the encoder has no frame head.
    """
    if encoder.frames is None:
        raise ParameterError("This encoder has no frame head; pretrain it with encoder.frame_hop_s > 0.")
    hop_s, states = encoder.settings.frame_hop_s, encoder.settings.states
    settings = dataclasses.replace(settings, spliced=1.0, native=encoder.settings.native)
    views = evaluation_views(corpus, clips, settings, seed, draws)
    probabilities, targets, spans = [], [], []
    for batch in _batched(views, BATCH):
        inputs = stack(batch)
        detail = None if inputs.detail is None else DetailFigures(*map(torch.from_numpy, inputs.detail))
        with torch.inference_mode():
            scores = encoder.eval()(torch.from_numpy(inputs.waveforms), detail).frame_probabilities
        touched = torch.tensor([view.span for view in batch])
        kinds = torch.tensor([view.state for view in batch])
        frame_samples = hop_s * encoder.sample_rate
        targets.append(frame_targets(kinds, touched, scores.shape[1], frame_samples, len(states)).numpy())
        probabilities.append(scores.numpy())
        spans.append(touched.numpy() / encoder.sample_rate)
    return localisation(np.concatenate(probabilities), np.concatenate(targets), np.concatenate(spans), hop_s, states)


def summary(figures: Mapping[str, Any], probe: str = "linear") -> dict[str, float | None]:
    """The main figures of one space and side, by the column names of result tables."""
    kind, binary = figures["type"], figures["binary"]
    return {
        "linear macro-F1": kind[probe]["macro_f1"]["value"],
        "kNN5 macro-F1": kind["knn5"]["macro_f1"]["value"],
        "binary macro-F1": binary[probe]["macro_f1"]["value"],
        "clean recall": kind[probe]["clean_recall"]["value"],
        "P@10": figures["retrieval"]["p_at_10"]["value"],
        "mAP@100": figures["retrieval"]["map_at_100"]["value"],
        "leak": figures["leakage"]["value"],
        "source@10": figures["hit_leakage"]["source_at_10"]["value"],
        "sound class@10": figures["hit_leakage"]["category_at_10"]["value"],
        "severity rho": figures["severity"]["mean"]["value"],
        "ECE": kind[probe]["ece"]["value"],
    }


def _batched(views: Iterator[View], size: int) -> Iterator[list[View]]:
    while batch := list(islice(views, size)):
        yield batch
