"""Audio for the tests of context: artifacts over whole clips of half a minute, pairs, and turning records."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ... import audio
from ...artifacts import ARTIFACTS, CLEAN
from ...core import seeding
from ...data.corpora import Clip, Corpus
from ...data.views import LEVEL_DBFS, ClipCache, cut_window, tilt_and_level
from .pairs import PAIRS

TURNS_HZ = {"33": 100 / 180, "45": 45 / 60, "78": 78 / 60}
CLASSES = (
    CLEAN, "hiss", "clicks", "dropout", "hum", "periodic_clicks", "wow", "pumping", "print_through", "gain_step",
)  # fmt: skip
"""Those after "dropout" need long context; the others are there to be distinguished from them."""


@dataclass(frozen=True, eq=False)
class Item:
    """A rendered clip.

    Args:
        id, source, label: Of the clip.
        severity: In [0, 1].
        waveform: float32 ``[1, T]`` at ``rate``, before level and tilt.
        rate: Sample rate in Hz.
        at_s: A time within a touched segment.
        key: Of the random generator of level and tilt; equal for both members of a pair.
        rate_hz: Turns per second of a record.
        clicks_s: Times of the clicks of a record.
    """

    id: str
    source: str
    label: str
    severity: float
    waveform: np.ndarray
    rate: int
    at_s: float
    key: tuple[seeding.Key, ...]
    rate_hz: float = 0.0
    clicks_s: tuple[float, ...] = ()

    def finished(self) -> np.ndarray:
        """Mono float32 [T] with random level and tilt, as views have them; scaled down where it would clip."""
        waveform = tilt_and_level(self.waveform, self.rate, seeding.generator(*self.key))
        return waveform / np.float32(max(1.0, float(np.abs(waveform).max())))


def items(
    corpus: Corpus, clips: Sequence[Clip], duration_s: float, severity: tuple[float, float], seed: int,
    classes: Sequence[str] = CLASSES,
) -> Iterator[Item]:  # fmt: skip
    """Every clip in every class over its whole length; unreadable clips are left out."""
    for clip, x, rate in _loaded(corpus, clips, duration_s):
        for name in classes:
            key = (seed, "long range", clip.id, name)
            rng = seeding.generator(*key)
            item_severity = float(rng.uniform(*severity)) if name != CLEAN else 0.0
            y, segments, _ = _render(name, x, rate, item_severity, rng)
            start, stop = segments[int(rng.integers(len(segments)))] if len(segments) else (0, x.shape[1])
            at_s = float(rng.uniform(start, stop)) / rate
            yield Item(f"{clip.id}/{name}", clip.source, name, item_severity, y, rate, at_s, (*key, "finish"))


def pair_items(corpus: Corpus, clips: Sequence[Clip], duration_s: float, seed: int) -> Iterator[Item]:
    """Both members of every pair on every clip, one after the other; the moment is at 40 to 60 % of the clip."""
    for clip, x, rate in _loaded(corpus, clips, duration_s):
        for pair in PAIRS.values():
            key = (seed, "pairs", clip.id, *pair.names)
            rng = seeding.generator(*key)
            at = round(rng.uniform(0.4, 0.6) * x.shape[1])
            level = 10 ** (rng.uniform(*LEVEL_DBFS) / 20) / max(audio.active_rms(x, rate), 1e-5)
            for name, y in zip(pair.names, pair.render(x[0] * np.float32(level), rate, at, rng), strict=True):
                yield Item(f"{clip.id}/{name}", clip.source, name, 0.5, y[None], rate, at / rate, key)


def turn_items(corpus: Corpus, clips: Sequence[Clip], duration_s: float, severity: float, seed: int) -> Iterator[Item]:
    """Every clip as a record of each of the three speeds with one click per turn."""
    for (clip, x, rate), (turns, hertz) in itertools.product(_loaded(corpus, clips, duration_s), TURNS_HZ.items()):
        key = (seed, "turns", clip.id, turns)
        y, segments, exact = _render("periodic_clicks", x, rate, severity, seeding.generator(*key), hertz)
        times = tuple((segments[:, 0] / rate).tolist())
        yield Item(f"{clip.id}/{turns}", clip.source, turns, severity, y, rate, times[0], key, exact, times)


def _loaded(corpus: Corpus, clips: Sequence[Clip], duration_s: float) -> Iterator[tuple[Clip, np.ndarray, int]]:
    cache = ClipCache(corpus, limit=0)
    for clip in clips:
        loaded = cache.load(clip)
        if loaded is not None:
            yield clip, cut_window(loaded[0], 0, round(duration_s * loaded[1])), loaded[1]


def _render(
    name: str, x: np.ndarray, rate: int, severity: float, rng: np.random.Generator, hertz: float | None = None
) -> tuple[np.ndarray, np.ndarray, float]:
    """The clip with an artifact, the touched segments, and the turns per second of a record (0 otherwise)."""
    if name == CLEAN:
        return x.copy(), np.zeros((0, 2), np.int64), 0.0
    artifact = ARTIFACTS["wow_flutter" if name == "wow" else name]
    params, exact = artifact.sample(severity, rng), 0.0
    if name == "wow":  # slow only: one turn takes half a second to two seconds
        params["parts"] = [[float(rng.uniform(0.5, 2)), 1.0, float(rng.random())]]
    if name == "periodic_clicks":  # of records only, loud enough
        nominal = list(TURNS_HZ.values())[int(rng.integers(3))] if hertz is None else hertz
        exact = nominal * float(rng.uniform(0.998, 1.002))
        params |= {"rate_hz": exact, "level_db": 6 + 18 * severity}
    return *artifact.render(x, rate, params), exact


def place(at_s: float, context_s: float, patches: int, window_s: float, hop_s: float, share: float) -> tuple[int, int]:
    """First patch and number of patches of a context of ``context_s`` that holds the moment ``at_s``.

    Args:
        patches: Number of patches of the clip.
        share: In [0, 1): position of the moment within the context, as far as the clip allows.
    """
    count = min(patches, max(1, int((context_s - window_s) / hop_s + 1e-6) + 1))
    middle = min(max(round((at_s - window_s / 2) / hop_s), 0), patches - 1)
    return min(max(middle - int(share * count), 0), patches - count), count
