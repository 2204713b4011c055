"""A measured part of a recording."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A part ``[start, stop)`` of a recording, in samples, of which something was measured.

    Attributes:
        start, stop: Samples at the recording's own rate.
        kind: "digital clipping", "digital silence", "leader silence" or "trailer silence".
        value, unit: The measure.
        channel: Number of the channel, from 0; None for all channels.
    """

    start: int
    stop: int
    kind: str
    value: float
    unit: str
    channel: int | None = None

    @property
    def text(self) -> str:
        """The value with its unit.

        >>> Finding(0, 3, "digital clipping", 3.0, "samples").text, Finding(0, 6000, "digital silence", 0.125, "s").text
        ('3 samples', '0.125 s')
        """
        return f"{self.value:.3f}".rstrip("0").rstrip(".") + f" {self.unit}"
