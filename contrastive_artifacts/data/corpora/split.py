"""Splits by source: clips of one source are always on the same side.

Not by scikit-learn: its StratifiedGroupKFold makes equal folds only, its GroupShuffleSplit ignores categories.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from ...core import seeding
from ...core.errors import ParameterError, SplitError
from .base import Clip

FRACTIONS: Mapping[str, float] = {"train": 0.7, "validation": 0.15, "test": 0.15}


def split(clips: Sequence[Clip], fractions: Mapping[str, float] = FRACTIONS, seed: int = 0) -> dict[str, list[Clip]]:
    """Divides clips into sides by source, close to the given shares of clips, overall and within each category.

    Category by category, each source goes to the side that lacks the most clips: the largest sources first, those of
    equal size in an order drawn with ``seed``. The result does not depend on the order of ``clips``.

    Args:
        clips: Clips to divide.
        fractions: Share of the clips for each side; positive, sum 1.
        seed: Seed of the order of sources of equal size.

    Returns:
        Side -> its clips, in the order given.

    Raises:
        SplitError: a clip without a source, or fewer sources than sides.
        ParameterError: shares that are not positive or do not sum to 1.
    """
    if any(share <= 0 for share in fractions.values()) or not math.isclose(sum(fractions.values()), 1, abs_tol=1e-6):
        raise ParameterError(f"The shares {dict(fractions)} must be positive and sum to 1.")
    groups = _by_source(clips)
    if len(groups) < len(fractions):
        raise SplitError(
            f"{len(groups)} sources cannot fill {len(fractions)} sides ({', '.join(fractions)}); "
            "add clips of other sources."
        )
    side_of: dict[str, str] = {}  # by source
    missing = dict.fromkeys(
        fractions, 0.0
    )  # number of clips; what one category leaves uneven is evened out in the next
    empty = set(fractions)
    for sources in _in_order(groups, seed):
        size = sum(len(groups[source]) for source in sources)
        missing = {side: lack + fractions[side] * size for side, lack in missing.items()}
        for source in sources:
            only_empty = len(groups) - len(side_of) <= len(empty)  # each source left is needed by an empty side
            side = max((side for side in fractions if side in empty or not only_empty), key=missing.__getitem__)
            side_of[source] = side
            missing[side] -= len(groups[source])
            empty.discard(side)
    return {side: [clip for clip in clips if side_of[clip.source] == side] for side in fractions}


def split_folds(clips: Sequence[Clip], test: int, validation: int) -> dict[str, list[Clip]]:
    """The split by the official folds of a corpus: one for testing, one for validation, the others for training.

    Raises:
        SplitError: a clip without a fold or a source, a source in several folds, or an empty side.
        ParameterError: the same fold for testing and validation.
    """
    if test == validation:
        raise ParameterError(f"Fold {test} cannot be test and validation at once; choose two folds.")
    for source, members in _by_source(clips).items():
        folds = {clip.fold for clip in members}
        if None in folds:
            name = next(clip.id for clip in members if clip.fold is None)
            raise SplitError(f"Clip {name!r} has no fold; split this corpus by source (split()) instead.")
        if len(folds) > 1:
            raise SplitError(
                f"Source {source!r} is in the folds {sorted(f for f in folds if f is not None)}; "
                "correct the folds, or split by source (split()) instead."
            )
    side_of = {test: "test", validation: "validation"}
    sides: dict[str, list[Clip]] = {side: [] for side in FRACTIONS}
    for clip in clips:
        sides[side_of.get(clip.fold, "train") if clip.fold is not None else "train"].append(clip)
    for side, members in sides.items():
        if not members:
            present = sorted({clip.fold for clip in clips if clip.fold is not None})
            raise SplitError(f"No clip is left for {side} with test={test}, validation={validation}; folds: {present}.")
    return sides


def _by_source(clips: Sequence[Clip]) -> dict[str, list[Clip]]:
    groups: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if not clip.source:
            raise SplitError(f"Clip {clip.id!r} has no source; name what it was cut from, or leave it out.")
        groups[clip.source].append(clip)
    return dict(groups)


def _in_order(groups: Mapping[str, Sequence[Clip]], seed: int) -> list[list[str]]:
    """Sources by category; large sources and categories come first, so that small ones can even out the shares."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for source in sorted(groups, key=lambda name: (-len(groups[name]), seeding.derive(seed, "split", name))):
        kinds[_category(groups[source])].append(source)
    return sorted(
        kinds.values(), key=lambda sources: (-len(groups[sources[0]]), seeding.derive(seed, "split", sources[0]))
    )


def _category(members: Sequence[Clip]) -> str:
    counts = Counter(clip.category for clip in members)
    return min(counts, key=lambda name: (-counts[name], name))
