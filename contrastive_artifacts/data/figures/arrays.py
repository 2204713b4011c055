"""The columns of a cache of figures, and the values of one view in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ... import audio
from ...artifacts.render import VERSION as RENDER_VERSION
from ...models.detail import NativeDetail, numpy_detail
from ...models.detail.bands import BANDS, log_bands
from ...models.detail.bands import VERSION as BANDS_VERSION
from ...models.detail.clip import CLIP_FIGURES
from ...models.detail.figures import FRAME_S
from ...models.slow import SLOW_FIGURES, slow_figures
from ...models.slow import VERSION as SLOW_VERSION
from ...models.traces import TRACE_FIGURES, trace_figures
from ...models.traces import VERSION as TRACES_VERSION
from .recipe import Recipe
from .views import FigureView

VERSION = 1  # of the columns and of the way views are drawn
VERSIONS: Mapping[str, int | str] = {
    "bands": BANDS_VERSION, "cache": VERSION, "detail": 2, "render": RENDER_VERSION, "resampler": audio.RESAMPLER,
    "slow": SLOW_VERSION, "traces": TRACES_VERSION,
}  # fmt: skip
Columns = dict[str, tuple[str, tuple[int, ...]]]


def columns(recipe: Recipe) -> Columns:
    """Name -> dtype and shape of the value of one view.

    ``frames`` and ``bands`` are the figures of frames of 16 ms, ``window``, ``slow`` and ``traces`` those of the
    window. ``labels`` says which faults are there, ``severities`` how severe (0 where absent), ``spans`` the first and
    last touched sample ``[start, stop)``, ``active`` in which frames (bits, see :meth:`.cache.FigureCache.active`).
    ``barely`` marks views labelled clean that hold a fault below severity 0. ``clips`` is the number of the clip,
    ``starts`` the first sample of the crop in the varied clip, ``rates`` the sample rate in Hz.
    """
    count, faults = frame_count(recipe), len(recipe.names)
    return {
        "frames": ("<f2", (count, NativeDetail.features)),
        "bands": ("<f2", (count, BANDS)),
        "window": ("<f4", (CLIP_FIGURES,)),
        "slow": ("<f4", (len(SLOW_FIGURES),)),
        "traces": ("<f4", (len(TRACE_FIGURES),)),
        "labels": ("|b1", (faults,)),
        "severities": ("<f4", (faults,)),
        "spans": ("<i4", (faults, 2)),
        "active": ("|u1", (count, -(-faults // 8))),
        "barely": ("|b1", ()),
        "clips": ("<i4", ()),
        "starts": ("<i8", ()),
        "rates": ("<i4", ()),
    }


def frame_count(recipe: Recipe) -> int:
    """Whole frames of 16 ms in a view."""
    return int(recipe.window_s / FRAME_S + 1e-6)


def block_arrays(views: Sequence[FigureView], recipe: Recipe) -> dict[str, np.ndarray]:
    """The values of all views of a crop, ``[rows, ...]`` for each column."""
    count = frame_count(recipe)
    waveforms = np.stack([view.waveform for view in views])
    detail = numpy_detail(waveforms, views[0].sample_rate)
    values = {
        "frames": detail.frames[:, :count].clip(-6e4, 6e4),
        "bands": np.stack([log_bands(row, views[0].sample_rate)[:count] for row in waveforms]),
        "window": detail.clip,
        "slow": np.stack([slow_figures(row, views[0].sample_rate) for row in waveforms]),
        "traces": np.stack([trace_figures(row, views[0].sample_rate) for row in waveforms]),
        "labels": np.array([[name in view.severities for name in recipe.names] for view in views]),
        "severities": np.array([[view.severities.get(name, 0.0) for name in recipe.names] for view in views]),
        "spans": np.array([[_outer(view.segments.get(name)) for name in recipe.names] for view in views]),
        "active": np.stack([_active(view, recipe, count) for view in views]),
        "barely": np.array([view.barely for view in views]),
        "clips": np.array([view.clip for view in views]),
        "starts": np.array([view.start for view in views]),
        "rates": np.array([view.sample_rate for view in views]),
    }
    return {name: np.ascontiguousarray(values[name], dtype) for name, (dtype, _) in columns(recipe).items()}


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
