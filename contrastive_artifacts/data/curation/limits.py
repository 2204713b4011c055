"""Limits of the measures: from which values a clip is flagged, and from which it is rejected without listening."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import ParameterError
from .measures import Measures

_MOST = 10.0  # largest urgency, so that one unbounded measure does not hide all others


@dataclass(frozen=True)
class Limit:
    """Limits of one measure.

    Args:
        measure: Name of a field of :class:`.measures.Measures`, or "similarity" (see :mod:`.duplicates`).
        soft: From this value on, a clip is flagged for listening.
        hard: From this value on, a clip is rejected if flags are applied without listening. A ``hard`` below ``soft``
            means that low values are bad.
        rejects: Whether the hard limit may reject; false if undamaged sounds can have any value.
        what: Description of the value, with the placeholder ``{value}``, the measures, and ``{nyquist_hz}``.
    """

    measure: str
    soft: float
    hard: float
    rejects: bool
    what: str

    def __post_init__(self) -> None:
        if not (math.isfinite(self.soft) and math.isfinite(self.hard) and self.soft != self.hard):
            raise ParameterError(
                f"The limits of {self.measure} are soft={self.soft}, hard={self.hard}; give two different numbers."
            )

    def urgency(self, value: float) -> float:
        """0 at the soft limit, 1 at the hard one, 10 at most; negative if the value is no reason."""
        return min(_MOST, (value - self.soft) / (self.hard - self.soft))


@dataclass(frozen=True)
class Flag:
    """A reason against a clip: its name, the value, its urgency (see :class:`Limit`), and a description."""

    reason: str
    value: float
    urgency: float
    rejects: bool
    text: str


# Chosen on 454 clips of field recordings, speech, music and effects. No limit on the noise floor: rain is only floor.
LIMITS: Mapping[str, Limit] = {
    "clipped": Limit("clipped_per_s", 0.5, 5.0, True, "{value:.1f} flat-topped runs per second"),
    "silent": Limit("quiet_share", 0.5, 0.95, True, "{value:.0%} of it lies under -70 dBFS"),
    "padded": Limit("silence_share", 0.2, 0.95, True, "{value:.0%} of it is digital silence"),
    "quiet": Limit("loudness_lufs", -50.0, -65.0, True, "loudness {value:.1f} LUFS"),
    # 16 kHz in a 44.1 kHz file is .27; a 22.05 kHz recording in it .5
    "band_limited": Limit("lost_band", 0.2, 0.6, True, "nothing above {edge_hz:,.0f} Hz, of {nyquist_hz:,.0f} Hz"),
    "out_of_phase": Limit("out_of_phase_share", 0.1, 0.9, True, "in {value:.0%} of it the channels cancel in a mix"),
    # Chosen on clips that were cut off by 3, 6 and 10 dB, coded and resampled; undamaged speech and music stay below 4.
    "crowded": Limit("crest_crowding", 5.0, 10.0, False, "flat crests crowd at one level ({value:.0f} deviations)"),
    # Engines and rotors have steady lines too, and fire crackles: these two do not reject without listening.
    "humming": Limit("hum_db", 18.0, 30.0, False, "lines at mains multiples stand out by {value:.0f} dB"),
    "clicking": Limit("clicks_per_s", 2.0, 10.0, False, "{value:.1f} clicks per second"),
    "dc_offset": Limit("dc_db", -45.0, -25.0, True, "constant offset of {value:.0f} dBFS"),
    "duplicate": Limit("similarity", 0.4, 0.8, True, "{value:.0%} alike"),
}


def make_limits(changes: Mapping[str, Mapping[str, Any] | None] | None = None) -> dict[str, Limit]:
    """:data:`LIMITS` with changes: reason -> {soft, hard, rejects}; ``None`` removes a reason.

    Raises:
        ParameterError: an unknown reason or key, or values that are no limits.
    """
    limits = dict(LIMITS)
    for reason, change in (changes or {}).items():
        if reason not in LIMITS:
            raise ParameterError(f"limits: there is no reason {reason!r}; there are {', '.join(LIMITS)}.")
        if change is None:
            del limits[reason]
            continue
        if unknown := sorted(set(change) - {"soft", "hard", "rejects"}):
            raise ParameterError(f"limits.{reason} has no {unknown[0]!r}; it has soft, hard and rejects.")
        limits[reason] = dataclasses.replace(limits[reason], **change)
    return limits


def judge(measures: Measures, limits: Mapping[str, Limit]) -> list[Flag]:
    """Flags of a clip by its own measures, most urgent first; similarity to other clips is not among them."""
    flags = []
    for reason, limit in limits.items():
        value = getattr(measures, limit.measure, None)
        if value is not None and limit.urgency(value) >= 0:
            facts = dataclasses.asdict(measures) | {"nyquist_hz": measures.rate / 2}
            text = limit.what.format(value=float(value), **facts)
            flags.append(make_flag(reason, limit, float(value), text))
    if any(flag.reason == "clipped" for flag in flags):  # what is clipped crowds, too
        flags = [flag for flag in flags if flag.reason != "crowded"]
    return sorted(flags, key=lambda flag: -flag.urgency)


def make_flag(reason: str, limit: Limit, value: float, text: str) -> Flag:
    """The flag of a value, with its description."""
    return Flag(reason, value, limit.urgency(value), limit.rejects, text)
