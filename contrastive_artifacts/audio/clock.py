"""The player's clock: where decoded frames lie in time, and how much silence belongs between them.

Sample index / sample rate is the time at which a player plays the sample, counted from the start of the file (its
earliest audio or picture). Where the audio starts later, or where packets were lost, the time stamps jump forward, and
silence fills the jump.
"""

from __future__ import annotations

from copy import copy
from fractions import Fraction
from math import lcm

import av
from av.stream import Disposition

TOLERANCE_S = 0.05  # or one codec frame if that is longer: smaller deviations are rounding and jitter of time stamps
_JUMP_S = 0.01  # a smaller step between two frames is no loss, even if many of them add up (clock drift of a recorder)
_RESTART_S = 10.0  # as in FFmpeg: a larger jump in a transport or program stream is another recording, no gap
_LONGEST_S = 3600.0  # a longer jump is believed only within the stated length of the container
_ABSURD_S = 6 * 3600.0  # bounds what a damaged time stamp can add
_MAY_RESTART = ("mpegts", "mpeg")


class Clock:
    """Compares time stamps of frames with the number of samples before them.

    Args:
        sample_rate: Hz.
        origin: Time in seconds at which the container starts.
        tick: Unit of the time stamps in seconds.
        duration_s: Length of the container in seconds, if it is stated.
        restarts: Whether large jumps of the time stamps are restarts of the clock (transport and program streams).
    """

    def __init__(
        self, sample_rate: int, origin: Fraction, tick: Fraction, duration_s: float | None, restarts: bool
    ) -> None:
        self._rate, self._origin, self._restarts = sample_rate, origin, restarts
        # Integers, for speed: time = (pts * factor - offset) / divisor
        self._divisor = lcm((tick * sample_rate).denominator, (origin * sample_rate).denominator)
        self._factor = int(tick * sample_rate * self._divisor)
        self._offset = int(origin * sample_rate * self._divisor) - self._divisor // 2
        self._end = None if duration_s is None else (duration_s + _RESTART_S) * sample_rate
        self._tolerance, self._jump = self._samples(TOLERANCE_S), self._samples(_JUMP_S)
        self._shift = 0  # time stamp - position in samples: offsets for which there is no silence
        self._next: int | None = None  # expected time stamp of the next frame, in samples

    def time(self, pts: int | None) -> int | None:
        """A time stamp in samples from the start of the container, rounded."""
        return None if pts is None else (pts * self._factor - self._offset) // self._divisor

    def start_at(self, time: int | None, lost: int = 0) -> int:
        """Position of the first frame: 0 if it starts with the container, up to the tolerance.

        Args:
            time: Its time stamp, see :meth:`time`.
            lost: Samples before it that could not be decoded.
        """
        if time is None:
            return lost
        late = self._tolerance < time and self._is_gap(time, time, first=True)
        position = max(time if late else 0, lost)
        self._shift = time - position
        return position

    def again(self) -> Clock:
        """This clock for another reading of the same stream."""
        clock = copy(self)
        clock._next = None
        return clock

    def position(self, time: int) -> int:
        """Position of a frame that was reached by seeking."""
        return time - self._shift

    def seconds(self, position: int) -> Fraction:
        """The time stamp in seconds of a sample."""
        return self._origin + Fraction(position + self._shift, self._rate)

    def silence(self, position: int, time: int | None, length: int) -> int:
        """Samples of silence to insert before a frame.

        Args:
            position: Samples before the frame so far.
            time: Its time stamp, see :meth:`time`.
            length: Its length in samples at the rate of the stream.
        """
        expected = self._next
        if time is None:
            self._next = None if expected is None else expected + length
            return 0
        self._next = time + length
        if expected is None:
            return 0
        tolerance = max(self._tolerance, length)
        deviation, jump = time - self._shift - position, time - expected
        late = deviation > tolerance and jump > self._jump
        if late and self._is_gap(deviation, time - self._shift):
            return deviation
        if late or jump < -tolerance:  # the clock was restarted
            self._shift += deviation
        return 0

    def corrected(self, silence: int, length: int, following: list[tuple[int | None, int]]) -> int:
        """The silence before a frame, corrected by the time stamps of the frames after it.

        Behind lost packets, the first frames can count on from the time stamp of a damaged one.

        Args:
            silence: As :meth:`silence` gave it for the frame.
            length: Length of the frame in samples.
            following: Time stamp and length of each of the frames after it.
        """
        error, expected = 0, self._next
        for time, samples in following:
            if time is not None and expected is not None:
                error = time - expected
            expected = None if expected is None else expected + samples
        return max(0, silence + error) if abs(error) <= max(self._tolerance, length) else silence

    def skip(self, samples: int) -> None:
        """Moves the expected time stamp by samples that could not be decoded."""
        self._next = None if self._next is None else self._next + samples

    def _is_gap(self, deviation: int, target: int, first: bool = False) -> bool:
        longest = _RESTART_S if self._restarts and not first else _LONGEST_S if self._end is None else _ABSURD_S
        return deviation <= self._samples(longest) and (self._end is None or target <= self._end)

    def _samples(self, seconds: float) -> int:
        return round(seconds * self._rate)


def of_container(
    container: av.container.InputContainer, stream: av.AudioStream, first: av.AudioFrame, lost: int
) -> tuple[Clock, int]:
    """The clock of a stream and the position of its first frame.

    The clock starts with the earliest of the other audio and video streams or of this one. This one starts where its
    first decoded frame does: the first packets of some codecs only fill the decoder.

    Args:
        container: The file.
        stream: The stream that is decoded.
        first: Its first frame that can be decoded.
        lost: Samples before that frame that could not be decoded.
    """
    rate = first.sample_rate
    tick = first.time_base or stream.time_base or Fraction(1, rate)
    starts = [
        s.start_time * s.time_base
        for s in (*container.streams.audio, *container.streams.video)
        if s is not stream and s.start_time is not None and s.time_base and not s.disposition & Disposition.attached_pic
    ]
    if first.pts is not None:
        starts.append(first.pts * tick - Fraction(lost, rate))
    duration_s = container.duration / av.time_base if container.duration and container.duration > 0 else None
    restarts = container.format.name in _MAY_RESTART
    clock = Clock(rate, min(starts, default=Fraction(0)), tick, duration_s, restarts)
    return clock, clock.start_at(clock.time(first.pts), lost)
