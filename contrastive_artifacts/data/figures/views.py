"""The views of one crop: pure functions of clips, recipe and the number of the crop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import artifacts, audio
from ...artifacts import RenderedView
from ...core import seeding
from ...core.errors import ArtifactsError
from ..corpora import Clip, Corpus
from ..views.delivery import deliver
from ..views.rendering import tilt_and_level
from ..views.sources import augment, cut_window, lower_rate, window_start
from .recipe import Recipe

BARELY_DB = -12.0  # level of the change by a fault of severity 0 in views that are labelled clean


class FigureView(NamedTuple):
    """One view at the native rate of its crop."""

    waveform: np.ndarray  # float32 [T]
    context: np.ndarray  # the rendered crop that it is cut from, float32 [T']
    offset: int  # of the view in its context, in samples
    sample_rate: int  # Hz
    clip: int  # number of the clip
    start: int  # of the view in the varied clip, in samples
    severities: dict[str, float]  # fault -> severity, of the faults that changed the sound of the view
    segments: dict[str, np.ndarray]  # fault -> the samples of the view that it touched, int64 [n, 2]
    params: dict[str, Any]  # of the rendering; artifacts.replay with it gives the context before tilt and what follows
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
    crop, rate, start, window = _crop(corpus, clips, number, recipe, block)
    views = []
    for place in range(recipe.rows):
        key = (recipe.seed, "figures", block, place)
        steps, params, barely = _rendered(
            crop, rate, window, recipe, place, seeding.generator(*key, "draw"), seeding.derive(*key)
        )
        context = tilt_and_level(steps[-1].waveform, rate, seeding.generator(*key, "finish"))
        delivery = seeding.generator(*key, "deliver")
        if delivery.random() < recipe.delivered:
            context = deliver(context, rate, delivery)
        context = np.ascontiguousarray(context, np.float32)
        segments = {step.params["artifact"]: _inside(step.segments, window) for step in steps if not barely}
        touching = {name: rows for name, rows in segments.items() if len(rows)}
        severities = {step.params["artifact"]: step.params["severity"] for step in steps}
        views.append(
            FigureView(
                context[window], context, window.start, rate, number, start + window.start,
                {name: severities[name] for name in touching}, touching, params, barely,
            )
        )  # fmt: skip
    return views


def _inside(segments: np.ndarray, window: slice) -> np.ndarray:
    """The parts of segments ``[n, 2]`` inside the window, from its beginning."""
    clipped = segments.clip(window.start, window.stop) - window.start
    parts: np.ndarray = clipped[clipped[:, 1] > clipped[:, 0]]
    return parts


def _crop(
    corpus: Corpus, clips: Sequence[Clip], number: int, recipe: Recipe, block: int
) -> tuple[np.ndarray, int, int, slice]:
    """A clean crop ``[1, T']`` of the varied clip, its rate in Hz, its start in samples, and the view in it."""
    loaded = _mono(corpus, clips[number])
    if recipe.varied:
        rng = seeding.generator(recipe.seed, "figures", block, "vary")
        second = clips[int(rng.integers(len(clips)))]
        loaded = lower_rate(loaded, seeding.generator(recipe.seed, "figures", block, "lower"))
        try:
            other = _mono(corpus, second)
        except ArtifactsError:
            other = loaded
        loaded = augment(loaded, other, rng)
    waveform, rate = loaded
    window, longest = round(recipe.window_s * rate), round(recipe.context_s * rate)
    length = max(window, min(longest, waveform.shape[1]))
    start = window_start(waveform, length, seeding.generator(recipe.seed, "figures", block, "crop"))
    crop = cut_window(waveform, start, length)
    offset = window_start(crop, window, seeding.generator(recipe.seed, "figures", block, "window"))
    return crop, rate, start, slice(offset, offset + window)


def _mono(corpus: Corpus, clip: Clip) -> tuple[np.ndarray, int]:
    waveform, rate = corpus.load(clip)
    return audio.mono(waveform)[None], rate


def _rendered(
    crop: np.ndarray, rate: int, window: slice, recipe: Recipe, place: int, rng: np.random.Generator, seed: int
) -> tuple[list[RenderedView], dict[str, Any], bool]:
    """The steps of rendering one view, the params of all of them, and whether its fault lies below severity 0."""
    barely, spliced, share, position = (float(value) for value in rng.random(4))  # all drawn, used or not
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
    chain = recipe.preset.draw(seed, severity=recipe.severity)
    steps = artifacts.compose_steps(chain, crop, rate, seed, span)
    return steps, artifacts.compound_params(steps, seed), False
