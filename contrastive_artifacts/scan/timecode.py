"""SMPTE time code (SMPTE ST 12-1): frames of a picture counted as hours, minutes, seconds and frames, exactly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from ..core.errors import ParameterError

RATES = {
    "23.976": Fraction(24000, 1001),
    "24": Fraction(24),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "30": Fraction(30),
    "50": Fraction(50),
    "59.94": Fraction(60000, 1001),
    "60": Fraction(60),
}
_TEXT = re.compile(r"(\d\d):(\d\d):(\d\d)([:;])(\d\d)")
_DROPPED = {30: 2, 60: 4}  # numbers left out at the beginning of each minute but those that ten divides


@dataclass(frozen=True)
class Timecode:
    """A time code of a recording.

    Rates of 1000/1001 count as the whole rate above them and so run behind the clock by 3.6 s an hour. Drop-frame
    counting of 29.97 and 59.94 leaves out the first 2 (4) numbers of each minute that ten does not divide, no frame,
    and stays within a few frames of the clock. It is written with a semicolon before the frames. After 23:59:59
    counting begins anew.

    Attributes:
        rate: Frames per second.
        drop: Whether drop-frame counting is in use.
        first: Number of the frame, counted from 00:00:00:00, in which the first sample of the recording lies.
    """

    rate: Fraction
    drop: bool = False
    first: int = 0

    @classmethod
    def of(cls, rate: float | str, start: str | None = None) -> Timecode:
        """The time code of a rate that begins at ``start``.

        Args:
            rate: One of :data:`RATES`, as a number or text.
            start: ``hh:mm:ss:ff``, or ``hh:mm:ss;ff`` for drop-frame counting; by default 0, drop-frame where there is
                such a counting.

        Raises:
            ParameterError: another rate, or a start that does not exist at this rate.
        """
        name = rate if isinstance(rate, str) else f"{rate:g}"
        if name not in RATES:
            raise ParameterError(f"timecode={rate}: give one of the rates {', '.join(RATES)}.")
        exact = RATES[name]
        may_drop = exact.denominator != 1 and -(-exact // 1) in _DROPPED
        if start is None:
            return cls(exact, may_drop)
        if ";" in start and not may_drop:
            raise ParameterError(f"start={start}: a semicolon is for drop-frame counting, of 29.97 and 59.94 only.")
        counting = cls(exact, ";" in start)
        return cls(exact, counting.drop, counting.frame(start))

    @property
    def nominal(self) -> int:
        """Numbers of frames in a second of the time code."""
        return -(-self.rate.numerator // self.rate.denominator)

    @property
    def _dropped(self) -> int:
        return _DROPPED[self.nominal] if self.drop else 0

    def text(self, frame: int) -> str:
        """The time code of a frame, counted from the first one of the recording.

        >>> Timecode.of(29.97, "01:00:00;00").text(1800), Timecode.of(25).text(1800)
        ('01:01:00;02', '00:01:12:00')
        """
        minute, dropped = 60 * self.nominal - self._dropped, self._dropped
        ten = 10 * minute + dropped
        number = (self.first + frame) % (24 * 6 * ten)
        tens, within = divmod(number, ten)
        number += dropped * (9 * tens + max(0, within - dropped) // minute)
        seconds, frames = divmod(number, self.nominal)
        mark = ";" if self.drop else ":"
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{frames:02d}"

    def frame(self, text: str) -> int:
        """The frame of a time code, counted from 00:00:00:00.

        Raises:
            ParameterError: the text is no time code, or one that does not exist at this rate.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ParameterError(f"{text!r} is no time code; give hh:mm:ss:ff, such as 01:00:00:00.")
        hours, minutes, seconds, frames = (int(match[n]) for n in (1, 2, 3, 5))
        if hours > 23 or minutes > 59 or seconds > 59 or frames >= self.nominal:
            raise ParameterError(f"{text!r} does not exist with {self.nominal} frames in a second.")
        if seconds == 0 and minutes % 10 and frames < self._dropped:
            raise ParameterError(f"{text!r} does not exist: drop-frame counting leaves this number out.")
        minutes += 60 * hours
        number = (60 * minutes + seconds) * self.nominal + frames
        return number - self._dropped * (minutes - minutes // 10)

    def span(self, start: int, stop: int, sample_rate: int) -> tuple[str, str]:
        """The time codes of the first frame of the samples ``[start, stop)``, and of the frame after their last one."""
        first = start * self.rate.numerator // (sample_rate * self.rate.denominator)
        after = -(-stop * self.rate.numerator // (sample_rate * self.rate.denominator))
        return self.text(first), self.text(after)
