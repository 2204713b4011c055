"""The columns of a cache of figures, and the values of one view in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...artifacts.render import VERSION as RENDER_VERSION
from ...models import figures
from ...models.backbones import Backbone
from ...models.detail.figures import FRAME_S
from .recipe import Recipe
from .views import FigureView

VERSION = 4  # of the columns and of the way views are drawn
VERSIONS: Mapping[str, int | str] = {**figures.VERSIONS, "cache": VERSION, "render": RENDER_VERSION}
Columns = dict[str, tuple[str, tuple[int, ...]]]


def columns(recipe: Recipe, pooled: int = 0) -> Columns:
    """Name -> dtype and shape of the value of one view.

    The first six are those of :class:`~...models.figures.Figures`; ``pooled`` is the width of ``backbone``, which is
    left out for 0. ``labels`` says which faults are there, ``severities`` how severe (0 where absent), ``spans`` the
    first and last touched sample ``[start, stop)``, ``active`` in which frames (bits, see
    :meth:`.cache.FigureCache.active`).
    ``barely`` marks views labelled clean that hold a fault below severity 0. ``clips`` is the number of the clip,
    ``starts`` the first sample of the view in the varied clip, ``rates`` the sample rate in Hz.
    """
    count, faults = figures.frame_count(recipe.window_s), len(recipe.names)
    return {
        **{name: ("<f2", (count, size)) for name, size in figures.FRAME_SIZES.items()},
        **{name: ("<f4", (size,)) for name, size in figures.WINDOW_SIZES.items()},
        **({"backbone": ("<f2", (pooled,))} if pooled else {}),
        "labels": ("|b1", (faults,)),
        "severities": ("<f4", (faults,)),
        "spans": ("<i4", (faults, 2)),
        "active": ("|u1", (count, -(-faults // 8))),
        "barely": ("|b1", ()),
        "clips": ("<i4", ()),
        "starts": ("<i8", ()),
        "rates": ("<i4", ()),
    }


def block_arrays(
    views: Sequence[FigureView], recipe: Recipe, backbone: Backbone | None = None
) -> dict[str, np.ndarray]:
    """The values of all views of a crop, ``[rows, ...]`` for each column."""
    waveforms, rate = [view.waveform for view in views], views[0].sample_rate
    contexts = [view.context for view in views]
    of_windows = figures.window_figures(waveforms, rate, recipe.window_s, backbone, contexts)
    count, pooled = of_windows.frames.shape[1], of_windows.backbone.shape[1]
    values = {
        **of_windows._asdict(),
        "labels": np.array([[name in view.severities for name in recipe.names] for view in views]),
        "severities": np.array([[view.severities.get(name, 0.0) for name in recipe.names] for view in views]),
        "spans": np.array([[_outer(view.segments.get(name)) for name in recipe.names] for view in views]),
        "active": np.stack([_active(view, recipe, count) for view in views]),
        "barely": np.array([view.barely for view in views]),
        "clips": np.array([view.clip for view in views]),
        "starts": np.array([view.start for view in views]),
        "rates": np.array([view.sample_rate for view in views]),
    }
    return {name: np.ascontiguousarray(values[name], dtype) for name, (dtype, _) in columns(recipe, pooled).items()}


def _outer(segments: np.ndarray | None) -> tuple[int, int]:
    return (0, 0) if segments is None else (int(segments[:, 0].min()), int(segments[:, 1].max()))


def _active(view: FigureView, recipe: Recipe, count: int) -> np.ndarray:
    """Bits ``[count, bytes]``: whether a segment of the fault overlaps the frame."""
    active = np.zeros((count, len(recipe.names)), bool)
    hop = FRAME_S * view.sample_rate
    for name, segments in view.segments.items():
        column = recipe.names.index(name)
        for start, stop in np.stack([segments[:, 0] // hop, -(-segments[:, 1] // hop)], axis=1).astype(int).tolist():
            active[start:stop, column] = True
    return np.packbits(active, axis=1)
