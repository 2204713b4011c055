"""Batches of views from caches of figures: whole crops, so that each sound is in a batch in several states."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...artifacts import taxonomy
from ...core.errors import ParameterError
from ...models.figures import Figures
from .cache import FigureCache


class SetBatch(NamedTuple):
    """Views with their label sets."""

    figures: Figures[Tensor]
    faults: Tensor  # [B, K] in {0, 1}
    severities: Tensor  # [B, K], 0 where the fault is absent
    active: Tensor  # [B, N, K] in {0, 1}: whether the fault is in a cell
    sources: Tensor  # int64 [B]
    unknown: Tensor  # bool [B, K]: faults that were not rendered, and that the clip may hold


class CachedViews:
    """The views of several caches as one sequence.

    Args:
        caches: Of one recipe, or of recipes with equal names and windows.
        cell: Frames per cell of ``active``.
        unknown: For each cache and each of its clips, faults that the clip may hold; none if not given.

    Raises:
        ParameterError: there is no cache, or their faults or columns differ.
    """

    def __init__(
        self, caches: Sequence[FigureCache], cell: int, unknown: Sequence[Sequence[Collection[str]]] = ()
    ) -> None:
        if not caches:
            raise ParameterError("There is no cache of figures; give one or more.")
        layouts = {repr((cache.names, cache.header["columns"])) for cache in caches}
        if len(layouts) > 1:
            raise ParameterError("The caches of figures hold other faults or figures; fill them with one recipe.")
        self.caches, self.cell, self.names = tuple(caches), cell, caches[0].names
        self.cache_of = np.repeat(np.arange(len(caches)), [len(cache) for cache in caches])
        self.row_of = np.concatenate([cache.rows for cache in caches])
        keys = [f"{n}/{name}" for n, cache in enumerate(caches) for name in cache.sources]
        self.sources = np.unique(keys, return_inverse=True)[1]
        crops = [f"{n}/{crop}" for n, cache in enumerate(caches) for crop in cache.crops.tolist()]
        self.clip_faults = tuple(unknown)
        self.unknown = self.may_hold(self.clip_faults)
        starts = [0, *(i for i in range(1, len(crops)) if crops[i] != crops[i - 1]), len(crops)]
        self.crops = [np.arange(*span) for span in pairwise(starts)]

    def __len__(self) -> int:
        return len(self.row_of)

    def may_hold(self, clip_faults: Sequence[Sequence[Collection[str]]]) -> np.ndarray:
        """Whether each view may hold each fault that was not rendered, bool [N, K].

        By the faults of each cache and clip, and by the faults that the rendered ones may bring along.
        """
        held = np.zeros((len(self), len(self.names)), bool)
        clips = self.column("clips", np.arange(len(self)))
        for number, of_clips in enumerate(clip_faults):
            rows = self.cache_of == number
            held[rows] = np.array([[name in faults for name in self.names] for faults in of_clips])[clips[rows]]
        labels = self.column("labels", np.arange(len(self)))
        for name, others in taxonomy.MAY_BRING.items():
            for other in others:
                if {name, other} <= {*self.names}:
                    held[:, self.names.index(other)] |= labels[:, self.names.index(name)]
        return held

    def epoch(self, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Views in random order, batches of at least ``size`` in whole crops; what is left at the end is left out."""
        rows: list[np.ndarray] = []
        for crop in rng.permutation(len(self.crops)):
            rows.append(self.crops[crop])
            if sum(map(len, rows)) >= size:
                yield np.concatenate(rows)
                rows = []

    def in_order(self, size: int) -> Iterator[np.ndarray]:
        """All views in order, batches of at least ``size`` in whole crops but for the last one."""
        ends = np.cumsum([len(crop) for crop in self.crops])
        start = 0
        for end in ends.tolist():
            if end - start >= size or end == len(self):
                yield np.arange(start, end)
                start = end

    def column(self, name: str, views: np.ndarray) -> np.ndarray:
        """A column of the caches, ``[B, ...]``, in the order of ``views``."""
        parts: list[tuple[np.ndarray, np.ndarray]] = []
        for number, cache in enumerate(self.caches):
            places = np.flatnonzero(self.cache_of[views] == number)
            if len(places):
                parts.append((places, cache.arrays[name][self.row_of[views[places]]]))
        out = np.empty((len(views), *parts[0][1].shape[1:]), parts[0][1].dtype)
        for places, values in parts:
            out[places] = values
        return out

    def figures(self, views: np.ndarray) -> Figures[Tensor]:
        """Figures in single precision."""
        names = [name for name in Figures._fields if name in self.caches[0].arrays]
        columns = {name: torch.from_numpy(self.column(name, views).astype(np.float32)) for name in names}
        return Figures(**{"backbone": torch.zeros(len(views), 0), **columns})

    def batch(self, views: np.ndarray) -> SetBatch:
        """The views of an index array ``[B]``."""
        bits = np.unpackbits(self.column("active", views), axis=-1, count=len(self.names))
        padded = np.pad(bits, ((0, 0), (0, -bits.shape[1] % self.cell), (0, 0)))
        active = padded.reshape(len(views), -1, self.cell, len(self.names)).max(2)
        labels = self.column("labels", views)
        return SetBatch(
            self.figures(views),
            torch.from_numpy(labels.astype(np.float32)),
            torch.from_numpy(self.column("severities", views)),
            torch.from_numpy(active.astype(np.float32)),
            torch.from_numpy(self.sources[views]),
            torch.from_numpy(self.unknown[views] & ~labels),
        )
