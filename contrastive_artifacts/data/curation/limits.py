"""From figures to reasons: which measure counts against a clip, from where on, and from where on without listening."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import ParameterError
from .measures import Measures

_MOST = 10.0  # urgencies end here, so that one figure without an upper end does not hide all others


@dataclass(frozen=True)
class Limit:
    """When a measure is a reason.

    Args:
        measure: Name of a field of :class:`.measures.Measures`, or "similarity" (see :mod:`.duplicates`).
        soft: From here on a clip is flagged, to be listened to.
        hard: From here on it is rejected when flags are applied without listening. A ``hard`` below ``soft`` means that
            small figures are the bad ones.
        rejects: Whether the hard limit may reject; false where healthy sounds can reach any figure.
        what: The figure in words, with ``{value}``.
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
        """Negative: no reason; 0 at the soft limit, 1 at the hard one; 10 at most."""
        return min(_MOST, (value - self.soft) / (self.hard - self.soft))


@dataclass(frozen=True)
class Flag:
    """One reason against one clip: its name, the figure, how urgent it is (see :class:`Limit`), in words."""

    reason: str
    value: float
    urgency: float
    rejects: bool
    text: str


# Chosen on 454 clips of field recordings, speech, music and effects. Noise floors have no limit: rain is all floor.
LIMITS: Mapping[str, Limit] = {
    "clipped": Limit("clipped_per_s", 0.5, 5.0, True, "{value:.1f} flat-topped runs per second"),
    "silent": Limit("quiet_share", 0.5, 0.95, True, "{value:.0%} of it lies under -70 dBFS"),
    "padded": Limit("silence_share", 0.2, 0.95, True, "{value:.0%} of it is digital silence"),
    "quiet": Limit("loudness_lufs", -50.0, -65.0, True, "loudness {value:.1f} LUFS"),
    # 16 kHz in a 44.1 kHz file is .27; a 22.05 kHz recording in it .5
    "band_limited": Limit("lost_band", 0.2, 0.6, True, "the upper {value:.0%} of its band is cut off"),
    # Engines and rotors turn steadily too, and fire crackles: these two are for ears to decide.
    "humming": Limit("hum_db", 18.0, 30.0, False, "lines at mains multiples stand out by {value:.0f} dB"),
    "clicking": Limit("clicks_per_s", 2.0, 10.0, False, "{value:.1f} clicks per second"),
    "dc_offset": Limit("dc_db", -45.0, -25.0, True, "constant offset of {value:.0f} dBFS"),
    "duplicate": Limit("similarity", 0.4, 0.8, True, "{value:.0%} alike"),
}


def make_limits(changes: Mapping[str, Mapping[str, Any] | None] | None = None) -> dict[str, Limit]:
    """:data:`LIMITS` with other numbers: reason -> {soft, hard, rejects}; ``None`` leaves a reason out.

    Raises:
        ParameterError: an unknown reason or key, or numbers that are no limits.
    """
    made = dict(LIMITS)
    for reason, change in (changes or {}).items():
        if reason not in LIMITS:
            raise ParameterError(f"limits: there is no reason {reason!r}; there are {', '.join(LIMITS)}.")
        if change is None:
            del made[reason]
            continue
        if unknown := sorted(set(change) - {"soft", "hard", "rejects"}):
            raise ParameterError(f"limits.{reason} has no {unknown[0]!r}; it has soft, hard and rejects.")
        made[reason] = dataclasses.replace(made[reason], **change)
    return made


def judge(measures: Measures, limits: Mapping[str, Limit]) -> list[Flag]:
    """The reasons against a clip by its own measures, most urgent first; what compares clips is not among them."""
    flags = []
    for reason, limit in limits.items():
        value = getattr(measures, limit.measure, None)
        if value is not None and limit.urgency(value) >= 0:
            flags.append(make_flag(reason, limit, float(value)))
    return sorted(flags, key=lambda flag: -flag.urgency)


def make_flag(reason: str, limit: Limit, value: float, more: str = "") -> Flag:
    return Flag(reason, value, limit.urgency(value), limit.rejects, limit.what.format(value=value) + more)
