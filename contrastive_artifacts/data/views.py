"""Paired views and batches: the same crop of a source, clean and with each artifact.

A view is made in two steps. The artifact is rendered at the clip's native rate. Then every state, clean included, takes
the same finishing path: loudness matched to the clean crop, a random spectral tilt, a random gain, resampling to the
encoder's rate. Whatever the finishing path leaves behind is therefore no cue to the state. Figures that
resampling would blur (:mod:`.detail.native`) are taken right before it, of every state alike.

A batch holds S sources times all K states, so that the strongest negatives (same sound, other state) are always there.

A share of the damaged views can be spliced: clean but for a span that holds the artifact. Where it begins and ends is
known to the sample, which labels frames for free (Kuhlmann et al., arXiv 2605.21332).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

from .. import artifacts, audio
from ..artifacts import CLEAN
from ..core import seeding
from ..core.cache import ByteCache
from ..core.errors import ArtifactsError, CorpusError, ParameterError
from ..models.detail import DetailFigures, numpy_detail
from .corpora import Clip, Corpus

LEVEL_DBFS = (-38.0, -14.0)  # active RMS of a finished view; level is drawn anew for each and so says nothing
TILT_DB = 6.0  # largest difference that the random tilt makes between the ends of the spectrum
CACHE_BYTES = 256 * 2**20
SPEED = 0.2  # training sources are played up to this share slower or faster
LOWERED = 0.5  # probability that a training source is brought to one of these rates first, where figures are native
LOWER_RATES = (8000, 11025, 16000, 22050, 32000)
OVERLAY = 0.5  # probability that a training source has a second one underneath,
OVERLAY_DB = (-20.0, 0.0)  # at this level against it


@dataclass(frozen=True)
class ViewSettings:
    """How views are made.

    Args:
        states: Labels in the order of their indices; the first one is ``"clean"``, the others name artifacts.
        duration_s: Length of a view in seconds (> 0).
        sample_rate: Rate of the finished view in Hz, the encoder's.
        severity: Range ``[low, high]`` within [0, 1] that severities are drawn from, uniformly.
        spliced: Share of the damaged views whose artifact is confined to a span, in [0, 1].
        span: Range ``[low, high]`` within (0, 1] of the length of such a span, as a share of the view.
        native: Views keep their waveform at the clip's own rate too, and batches hold its detail figures; what an
            encoder of ``settings.detail`` 2 needs.
    """

    states: tuple[str, ...]
    duration_s: float
    sample_rate: int
    severity: tuple[float, float] = (0.0, 1.0)
    spliced: float = 0.0
    span: tuple[float, float] = (0.15, 0.6)
    native: bool = False

    def __post_init__(self) -> None:
        if not self.states or self.states[0] != CLEAN or len(set(self.states)) != len(self.states):
            raise ParameterError(f"states must begin with 'clean' and hold no name twice; got {list(self.states)}.")
        for name in self.states[1:]:
            artifacts.artifact(name)  # an unknown name fails here, with its close matches
        if not 0 < self.duration_s <= 60:
            raise ParameterError(f"duration_s must lie in (0, 60] s; got {self.duration_s}.")
        low, high = self.severity
        if not 0 <= low <= high <= 1:
            raise ParameterError(f"severity must be a range within [0, 1]; got {self.severity}.")
        if not 0 <= self.spliced <= 1 or not 0 < self.span[0] <= self.span[1] <= 1:
            raise ParameterError(
                f"spliced must lie in [0, 1] and span be a range within (0, 1]; got {self.spliced} and {self.span}."
            )


class View(NamedTuple):
    """One finished view: ``waveform`` float32 [T] at the encoder's rate, and what was done to get it."""

    waveform: np.ndarray
    state: int
    severity: float
    params: dict
    clip: Clip
    start: int  # of the crop, in samples at native_rate
    native_rate: int
    touched: tuple[int, int] = (0, 0)  # [onset, offset) of the artifact in ``waveform``; equal where there is none
    native: np.ndarray | None = None  # float32 [T'] at native_rate: the view before resampling; see ViewSettings.native


class Batch(NamedTuple):
    """Finished views of S sources times K states, source by source."""

    waveforms: np.ndarray  # float32 [S * K, T]
    states: np.ndarray  # int64 [S * K], index into ViewSettings.states
    severities: np.ndarray  # float32 [S * K], 0 for clean
    sources: np.ndarray  # int64 [S * K], equal where the source is
    spans: np.ndarray  # int64 [S * K, 2], [onset, offset) of the artifact in samples; equal where there is none
    detail: DetailFigures[np.ndarray] | None = None  # of the views at their native rates; see ViewSettings.native


class ClipCache:
    """Decoded clips in memory, bounded in bytes; clips that cannot be read are remembered and not tried again.

    Args:
        corpus: Where the clips are loaded from.
        limit: Bytes of all decoded clips together; the newest clip is stored even if it alone is larger.

    Attributes:
        bad: Id of each clip that cannot be read -> the reason.
    """

    def __init__(self, corpus: Corpus, limit: int = CACHE_BYTES) -> None:
        self.corpus = corpus
        self.bad: dict[str, str] = {}
        self._decoded: ByteCache[tuple[np.ndarray, int]] = ByteCache(limit)

    def load(self, clip: Clip) -> tuple[np.ndarray, int] | None:
        """The clip as mono float32 [1, T] and its rate, or None if it cannot be read (see ``bad``)."""
        decoded = self._decoded.get(clip.id)
        if decoded is not None or clip.id in self.bad:
            return decoded
        try:
            waveform, rate = self.corpus.load(clip)
        except ArtifactsError as error:
            self.bad[clip.id] = str(error)
            return None
        mono = audio.mono(waveform)[None]
        return self._decoded.put(clip.id, (mono, rate), mono.nbytes)


def stretch(waveform: np.ndarray, start: int, length: int) -> np.ndarray:
    """``length`` samples of [1, T] from ``start``; a clip that ends before is extended by reflection, which is
    continuous and so adds no click."""
    part = waveform[:, start : start + length]
    missing = length - part.shape[1]
    return np.pad(part, ((0, 0), (0, missing)), mode="reflect" if part.shape[1] > 1 else "edge") if missing else part


def crop(waveform: np.ndarray, length: int, rng: np.random.Generator) -> int:
    """Start of a random stretch of ``length`` samples that is not silent where the clip is not.

    Of four random places the first within 20 dB of the loudest of the four is taken; 0 for a shorter clip.
    """
    spare = waveform.shape[-1] - length
    if spare <= 0:
        return 0
    starts = rng.integers(0, spare + 1, size=4)
    energy = [float(np.mean(np.square(waveform[:, s : s + length]))) for s in starts]
    return next(int(s) for s, e in zip(starts, energy, strict=True) if e >= 0.01 * max(energy))


def lowered(loaded: tuple[np.ndarray, int], rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """A clip as a recorder of a lower rate would have taken it, half of the time: [1, T] and its rate.

    Figures at a recording's own rate hang on that rate a little. A corpus of one rate would teach what they are there
    only (linear probe on them, fitted at 44.1 kHz, on speech at 16 kHz: macro-F1 .59, at mixed rates .68).
    """
    waveform, rate = loaded
    wanted = int(rng.choice(LOWER_RATES))
    return (audio.resample(waveform, rate, wanted), wanted) if rng.random() < LOWERED and wanted < rate else loaded


def vary(
    loaded: tuple[np.ndarray, int], other: tuple[np.ndarray, int], rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """A new clean source made of known ones, so that few sources go further: [1, T] and its rate.

    The clip is played slower or faster (its rate is said to be another; nothing is computed, so nothing is damaged)
    and, half of the time, mixed with a stretch of another clip. Done before any artifact and alike for every state.
    """
    waveform, rate = loaded
    if rng.random() < OVERLAY:
        second = audio.resample(other[0], other[1], rate)
        level = audio.active_rms(waveform, rate) / max(audio.active_rms(second, rate), 1e-5)
        start = int(rng.integers(max(1, second.shape[1] - waveform.shape[1] + 1)))
        second = stretch(second, start, waveform.shape[1])
        waveform = waveform + second * np.float32(level * 10 ** (rng.uniform(*OVERLAY_DB) / 20))
        waveform = waveform / np.float32(max(1.0, np.abs(waveform).max()))
    return waveform, round(rate * 2 ** rng.uniform(-SPEED, SPEED))


def levelled(waveform: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """What every state goes through after its artifact, before it is resampled.

    For half of the views a first-order shelf (corner 0.3-3 kHz, +-6 dB); a level drawn for this view alone.

    [1, T] -> float32 [T], not kept within full scale.
    """
    shelf, corner = 10 ** (rng.uniform(-TILT_DB, TILT_DB) / 20), 300 * 10 ** rng.uniform(0, 1)
    k = np.tan(np.pi * min(corner / rate, 0.4))
    b, a = np.array([shelf + k, k - shelf]) / (1 + k), np.array([1, (k - 1) / (1 + k)])
    tilted = waveform[0]
    if rng.random() < 0.5:
        tilted = lfilter(b.astype(np.float32), a.astype(np.float32), tilted)
    level = 10 ** (rng.uniform(*LEVEL_DBFS) / 20)
    return tilted * np.float32(level / max(audio.active_rms(tilted[None], rate), 1e-5))


def _resampled(native: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    """A view that would exceed full scale is lowered, as any recording of it would have been."""
    finished = audio.resample(native, rate, sample_rate)
    peak = float(np.abs(finished).max(initial=0.0))
    return finished / np.float32(peak) if peak > 1 else finished


def render_views(clip: Clip, loaded: tuple[np.ndarray, int], settings: ViewSettings, *key: seeding.Key) -> list[View]:
    """One crop of ``clip`` in every state; the result depends on the clip and ``key`` alone."""
    waveform, rate = loaded
    length = round(settings.duration_s * rate)
    start = crop(waveform, length, seeding.generator(*key, clip.id, "crop"))
    cropped = stretch(waveform, start, length)
    samples = round(settings.duration_s * settings.sample_rate)
    views = []
    for state, name in enumerate(settings.states):
        rng = seeding.generator(*key, clip.id, name)
        severity = float(rng.uniform(*settings.severity)) if state else 0.0
        span = _splice(settings, length, seeding.generator(*key, clip.id, name, "span")) if state else None
        view = artifacts.render(name, cropped, rate, severity, seed=seeding.derive(*key, clip.id, name), span=span)
        native = levelled(view.waveform, rate, rng)
        finished = _resampled(native, rate, settings.sample_rate)
        finished = np.pad(finished[:samples], (0, max(0, samples - len(finished))))
        touched = _touched(view.segments, settings.sample_rate / rate, samples)
        kept = native if settings.native else None
        views.append(View(finished, state, severity, view.params, clip, start, rate, touched, kept))
    return views


def _splice(settings: ViewSettings, length: int, rng: np.random.Generator) -> tuple[int, int] | None:
    """Where the artifact of a view of ``length`` samples is confined to, or None for everywhere."""
    if rng.random() >= settings.spliced:
        return None
    inside = max(1, round(length * rng.uniform(*settings.span)))
    start = int(rng.integers(length - inside + 1))
    return start, start + inside


def _touched(segments: np.ndarray, ratio: float, samples: int) -> tuple[int, int]:
    """From the first to the last touched sample, ``ratio`` times as many samples a second later on.

    Two clicks with a pause between them are one event, as in a list of faults; a span in which the artifact happened
    to do nothing is none.
    """
    if not len(segments):
        return 0, 0
    onset, offset = int(segments[:, 0].min() * ratio), int(np.ceil(segments[:, 1].max() * ratio))
    return min(onset, samples), min(offset, samples)


class TrainingBatches:
    """The batch of every training step, a pure function of (seed, step): map-style data for a ``DataLoader``.

    Sources come in a new random order each epoch; a clip that cannot be read, or whose source the batch has, is passed
    over. A corpus of fewer than S sources gives smaller batches.

    Args:
        sources: Sources per batch, S >= 2; every batch has ``S * len(settings.states)`` views.
        steps: Number of batches.
        cache: Of another such object over the same corpus, to be shared.

    Raises:
        CorpusError: no two sources can be read.
    """

    def __init__(
        self, corpus: Corpus, clips: Sequence[Clip], settings: ViewSettings, sources: int, steps: int, seed: int,
        cache: ClipCache | None = None,
    ) -> None:  # fmt: skip
        if sources < 2:
            raise ParameterError(
                f"A batch needs at least 2 sources, so that positives differ in source; got {sources}."
            )
        self.corpus, self.clips, self.settings = corpus, tuple(clips), settings
        self.sources, self.steps, self.seed = sources, steps, seed
        self.cache = ClipCache(corpus) if cache is None else cache

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Batch:
        views: list[View] = []
        for clip, loaded in self._clips_from(step * self.sources):
            rng = seeding.generator(self.seed, "vary", step, clip.id)
            other = self.cache.load(self.clips[rng.integers(len(self.clips))])
            if self.settings.native:
                loaded = lowered(loaded, seeding.generator(self.seed, "lower", step, clip.id))
            source = vary(loaded, other or loaded, rng)
            views += render_views(clip, source, self.settings, self.seed, "train", step)
            if len(views) == self.sources * len(self.settings.states):
                break
        if len(views) < 2 * len(self.settings.states):
            problem = next(iter(self.cache.bad.values()), "its clips come from one source")
            raise CorpusError(
                f"Corpus {self.corpus.name!r} has no two sources that can be read. First problem: {problem}"
            )
        return stack(views)

    def _clips_from(self, position: int) -> Iterator[tuple[Clip, tuple[np.ndarray, int]]]:
        """Readable clips of different sources, from a position of the endless sequence of epochs on."""
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


def evaluation_views(
    corpus: Corpus, clips: Sequence[Clip], settings: ViewSettings, seed: int, draws: int = 1
) -> Iterator[View]:
    """Every clip in every state, ``draws`` times, in a fixed order; unreadable clips are left out."""
    cache = ClipCache(corpus, limit=0)
    for clip in clips:
        loaded = cache.load(clip)
        if loaded is None:
            continue
        for draw in range(draws):
            yield from render_views(clip, loaded, settings, seed, "evaluate", draw)


def stack(views: Sequence[View]) -> Batch:
    """Views as one batch; sources are numbered in order of appearance."""
    numbers = {name: i for i, name in enumerate(dict.fromkeys(view.clip.source for view in views))}
    return Batch(
        np.stack([view.waveform for view in views]),
        np.array([view.state for view in views], np.int64),
        np.array([view.severity for view in views], np.float32),
        np.array([numbers[view.clip.source] for view in views], np.int64),
        np.array([view.touched for view in views], np.int64).reshape(-1, 2),
        _detail([(view.native, view.native_rate) for view in views if view.native is not None]),
    )


def _detail(natives: Sequence[tuple[np.ndarray, int]]) -> DetailFigures[np.ndarray] | None:
    """Figures of all views; all states of a crop at once. None where the native waveforms were not kept."""
    parts = [
        numpy_detail(np.stack([waveform for waveform, _ in own]), rate)
        for (_, rate), own in ((key, list(group)) for key, group in groupby(natives, key=lambda n: (len(n[0]), n[1])))
    ]
    if not parts:
        return None
    count = min(part.frames.shape[1] for part in parts)  # rounding may leave one rate a frame more than another
    frames = np.concatenate([part.frames[:, :count] for part in parts])
    return DetailFigures(frames, np.concatenate([part.clip for part in parts]))
