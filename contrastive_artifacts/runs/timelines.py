"""Long recordings with faults at known places, and the same recordings without: what a scan is measured on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .. import artifacts, audio
from ..artifacts import Preset
from ..core import seeding
from ..core.errors import ArtifactsError, CorpusError, ParameterError
from ..data.corpora import Clip, Corpus
from ..probes.events import Event

RATE = 44100  # Hz; clips of another rate are resampled, so that none is recognised by its rate
JOIN_S = 0.05  # cross-fade of two clips
CONTEXT_S = 1.0  # on both sides of a fault, which its rendering hears
TOGETHER_S = 0.5  # parts of one fault that are nearer are one event
COUNTS = (0.75, 0.25)  # weights of one and two faults at a place
LEVEL_DB, BELOW_DB = -26.0, -12.0  # RMS without pauses; of the second sound of a mixture, against the first
LARGEST_PEAK = 0.9  # nothing is clipped that is not meant to be
LARGEST_CLIPS = 5000  # in a recording


@dataclass(frozen=True)
class TimelineRecipe:
    """How recordings are made.

    Args:
        names: The faults.
        seconds: Length of a recording, 30 or more.
        gap_s: Mean time between two faults (exponential; at least 5 s).
        span_s: Range ``[low, high]`` of the length of a fault.
        severity: Range within [0, 1].
        seed: Of everything that is drawn.

    Raises:
        ParameterError: a value is out of range.
    """

    names: tuple[str, ...]
    seconds: float = 300.0
    gap_s: float = 15.0
    span_s: tuple[float, float] = (2.0, 8.0)
    severity: tuple[float, float] = (0.3, 1.0)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.seconds < 30 or self.gap_s < 5 or not 0.1 <= self.span_s[0] <= self.span_s[1] <= 20:
            raise ParameterError(
                f"seconds={self.seconds}, gap_s={self.gap_s}, span_s={self.span_s}: give 30 s or more, 5 s or more, "
                "and a range within [0.1, 20] s."
            )


@dataclass(frozen=True)
class RenderedTimeline:
    """A recording with its faults.

    Attributes:
        clean, damaged: float32 ``[1, T]`` at RATE.
        events: The faults, ordered by start.
        severities: Of each.
        unknown: Faults that a clip may hold already, over its whole length: nothing is concluded about these.
    """

    clean: np.ndarray
    damaged: np.ndarray
    events: tuple[Event, ...]
    severities: tuple[float, ...]
    unknown: tuple[Event, ...] = ()


def rendered_timeline(
    layers: Sequence[tuple[Corpus, Sequence[Clip]]], recipe: TimelineRecipe, number: int
) -> RenderedTimeline:
    """The recording ``number`` of a recipe.

    Args:
        layers: One corpus with its clips, or several that are mixed: the first one in front, the others 12 dB below.
        recipe: What is rendered.
        number: Equal numbers give equal recordings.

    Raises:
        CorpusError: none of the clips can be read.
    """
    clean, unknown = _mixed(layers, recipe, number)
    damaged = clean.copy()
    preset = Preset(recipe.names, "The faults of a timeline.", counts=COUNTS)
    events: list[tuple[Event, float]] = []
    for place, (start, stop) in enumerate(_places(recipe, number, clean.shape[1])):
        seed = seeding.derive(recipe.seed, "timeline", number, place)
        low, high = max(0, start - round(CONTEXT_S * RATE)), min(clean.shape[1], stop + round(CONTEXT_S * RATE))
        chain = preset.draw(seed, severity=recipe.severity)
        try:
            steps = artifacts.compose_steps(chain, damaged[:, low:high], RATE, seed, (start - low, stop - low))
        except ArtifactsError:  # silence, of which some faults cannot be made
            continue
        damaged[:, low:high] = steps[-1].waveform
        for step in steps:
            label, severity = step.params["artifact"], float(step.params["severity"])
            events += [(event, severity) for event in _events(label, step.segments + low)]
    events.sort(key=lambda pair: pair[0])
    return RenderedTimeline(clean, damaged, tuple(e for e, _ in events), tuple(s for _, s in events), tuple(unknown))


def _events(label: str, segments: np.ndarray) -> Iterator[Event]:
    """The segments [n, 2] of one rendering; those that are near are one event."""
    if not len(segments):
        return
    apart = segments[1:, 0] - segments[:-1, 1] > TOGETHER_S * RATE
    begins, ends = np.append(True, apart), np.append(apart, True)
    for start, stop in zip(segments[begins, 0].tolist(), segments[ends, 1].tolist(), strict=True):
        yield Event(start / RATE, stop / RATE, label)


def _places(recipe: TimelineRecipe, number: int, samples: int) -> Iterator[tuple[int, int]]:
    """``[start, stop)`` of each fault, in samples; none within 2 s of another or of the ends."""
    rng = seeding.generator(recipe.seed, "places", number)
    margin = round(2 * CONTEXT_S * RATE)
    start = margin
    while True:
        start += round(float(rng.exponential(recipe.gap_s)) * RATE)
        stop = start + round(float(rng.uniform(*recipe.span_s)) * RATE)
        if stop + margin > samples:
            return
        yield start, stop
        start = stop + margin


def _mixed(
    layers: Sequence[tuple[Corpus, Sequence[Clip]]], recipe: TimelineRecipe, number: int
) -> tuple[np.ndarray, list[Event]]:
    """The clean recording, and where it may hold which faults."""
    samples = round(recipe.seconds * RATE)
    mixture, unknown = np.zeros((1, samples), np.float32), []
    for layer, (corpus, clips) in enumerate(layers):
        joined, doubts = _joined(corpus, clips, samples, seeding.generator(recipe.seed, "clips", number, layer))
        level = audio.active_rms(joined, RATE)
        target = audio.db_to_gain(LEVEL_DB + (BELOW_DB if layer else 0.0))
        mixture += joined * np.float32(target / level if level else 0.0)
        unknown += doubts
    peak = audio.peak(mixture)
    return mixture * np.float32(min(1.0, LARGEST_PEAK / peak) if peak else 1.0), unknown


def _joined(
    corpus: Corpus, clips: Sequence[Clip], samples: int, rng: np.random.Generator
) -> tuple[np.ndarray, list[Event]]:
    """Random clips one after another, ``[1, samples]``, joined by short cross-fades, and what they may hold."""
    fade = round(JOIN_S * RATE)
    rise = np.linspace(0, 1, fade, dtype=np.float32)
    parts: list[np.ndarray] = []
    unknown: list[Event] = []
    length = 0
    for _ in range(LARGEST_CLIPS):
        clip = clips[int(rng.integers(len(clips)))]
        try:
            waveform, rate = corpus.load(clip)
        except ArtifactsError:
            continue
        part = audio.resample(audio.mono(waveform), rate, RATE)
        if part.size < 4 * fade:
            continue
        if parts:
            parts[-1][-fade:] = parts[-1][-fade:] * rise[::-1] + part[:fade] * rise
            part = part[fade:]
        unknown += [Event(length / RATE, (length + part.size) / RATE, label) for label in clip.unknown]
        parts.append(part.copy())
        length += part.size
        if length >= samples:
            return np.concatenate(parts)[None, :samples], unknown
    raise CorpusError(f"{corpus.name}: {LARGEST_CLIPS} clips gave only {length / RATE:.1f} s that can be read.")
