"""The plan of a dataset: which views are made of which clip, with which artifact, how bad and where.

A plan is a pure function of clips and settings; nothing is decoded for it. What is drawn for a view depends on the
seed, the clip's id, the artifact and the index of the draw alone: neither on the order of the clips nor on which others
there are.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ... import artifacts
from ...artifacts import CLEAN, COMPOUND, Preset
from ...core import seeding
from ...core.errors import ParameterError
from ..corpora import Clip

_LONGEST_STEM = 120  # file systems end at 255 bytes; the artifact and the suffix still follow


@dataclass(frozen=True)
class DatasetSettings:
    """What is rendered of every clip.

    Args:
        artifacts: Names of artifacts; no name twice.
        severities: A view for each of these, all with the same draws of chance (a ladder that differs in severity
            alone); ``None`` draws one severity a view.
        severity: Range ``(low, high)`` within [0, 1] for the drawn ones, uniform.
        views_per_clip: ``None`` makes every artifact times every severity once. A number makes that many views: in an
            order drawn for each clip, every combination once before any comes again.
        clip_s: Length of crops in seconds; ``None`` takes clips whole.
        crops: How many crops of each clip, one at random in each of so many equal parts of it.
        span: ``(low, high)`` within (0, 1]: the artifact is confined to a part of the clip, whose share of the clip is
            drawn from this range; ``None`` renders it everywhere.
        compounds: Draws each view from this preset: one artifact, or several of unlike mechanisms on top of each other;
            ``views_per_clip`` then says how many, and severities are drawn.
        seed: Another seed, another dataset.

    Raises:
        UnknownNameError: no such artifact.
        ParameterError: a value out of its range.
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
        number: Counts the views of this artifact in the clip, from 0.
        artifact, severity, seed: As :func:`.artifacts.render` takes them.
        span: Share of the clip that the artifact is confined to, and where that part begins within what it leaves free
            (0 at the beginning, 1 as late as it fits); ``None`` is everywhere.
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
    """A clip, or one crop of it, and the views that are made of it.

    Args:
        key: Unique in the plan; letters, digits, ``_`` and ``-`` only, so that it can name files.
        clip: Of the corpus.
        split: Side of the split, or "".
        crop: Where the crop begins within what it leaves free of the clip, 0..1; ``None`` is the whole clip.
        views: In the order of the settings' artifacts.
    """

    key: str
    clip: Clip
    split: str
    crop: float | None
    views: tuple[PlannedView, ...]


def make_plan(
    clips: Sequence[Clip], settings: DatasetSettings, sides: Mapping[str, str] | None = None
) -> tuple[PlannedClip, ...]:
    """Every clip (times every crop) in the order given; ``sides`` maps clip ids to their side of a split."""
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
        level, share, place = seeding.generator(seed, "plan").random(3)  # always all three: none shifts another
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
    """Ids as names of files; what two clips would share (a.wav, a.flac) is told apart by a digest of the id."""
    plain = [_plain(clip.id) for clip in clips]
    counts = Counter(stem.casefold() for stem in plain)  # some file systems know no case
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
    return hashlib.blake2b(clip.id.encode(), digest_size=4).hexdigest()
