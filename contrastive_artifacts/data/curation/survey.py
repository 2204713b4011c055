"""Flags the clips of a corpus by their measures, and those that are copies of others."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.journal import Journal
from ..corpora import Clip, Corpus
from . import blocks, duplicates
from .duplicates import Similarities
from .limits import Flag, Limit, judge, make_flag
from .measures import Measures
from .measuring import Entry, measured

UNREADABLE = "unreadable"
DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Finding:
    """One clip, its measures (``None`` if it cannot be read), and its flags, most urgent first."""

    clip: Clip
    measures: Measures | None
    flags: tuple[Flag, ...] = ()
    duplicate_of: str = ""

    @property
    def urgency(self) -> float:
        return max((flag.urgency for flag in self.flags), default=-1.0)

    @property
    def sha256(self) -> str:
        return self.measures.sha256 if self.measures else ""

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(flag.reason for flag in self.flags)

    @property
    def hopeless(self) -> bool:
        """Whether a flag that may reject is beyond its hard limit."""
        return any(flag.rejects and flag.urgency >= 1 for flag in self.flags)


def survey(corpus: Corpus, folder: str | Path, limits: Mapping[str, Limit]) -> list[Finding]:
    """Measures the clips of a corpus, looks for duplicates, and flags clips.

    Args:
        corpus: The corpus.
        folder: Measures are stored in it, see :func:`.measuring.measured`, and how similar pairs of clips are in its
            ``similarities.jsonl``; a later call, also after a crash, continues from there.
        limits: See :func:`.limits.make_limits`; without "duplicate", clips are not compared with each other.

    Returns:
        One finding per clip, in the order of the corpus.
    """
    return judged(corpus, folder, limits, measured(corpus, folder))


def judged(corpus: Corpus, folder: str | Path, limits: Mapping[str, Limit], entries: Sequence[Entry]) -> list[Finding]:
    """The second half of :func:`survey`, of the entries of all clips of the corpus."""
    findings = [_judged(clip, entry, limits) for clip, entry in zip(corpus.clips, entries, strict=True)]
    if DUPLICATE in limits:
        with Journal(Path(folder) / "similarities.jsonl") as journal:
            findings = _with_duplicates(corpus, findings, entries, limits[DUPLICATE], Similarities(journal))
    return findings


def _judged(clip: Clip, entry: Entry, limits: Mapping[str, Limit]) -> Finding:
    if "problem" in entry:
        return Finding(clip, None, (Flag(UNREADABLE, 1.0, 10.0, True, entry["problem"]),))
    measures = Measures(**entry["measures"])
    return Finding(clip, measures, tuple(judge(measures, limits)))


def _with_duplicates(
    corpus: Corpus, findings: list[Finding], entries: Sequence[Entry], limit: Limit, known: Similarities
) -> list[Finding]:
    usable = [
        n for n, finding in enumerate(findings) if finding.measures is not None and finding.measures.peak_db > -90
    ]
    if len(usable) < 2:
        return findings
    vectors = np.asarray([entries[n]["content"] for n in usable], np.float32)

    def load(position: int) -> np.ndarray:
        return duplicates.reduced(blocks.of_clip(corpus, findings[usable[position]].clip))

    pairs = duplicates.find_pairs([findings[n].sha256 for n in usable], vectors, load, limit.soft, known)
    worth = [_worth(findings[n]) for n in usable]
    for position, pair in duplicates.originals(pairs, worth).items():
        finding = findings[usable[position]]
        other = findings[usable[pair.first + pair.second - position]].clip
        same = "same source" if finding.clip.source == other.source else "another source: a split would leak"
        text = f"{limit.what.format(value=pair.similarity)} to {other.id} ({same})"
        flag = make_flag(DUPLICATE, limit, pair.similarity, text)
        flags = tuple(sorted([*finding.flags, flag], key=lambda flag: -flag.urgency))
        findings[usable[position]] = dataclasses.replace(finding, flags=flags, duplicate_of=other.id)
    return findings


def _worth(finding: Finding) -> float:
    """Rank of a copy: the less urgent one is kept, then the one of larger bandwidth (in kHz), then the longer one."""
    measures = finding.measures
    assert measures is not None  # only readable clips are compared
    band_khz = round((1 - measures.lost_band) * measures.rate / 2000)
    return -1e6 * max(0.0, finding.urgency) + 1e3 * band_khz + min(measures.seconds, 999.0)
