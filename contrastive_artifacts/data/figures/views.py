"""The views of one crop: pure functions of clips, recipe and the number of the crop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import artifacts, audio
from ...artifacts import RenderedView
from ...artifacts.dsp.narrow import FILLED
from ...artifacts.kinds.bandlimit import severity_of
from ...core import seeding
from ...core.errors import ArtifactsError
from ..corpora import Clip, Corpus
from ..views.delivery import deliver
from ..views.narrowband import NARROW_HZ, TELEPHONE_HZ, telephone_seed
from ..views.rendering import tilt_and_level
from ..views.sources import augment, cut_window, lower_rate, window_start
from .recipe import Recipe

BARELY_DB = -12.0  # level of the change by a fault of severity 0 in views that are labelled clean


class FigureView(NamedTuple):
    """One view at the native rate of its crop, or at that of the clip where the crop is upsampled."""

    waveform: np.ndarray  # float32 [T]
    context: np.ndarray  # the rendered crop that it is cut from, float32 [T']
    offset: int  # of the view in its context, in samples
    sample_rate: int  # Hz
    clip: int  # number of the clip
    start: int  # of the view in the varied clip, in samples
    severities: dict[str, float]  # fault -> severity, of the faults that changed the sound of the view
    segments: dict[str, np.ndarray]  # fault -> the samples of the view that it touched, int64 [n, 2]
    params: dict[
        str, Any
    ]  # of the rendering; artifacts.replay gives the context before tilt, upsampling and what follows
    barely: bool = False  # ``params`` hold a fault that was mixed in at BARELY_DB; severities are empty


def clip_of(block: int, clips: int, seed: int) -> int:
    """Number of the clip that a block is cut from: each pass over the clips has a random order of its own."""
    turn, place = divmod(block, clips)
    return int(seeding.generator(seed, "figures", "order", turn).permutation(clips)[place])


def block_views(corpus: Corpus, clips: Sequence[Clip], recipe: Recipe, block: int) -> list[FigureView]:
    """All views of the crop number ``block``, the clean one first.

    Raises:
        AudioError: the clip cannot be read.
        CorpusError: the clip has no file.
    """
    number = clip_of(block, len(clips), recipe.seed)
    crop = _crop(corpus, clips, number, recipe, block)
    return [_view(crop, number, recipe, block, place) for place in range(recipe.rows)]


def _view(crop: _Crop, clip: int, recipe: Recipe, block: int, place: int) -> FigureView:
    rate, window, key = crop.rate, crop.window, (recipe.seed, "figures", block, place)
    steps, params, barely = _rendered(crop, recipe, place, seeding.generator(*key, "draw"), seeding.derive(*key))
    context = tilt_and_level(steps[-1].waveform, rate, seeding.generator(*key, "finish"))
    segments = {step.params["artifact"]: _inside(step.segments, window) for step in steps if not barely}
    touching = {name: rows for name, rows in segments.items() if len(rows)}
    drawn = {step.params["artifact"]: step.params["severity"] for step in steps}
    severities = {name: drawn[name] for name in touching}
    first = crop.start + window.start
    view = FigureView(context[window], context, window.start, rate, clip, first, severities, touching, params, barely)
    if crop.file_rate != rate:
        view = _upsampled(view, crop.file_rate, recipe)
    context, delivery = view.context, seeding.generator(*key, "deliver")
    if delivery.random() < recipe.delivered:
        context = deliver(context, view.sample_rate, delivery)
    context = np.ascontiguousarray(context, np.float32)
    waveform = context[view.offset : view.offset + len(view.waveform)]
    return view._replace(waveform=waveform, context=context)


def _upsampled(view: FigureView, file_rate: int, recipe: Recipe) -> FigureView:
    """The view in a file of a higher sample rate, which it does not fill: band limited beside what it has."""
    ratio, length = file_rate / view.sample_rate, round(recipe.window_s * file_rate)
    context = audio.resample(view.context, view.sample_rate, file_rate)
    context = np.pad(context, (0, max(0, length - len(context))))  # a window in whole samples may be a bit shorter
    offset = min(round(view.offset * ratio), len(context) - length)
    severities = dict(view.severities)
    segments = {name: _scaled(rows, ratio, length) for name, rows in view.segments.items()}
    if "bandlimit" in recipe.names:
        severities["bandlimit"] = max(severity_of(FILLED * view.sample_rate), severities.get("bandlimit", 0.0))
        segments["bandlimit"] = np.array([[0, length]])
    return view._replace(
        waveform=context[offset : offset + length], context=context, offset=offset, sample_rate=file_rate,
        start=round(view.start * ratio), severities=severities, segments=segments,
    )  # fmt: skip


def _scaled(segments: np.ndarray, ratio: float, length: int) -> np.ndarray:
    """Segments ``[n, 2]`` at ``ratio`` times their sample rate, within ``length`` samples and none of them empty."""
    starts = np.minimum(segments[:, 0] * ratio, length - 1).astype(np.int64)
    stops = np.ceil(segments[:, 1] * ratio).astype(np.int64)
    return np.stack([starts, np.clip(stops, starts + 1, length)], axis=1)


def _inside(segments: np.ndarray, window: slice) -> np.ndarray:
    """The parts of segments ``[n, 2]`` inside the window, from its beginning."""
    clipped = segments.clip(window.start, window.stop) - window.start
    parts: np.ndarray = clipped[clipped[:, 1] > clipped[:, 0]]
    return parts


class _Crop(NamedTuple):
    """A clean part of a varied clip."""

    waveform: np.ndarray  # [1, T']
    rate: int  # Hz
    start: int  # in the varied clip, in samples
    window: slice  # the view in it
    file_rate: int  # Hz, of the views; differs from rate where they are resampled after rendering


def _crop(corpus: Corpus, clips: Sequence[Clip], number: int, recipe: Recipe, block: int) -> _Crop:
    loaded = _mono(corpus, clips[number])
    file_rate = loaded[1]
    if recipe.varied:
        rng = seeding.generator(recipe.seed, "figures", block, "vary")
        second = clips[int(rng.integers(len(clips)))]
        lower = seeding.generator(recipe.seed, "figures", block, "lower")
        loaded = lower_rate(loaded, lower)
        narrow = loaded[1] < file_rate and loaded[1] <= NARROW_HZ and lower.random() < recipe.upsampled
        try:
            other = _mono(corpus, second)
        except ArtifactsError:
            other = loaded
        loaded = augment(loaded, other, rng)
        file_rate = file_rate if narrow else loaded[1]
    waveform, rate = loaded
    window, longest = round(recipe.window_s * rate), round(recipe.context_s * rate)
    length = max(window, min(longest, waveform.shape[1]))
    start = window_start(waveform, length, seeding.generator(recipe.seed, "figures", block, "crop"))
    crop = cut_window(waveform, start, length)
    offset = window_start(crop, window, seeding.generator(recipe.seed, "figures", block, "window"))
    return _Crop(crop, rate, start, slice(offset, offset + window), file_rate)


def _mono(corpus: Corpus, clip: Clip) -> tuple[np.ndarray, int]:
    waveform, rate = corpus.load(clip)
    return audio.mono(waveform)[None], rate


def _rendered(
    of: _Crop, recipe: Recipe, place: int, rng: np.random.Generator, seed: int
) -> tuple[list[RenderedView], dict[str, Any], bool]:
    """The steps of rendering one view, the params of all of them, and whether its fault lies below severity 0."""
    barely, spliced, share, position, call = (float(value) for value in rng.random(5))  # all drawn, used or not
    crop, rate, window = of.waveform, of.rate, of.window
    if place == 0:
        view = artifacts.render(artifacts.CLEAN, crop, rate, seed=seed)
        return [view], view.params, False
    if barely < recipe.barely:
        name = recipe.scalable[int(rng.integers(len(recipe.scalable)))]
        view = artifacts.render(name, crop, rate, 0.0, seed)
        mixed = crop + np.float32(10 ** (BARELY_DB / 20)) * (view.waveform - crop)
        return [RenderedView(mixed, rate, view.params, view.segments)], view.params, True
    span = None
    if spliced < recipe.spliced:
        length = window.stop - window.start
        inside = max(1, round(length * (recipe.span[0] + (recipe.span[1] - recipe.span[0]) * share)))
        begin = window.start + int(position * (length - inside))
        span = (begin, begin + inside)
    if call < recipe.telephone and rate <= TELEPHONE_HZ and "codec" in recipe.names:
        seed = telephone_seed(recipe.preset, recipe.severity, seed)
    chain = recipe.preset.draw(seed, severity=recipe.severity)
    steps = artifacts.compose_steps(chain, crop, rate, seed, span)
    return steps, artifacts.compound_params(steps, seed), False
