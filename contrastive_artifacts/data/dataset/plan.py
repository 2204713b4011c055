"""The plan of a dataset: the views of each clip, with artifact, severity and span.

A plan is a pure function of clips and settings; nothing is decoded for it. Random values of a view depend only on the
seed, the id of the clip, the artifact and the number of the draw: not on the order of the clips or on other clips.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ... import artifacts
from ...artifacts import CLEAN, COMPOUND, Preset
from ...core import seeding
from ...core.errors import ParameterError
from ..corpora import Clip

_LONGEST_STEM = 120  # bytes; file names end at 255, and the artifact and the suffix follow


@dataclass(frozen=True)
class DatasetSettings:
    """What is rendered of every clip.

    Args:
        artifacts: Names of artifacts, each once.
        severities: One view for each of these, all with the same random values, so that they differ in severity only;
            ``None`` draws one severity for each view.
        severity: Range ``(low, high)`` within [0, 1] of drawn severities, uniform.
        views_per_clip: ``None`` renders every combination of artifact and severity once. A number renders that many
            views, in a random order for each clip; no combination is repeated before all have been used.
        clip_s: Length of crops in seconds; ``None`` renders whole clips.
        crops: Number of crops of each clip: it is divided into that many equal parts, with one random crop in each.
        span: ``(low, high)`` within (0, 1]: the artifact is confined to a span of the clip, whose share of the clip is
            drawn from this range; ``None`` renders it everywhere.
        compounds: Draws each view from this preset: one artifact, or several of different mechanisms in a chain.
            ``views_per_clip`` is then required, and severities are drawn.
        seed: Seed of everything that is drawn.

    Raises:
        UnknownNameError: no such artifact.
        ParameterError: a value outside its range.
    """

    artifacts: tuple[str, ...]
    severities: tuple[float, ...] | None = None
    severity: tuple[float, float] = (0.0, 1.0)
    views_per_clip: int | None = None
    clip_s: float | None = None
    crops: int = 1
    span: tuple[float, float] | None = None
    compounds: Preset | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.artifacts or len(set(self.artifacts)) < len(self.artifacts) or CLEAN in self.artifacts:
            raise ParameterError(
                f"artifacts={list(self.artifacts)}: give one name or more, none twice; clean is always written."
            )
        for name in self.artifacts:
            artifacts.artifact(name)
        if self.compounds is not None and (self.severities is not None or self.views_per_clip is None):
            raise ParameterError("Compounds are drawn: give views_per_clip, and severities=uniform.")
        if self.severities is not None and not self.severities:
            raise ParameterError("severities=[] leaves nothing to render; give numbers from 0 to 1, or uniform.")
        for value in self.severities or ():
            if not 0 <= value <= 1:
                raise ParameterError(f"severities={list(self.severities or ())}: {value} does not lie in 0..1.")
        if len(set(self.severities or ())) < len(self.severities or ()):
            raise ParameterError(f"severities={list(self.severities or ())} holds a value twice; remove one.")
        if not 0 <= self.severity[0] <= self.severity[1] <= 1:
            raise ParameterError(f"severity={list(self.severity)} must be a range within 0..1.")
        if self.span is not None and not 0 < self.span[0] <= self.span[1] <= 1:
            raise ParameterError(f"span={list(self.span)}: give the smallest and largest share of the clip, 0..1.")
        if self.clip_s is not None and not (math.isfinite(self.clip_s) and self.clip_s > 0):
            raise ParameterError(f"clip_s={self.clip_s}: give a length in seconds, or null for whole files.")
        if self.crops < 1 or (self.crops > 1 and self.clip_s is None):
            raise ParameterError(f"crops={self.crops}: give 1 or more, and with clip_s, the length of the crops.")
        if self.views_per_clip is not None and self.views_per_clip < 1:
            raise ParameterError(f"views_per_clip={self.views_per_clip}: give 1 or more, or null for every artifact.")


@dataclass(frozen=True)
class PlannedView:
    """One damaged view.

    Args:
        number: Number of the view among those of this artifact and clip, from 0.
        artifact, severity, seed: Arguments of :func:`.artifacts.render`.
        span: Length of the span that the artifact is confined to, as a share of the clip, and its place (0 at the
            beginning of the clip, 1 at the end); ``None`` for the whole clip.
        compound: The preset and the range of severities to draw a compound from; ``artifact`` is then COMPOUND.
    """

    number: int
    artifact: str
    severity: float
    seed: int
    span: tuple[float, float] | None
    compound: tuple[Preset, tuple[float, float]] | None = None


@dataclass(frozen=True)
class PlannedClip:
    """A clip, or one crop of it, and the views to render of it.

    Args:
        key: Unique in the plan; only letters, digits, ``_`` and ``-``, so that it can be used in file names.
        clip: The clip in the corpus.
        split: Side of the split, or "".
        crop: Place of the crop, 0 (beginning of the clip) to 1 (end of the clip); ``None`` for the whole clip.
        views: In the order of the artifacts in the settings.
    """

    key: str
    clip: Clip
    split: str
    crop: float | None
    views: tuple[PlannedView, ...]


def make_plan(
    clips: Sequence[Clip], settings: DatasetSettings, sides: Mapping[str, str] | None = None
) -> tuple[PlannedClip, ...]:
    """Plans every clip, or every crop of it, in the order given; ``sides`` maps clip ids to sides of a split."""
    planned = []
    for stem, clip in zip(_stems(clips), clips, strict=True):
        side = (sides or {}).get(clip.id, "")
        if settings.clip_s is None:
            planned.append(PlannedClip(stem, clip, side, None, _views(clip.id, settings)))
            continue
        for crop in range(settings.crops):
            name = f"{clip.id}@{crop}"
            place = (crop + float(seeding.generator(settings.seed, name, "crop").random())) / settings.crops
            planned.append(PlannedClip(f"{stem}_c{crop}", clip, side, place, _views(name, settings)))
    return tuple(planned)


def _views(name: str, settings: DatasetSettings) -> tuple[PlannedView, ...]:
    names = settings.artifacts if settings.compounds is None else (COMPOUND,)
    cells = [(artifact, given) for artifact in names for given in settings.severities or (None,)]
    count = len(cells) if settings.views_per_clip is None else settings.views_per_clip
    chosen = []
    for turn in range(-(-count // len(cells))):
        order = seeding.generator(settings.seed, name, "order", turn).permutation(len(cells))
        chosen += [(int(cell), turn) for cell in order[: count - turn * len(cells)]]
    views, numbers = [], Counter[str]()
    for cell, turn in sorted(chosen):
        artifact, given = cells[cell]
        seed = seeding.derive(settings.seed, name, artifact, turn)
        level, share, place = seeding.generator(seed, "plan").random(
            3
        )  # all three, used or not: no draw shifts another
        low, high = settings.severity
        severity = float(low + (high - low) * level) if given is None else float(given)
        span = None
        if settings.span is not None:
            span = (float(settings.span[0] + (settings.span[1] - settings.span[0]) * share), float(place))
        compound = None if settings.compounds is None else (settings.compounds, settings.severity)
        views.append(PlannedView(numbers[artifact], artifact, severity, seed, span, compound))
        numbers[artifact] += 1
    return tuple(views)


def _stems(clips: Sequence[Clip]) -> list[str]:
    """Stems of file names from clip ids; equal (a.wav, a.flac) and too long ones end in a digest of the id."""
    plain = [_plain(clip.id) for clip in clips]
    counts = Counter(stem.casefold() for stem in plain)  # some file systems ignore case
    return [
        stem
        if counts[stem.casefold()] == 1 and len(stem.encode()) <= _LONGEST_STEM
        else f"{_cut(stem)}_{_digest(clip)}"
        for stem, clip in zip(plain, clips, strict=True)
    ]


def _plain(clip_id: str) -> str:
    return re.sub(r"[^\w-]", "_", re.sub(r"\.[^./]*$", "", clip_id).replace("/", "__")) or "_"


def _cut(stem: str) -> str:
    return stem.encode()[: _LONGEST_STEM - 9].decode(errors="ignore")


def _digest(clip: Clip) -> str:
    return hashlib.blake2b(os.fsencode(clip.id), digest_size=4).hexdigest()
