"""Faults that recordings hold by measurement, so that nothing takes them for clean in these."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from ..corpora import Clip, Corpus
from .limits import LIMITS, judge
from .measures import Measures
from .measuring import measured

FAULTS = {
    "clipped": ("clipping", 0.0),
    "crowded": ("clipping", 0.0),
    "humming": ("hum", 0.0),
    "band_limited": ("bandlimit", 0.5),
}
"""Reason of curation -> artifact, and the urgency from which it is suspected.

A band that ends at 16 kHz is no fault; it is one from about 13 kHz in a file of 44.1 kHz. Some engines have lines at
mains multiples, too; they are few, and a suspicion takes nothing away but one clean example. Fires crackle, so clicks
tell little.
"""
NAMES = frozenset(name for name, _ in FAULTS.values())


def with_suspects(corpus: Corpus, folder: str | Path) -> list[Clip]:
    """The clips of a corpus, with the faults that they hold by measurement among their ``unknown`` ones.

    Args:
        corpus: Its clips without a file are synthesised, and clean.
        folder: Measures are stored in it, see :func:`.measuring.measured`.
    """
    if all(clip.path is None for clip in corpus.clips):
        return list(corpus.clips)
    return [
        dataclasses.replace(clip, unknown=tuple(sorted({*clip.unknown, *suspected(Measures(**entry["measures"]))})))
        if "measures" in entry
        else clip
        for clip, entry in zip(corpus.clips, measured(corpus, folder), strict=True)
    ]


def suspected(measures: Measures) -> tuple[str, ...]:
    """The artifacts of :data:`FAULTS` that a clip holds by its measures."""
    flags = judge(measures, {reason: LIMITS[reason] for reason in FAULTS})
    return tuple(FAULTS[flag.reason][0] for flag in flags if flag.urgency >= FAULTS[flag.reason][1])
