"""Batches of views: S sources times K states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np

from ...core import seeding
from ...core.errors import CorpusError, ParameterError
from ...models.detail import DetailFigures, numpy_detail
from ..corpora import Clip, Corpus
from .cache import ClipCache
from .rendering import View, render_views
from .settings import ViewSettings
from .sources import augment, lower_rate


class Batch(NamedTuple):
    """Finished views of S sources times K states, source by source."""

    waveforms: np.ndarray  # float32 [S * K, T]
    states: np.ndarray  # int64 [S * K], index into ViewSettings.states
    severities: np.ndarray  # float32 [S * K], 0 for clean
    sources: np.ndarray  # int64 [S * K], equal where the source is
    spans: np.ndarray  # int64 [S * K, 2], [onset, offset) of the artifact in samples; equal where there is none
    detail: DetailFigures[np.ndarray] | None = None  # of the views at their native rates; see ViewSettings.native

    def parts(self, count: int) -> list[Batch]:
        """The views in ``count`` equal parts, one after another."""
        edges = np.linspace(0, len(self.states), count + 1).astype(int)
        return [self._rows(slice(*edge)) for edge in pairwise(edges)]

    def _rows(self, rows: slice) -> Batch:
        detail = None if self.detail is None else DetailFigures(*(part[rows] for part in self.detail))
        waveforms, severities = self.waveforms[rows], self.severities[rows]
        return Batch(waveforms, self.states[rows], severities, self.sources[rows], self.spans[rows], detail)


class TrainingBatches:
    """The batch of every training step, a pure function of (seed, step): map-style data for a ``DataLoader``.

    Sources come in a new random order each epoch. A clip is skipped if it cannot be read or if the batch already holds
    its source. A corpus of fewer than S sources gives smaller batches,
    or with several parts an error.

    Args:
        corpus: Where the clips are loaded from.
        clips: Clips to draw from.
        settings: How views are made.
        sources: Sources per batch, S >= 2; every batch has ``S * len(settings.states)`` views.
        steps: Number of batches.
        seed: Seed of the order and of everything that is drawn.
        cache: Cache of another ``TrainingBatches`` over the same corpus, to be shared; default: a new one.
        part, parts: Only the sources of this part of each batch are rendered, of so many equal parts; the parts one
            after another are the whole batch.

    Raises:
        ParameterError: ``sources`` is below 2, or cannot be divided into the parts.
        CorpusError: fewer than two sources can be read (raised when a batch is made).
    """

    def __init__(
        self, corpus: Corpus, clips: Sequence[Clip], settings: ViewSettings, sources: int, steps: int, seed: int,
        cache: ClipCache | None = None, part: int = 0, parts: int = 1,
    ) -> None:  # fmt: skip
        if sources < 2:
            raise ParameterError(
                f"A batch needs at least 2 sources, so that positives differ in source; got {sources}."
            )
        if sources % parts:
            raise ParameterError(f"{sources} sources per batch cannot be divided by {parts} processes; change one.")
        self.corpus, self.clips, self.settings = corpus, tuple(clips), settings
        self.part, self.parts = part, parts
        self.sources, self.steps, self.seed = sources, steps, seed
        self.cache = ClipCache(corpus) if cache is None else cache

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Batch:
        views: list[View] = []
        share, count = self.sources // self.parts, 0
        for clip, loaded in self._clips_from(step * self.sources):
            count += 1
            if (count - 1) // share != self.part:
                if count == self.sources:
                    break
                continue
            rng = seeding.generator(self.seed, "vary", step, clip.id)
            other = self.cache.load(self.clips[rng.integers(len(self.clips))])
            if self.settings.native:
                loaded = lower_rate(loaded, seeding.generator(self.seed, "lower", step, clip.id))
            augmented = augment(loaded, other or loaded, rng)
            views += render_views(clip, augmented, self.settings, self.seed, "train", step)
            if count == self.sources:
                break
        if count < (2 if self.parts == 1 else self.sources):
            problem = next(iter(self.cache.bad.values()), "its clips come from one source")
            raise CorpusError(
                f"Corpus {self.corpus.name!r} has no {'two' if self.parts == 1 else self.sources} sources that can be "
                f"read. First problem: {problem}"
            )
        batch = stack(views)
        return batch._replace(sources=batch.sources + self.part * share)

    def _clips_from(self, position: int) -> Iterator[tuple[Clip, tuple[np.ndarray, int]]]:
        """Readable clips of different sources, starting at a position in the endless sequence of epochs."""
        order: np.ndarray | None = None
        taken: set[str] = set()
        for offset in range(position, position + 2 * len(self.clips)):
            epoch, place = divmod(offset, len(self.clips))
            if order is None or place == 0:
                order = seeding.generator(self.seed, "order", epoch).permutation(len(self.clips))
            clip = self.clips[order[place]]
            loaded = None if clip.source in taken else self.cache.load(clip)
            if loaded is not None:
                taken.add(clip.source)
                yield clip, loaded


def stack(views: Sequence[View]) -> Batch:
    """Views as one batch; sources are numbered in order of appearance."""
    numbers = {name: i for i, name in enumerate(dict.fromkeys(view.clip.source for view in views))}
    return Batch(
        np.stack([view.waveform for view in views]),
        np.array([view.state for view in views], np.int64),
        np.array([view.severity for view in views], np.float32),
        np.array([numbers[view.clip.source] for view in views], np.int64),
        np.array([view.span for view in views], np.int64).reshape(-1, 2),
        _detail([(view.native_waveform, view.native_rate) for view in views if view.native_waveform is not None]),
    )


def _detail(natives: Sequence[tuple[np.ndarray, int]]) -> DetailFigures[np.ndarray] | None:
    """Detail figures of (waveform [T], rate) pairs, neighbours of equal length and rate together; None for no pairs."""
    parts = [
        numpy_detail(np.stack([waveform for waveform, _ in group]), rate)
        for (_, rate), group in groupby(natives, key=lambda native: (len(native[0]), native[1]))
    ]
    if not parts:
        return None
    count = min(part.frames.shape[1] for part in parts)  # rounding may give one rate a frame more than another
    frames = np.concatenate([part.frames[:, :count] for part in parts])
    return DetailFigures(frames, np.concatenate([part.clip for part in parts]))
