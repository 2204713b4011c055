"""Where each moment of a recording is in another copy of it, at which level, and how much the two differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ... import audio
from ...audio import gain_to_db
from ...core.errors import AudioError
from .course import course, fitted_line
from .pieces import Cut, Piece, cut_out, piece

_LIKE = 0.3  # correlation of two pieces; chance gives less than .1
_OUTLIER, _LEAST_ERROR_S = 4.0, 2e-5  # pieces off the line by more median deviations are left out; never within 20 us
_FLOOR_DB = -120.0
_LEAST_OCTAVE_DB = -90.0  # level of A in an octave that is compared


@dataclass(frozen=True)
class Alignment:
    """Where A is in B: ``seconds in B = offset_s + speed * seconds in A``.

    Attributes:
        offset_s: Where the start of A is in B; negative where B begins later.
        speed: Seconds of B per second of A; .9999 is a copy that runs 100 ppm faster.
        jitter_ms: RMS distance of the pieces from that line: the error of the alignment, and wow in one of the copies.
        agreeing: Share of the places of A that lie on the line, of those that sound, in [0.5, 1].
        gain_db: Level of A over B at equal moments, median over the pieces.
        inverted: Whether the two have opposite polarity.
        difference_db: Level of A minus the matched B relative to A, median over the pieces.
        octaves_db: Centre in Hz -> level of B over A in that octave after matching, median over the pieces.
        start_s, stop_s: The part of A that B covers, in seconds of A.
    """

    offset_s: float
    speed: float
    jitter_ms: float
    agreeing: float
    gain_db: float
    inverted: bool
    difference_db: float
    octaves_db: dict[int, float]
    start_s: float
    stop_s: float

    def in_a(self, seconds: float) -> float:
        """Where a moment of B is in A, in seconds."""
        return (seconds - self.offset_s) / self.speed


def align(a: str | Path, b: str | Path, stream_a: audio.Stream = None, stream_b: audio.Stream = None) -> Alignment:
    """Aligns two copies of one recording by what they sound like.

    Any offset is found, and speeds that differ by up to .7 % or as 24 and 25 pictures a second do. Parts of 8 s of the
    shorter copy are searched in the other by the course of their energy in eight bands; where half of them lie on a
    line, 2 s at each are correlated to a fraction of a sample. Both files are decoded twice; memory grows by 12 MB an
    hour of each.

    Args:
        a, b: The files, of any rates and numbers of channels; their mixes are compared.
        stream_a, stream_b: See :func:`audio.read`.

    Raises:
        AudioError: a file cannot be read, or they are not two copies of one recording.
    """
    courses = course(a, stream_a), course(b, stream_b)
    coarse = fitted_line(*courses)
    if coarse is None:
        raise AudioError(f"{b} is no copy of {a}: most parts of it are not in there; give two copies of one recording.")
    cuts = cut_out((a, stream_a), (b, stream_b), coarse)
    _, speed, _, _ = _line(_alike(cuts, coarse.speed, a, b))
    alike = _alike(cuts, speed, a, b)
    offset, speed, errors, near = _line(alike)
    good = [piece for piece, is_near in zip(alike, near, strict=True) if is_near]
    gain = float(np.median([piece.gain for piece in good]))
    return Alignment(
        offset_s=offset,
        speed=speed,
        jitter_ms=1e3 * float(np.sqrt(np.mean(errors[near] ** 2))),
        agreeing=len(coarse.agreeing_s) / coarse.places,
        gain_db=gain_to_db(abs(gain), _FLOOR_DB),
        inverted=gain < 0,
        difference_db=float(np.median([piece.difference_db for piece in good])),
        octaves_db=_octaves(good),
        start_s=max(0.0, -offset / speed),
        stop_s=min(courses[0].seconds, (courses[1].seconds - offset) / speed),
    )


def _alike(cuts: Sequence[tuple[Cut, Cut]], speed: float, a: str | Path, b: str | Path) -> list[Piece]:
    alike = [p for p in (piece(of_a, of_b, speed) for of_a, of_b in cuts) if p.likeness >= _LIKE]
    if len(alike) < 2:
        raise AudioError(f"{b} is no copy of {a}: they move alike, but their waveforms differ; check the two files.")
    return alike


def _line(alike: Sequence[Piece]) -> tuple[float, float, np.ndarray, np.ndarray]:
    """Offset in seconds, speed, distances of the pieces from this line, and which of them lie near it."""
    at, there = np.array([piece.at_s for piece in alike]), np.array([piece.there_s for piece in alike])
    near = np.ones(len(alike), bool)
    for _ in range(3):
        speed, offset = np.polyfit(at[near], there[near], 1)
        errors = np.abs(offset + speed * at - there)
        near = errors <= max(_OUTLIER * float(np.median(errors)), _LEAST_ERROR_S)
    return float(offset), float(speed), errors, near


def _octaves(good: Sequence[Piece]) -> dict[int, float]:
    """Level of B over A by octave, where both hold the octave and A sounds in it."""
    centres = sorted({centre for piece in good for centre in piece.octaves_a_db})
    levels = {}
    for centre in centres:
        pairs = [(p.octaves_a_db[centre], p.octaves_b_db[centre]) for p in good if centre in p.octaves_a_db]
        audible = [of_b - of_a for of_a, of_b in pairs if of_a >= _LEAST_OCTAVE_DB]
        if audible:
            levels[centre] = float(np.median(audible))
    return levels
