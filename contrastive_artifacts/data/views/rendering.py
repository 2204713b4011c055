"""Rendered views: one clean window in every state, through one finishing path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy

from ... import artifacts, audio
from ...core import seeding
from ..corpora import Clip, Corpus
from .cache import ClipCache
from .settings import ViewSettings
from .sources import cut_window, window_start

LEVEL_DBFS = (-38.0, -14.0)  # active RMS of a finished view; drawn for each view, so that level is no cue
TILT_DB = 6.0  # largest gain of the random tilt at one end of the spectrum, relative to the other


class View(NamedTuple):
    """One finished view: ``waveform`` float32 [T] at the encoder's rate, and how it was made."""

    waveform: np.ndarray
    state: int  # index into ViewSettings.states
    severity: float
    params: dict[str, Any]
    clip: Clip
    start: int  # of the window in the clip, in samples at native_rate
    native_rate: int
    span: tuple[int, int] = (0, 0)  # [onset, offset) of the artifact in ``waveform``; equal if there is none
    native_waveform: np.ndarray | None = None  # float32 [T'] at native_rate, before resampling; see ViewSettings.native


def tilt_and_level(waveform: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Applies a random tilt and a random gain: every state passes through here after its artifact, before resampling.

    Half of the views take a first-order shelf (corner 0.3-3 kHz, +-6 dB); every view is scaled to a level drawn for it.

    [1, T] -> float32 [T], which may exceed full scale.
    """
    shelf, corner = 10 ** (rng.uniform(-TILT_DB, TILT_DB) / 20), 300 * 10 ** rng.uniform(0, 1)
    k = np.tan(np.pi * min(corner / rate, 0.4))
    b, a = np.array([shelf + k, k - shelf]) / (1 + k), np.array([1, (k - 1) / (1 + k)])
    tilted = waveform[0]
    if rng.random() < 0.5:
        tilted = scipy.signal.lfilter(b.astype(np.float32), a.astype(np.float32), tilted)
    level = 10 ** (rng.uniform(*LEVEL_DBFS) / 20)
    return tilted * np.float32(level / max(audio.active_rms(tilted[None], rate), 1e-5))


def _resampled(native: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    """``native`` [T] resampled; scaled down to a peak of 1 if it would exceed full scale, as a recording would be."""
    finished = audio.resample(native, rate, sample_rate)
    peak = float(np.abs(finished).max(initial=0.0))
    return finished / np.float32(peak) if peak > 1 else finished


def render_views(clip: Clip, loaded: tuple[np.ndarray, int], settings: ViewSettings, *key: seeding.Key) -> list[View]:
    """One window of ``clip`` in every state; the result depends on the clip and ``key`` alone.

    Args:
        clip: The clip; its id is part of the seed.
        loaded: Its mono waveform float32 [1, T] and its sample rate in Hz.
        settings: How views are made.
        key: Seed: integers and strings.
    """
    waveform, rate = loaded
    length = round(settings.duration_s * rate)
    start = window_start(waveform, length, seeding.generator(*key, clip.id, "crop"))
    window = cut_window(waveform, start, length)
    samples = round(settings.duration_s * settings.sample_rate)
    views = []
    for state, name in enumerate(settings.states):
        rng = seeding.generator(*key, clip.id, name)
        severity = float(rng.uniform(*settings.severity)) if state else 0.0
        span = _splice(settings, length, seeding.generator(*key, clip.id, name, "span")) if state else None
        view = artifacts.render(name, window, rate, severity, seed=seeding.derive(*key, clip.id, name), span=span)
        native = tilt_and_level(view.waveform, rate, rng)
        finished = _resampled(native, rate, settings.sample_rate)
        finished = np.pad(finished[:samples], (0, max(0, samples - len(finished))))
        changed = _outer_span(view.segments, settings.sample_rate / rate, samples)
        before = native if settings.native else None
        views.append(View(finished, state, severity, view.params, clip, start, rate, changed, before))
    return views


def _splice(settings: ViewSettings, length: int, rng: np.random.Generator) -> tuple[int, int] | None:
    """The span [start, stop) of ``length`` samples that the artifact is confined to; None for the whole view."""
    if rng.random() >= settings.spliced:
        return None
    inside = max(1, round(length * rng.uniform(*settings.span)))
    start = int(rng.integers(length - inside + 1))
    return start, start + inside


def _outer_span(segments: np.ndarray, ratio: float, samples: int) -> tuple[int, int]:
    """[onset, offset) from the first to the last sample of ``segments``, at ``ratio`` times their sample rate.

    Two clicks with a pause between them are one event, as in a list of faults. Without segments (the artifact changed
    nothing within its span) the range is empty.
    """
    if not len(segments):
        return 0, 0
    onset, offset = int(segments[:, 0].min() * ratio), int(np.ceil(segments[:, 1].max() * ratio))
    return min(onset, samples), min(offset, samples)


def evaluation_views(
    corpus: Corpus, clips: Sequence[Clip], settings: ViewSettings, seed: int, draws: int = 1
) -> Iterator[View]:
    """Every clip in every state, ``draws`` times, in a fixed order; clips that cannot be read are skipped."""
    cache = ClipCache(corpus, limit=0)
    for clip in clips:
        loaded = cache.load(clip)
        if loaded is None:
            continue
        for draw in range(draws):
            yield from render_views(clip, loaded, settings, seed, "evaluate", draw)
