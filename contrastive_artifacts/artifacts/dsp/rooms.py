"""Shoebox rooms by the image-source method (Allen and Berkley 1979, J. Acoust. Soc. Am. 65, 943-950)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from ...core.errors import ParameterError
from .decay import decay
from .filters import butterworth

SPEED_OF_SOUND = 343.0  # m/s, at 20 degrees Celsius
MOST_IMAGES = 20_000  # then a statistical tail: the echoes are too dense to be distinguished
_HIGHPASS_HZ = 50.0  # all images have the same sign, so that they sum up to an offset that no room has
_GRID = 8  # positions per sample, linearly interpolated: an error of 0.1 dB at half the sample rate
_HALF_WIDTH = 16  # samples of the interpolating sinc on either side


@dataclass(frozen=True)
class Shoebox:
    """A rectangular room whose walls reflect all frequencies equally.

    Attributes:
        size: length, width and height in m.
        absorption: absorbed share of the energy, 0 .. 1, of the walls x = 0, x = length, y = 0, y = width, floor and
            ceiling.
    """

    size: tuple[float, float, float]
    absorption: tuple[float, float, float, float, float, float]

    @property
    def volume(self) -> float:
        return self.size[0] * self.size[1] * self.size[2]

    @property
    def areas(self) -> np.ndarray:
        """Areas of the six walls in m2, ``[6]``."""
        x, y, z = self.size
        return np.array([y * z, y * z, x * z, x * z, x * y, x * y])

    @property
    def absorbing_area(self) -> float:
        """-S ln(1 - a) in m2, with the total area S and the mean absorption a by area (Eyring 1930)."""
        mean = float(np.dot(self.areas, self.absorption) / self.areas.sum())
        return float(-self.areas.sum() * np.log1p(-min(mean, 0.999)))

    @property
    def t60(self) -> float:
        """Eyring's decay time in s."""
        return float(24.0 * np.log(10.0) / SPEED_OF_SOUND * self.volume / self.absorbing_area)

    @property
    def critical_distance(self) -> float:
        """The distance in m at which the direct sound is as loud as the diffuse field."""
        return float(np.sqrt(self.absorbing_area / (16.0 * np.pi)))

    def check_inside(self, point: ArrayLike, what: str) -> None:
        place = np.asarray(point, dtype=np.float64)
        if not ((place > 0.0) & (place < self.size)).all():
            raise ParameterError(f"The {what} at {place.tolist()} m is not inside a room of {list(self.size)} m.")

    def images(self, source: ArrayLike, microphone: ArrayLike, reach: float) -> tuple[np.ndarray, np.ndarray]:
        """Distance in m, and gain re 1 m, of every image source within ``reach`` m, the source itself included.

        Returns:
            float64 ``[K]`` and ``[K]``, unsorted.
        """
        start, end = np.asarray(source, dtype=np.float64), np.asarray(microphone, dtype=np.float64)
        log_wall = 0.5 * np.log1p(-np.minimum(self.absorption, 0.999))  # of the amplitude
        squares, logs = [], []
        for axis, side in enumerate(self.size):
            count = int(np.ceil(reach / (2.0 * side))) + 1
            n = np.repeat(np.arange(-count, count + 1), 2)
            mirrored = np.tile([0, 1], 2 * count + 1)
            offset = 2.0 * n * side + (1 - 2 * mirrored) * start[axis] - end[axis]
            bounces = np.abs(n - mirrored) * log_wall[2 * axis] + np.abs(n) * log_wall[2 * axis + 1]
            near = np.abs(offset) <= reach
            squares.append(offset[near] ** 2)
            logs.append(bounces[near])
        square, log_gain = squares[0], logs[0]
        for more, walls in zip(squares[1:], logs[1:], strict=True):
            total = square[:, None] + more
            near = total <= reach**2
            square, log_gain = total[near], (log_gain[:, None] + walls)[near]
        distance = np.maximum(np.sqrt(square), 1e-3)
        return distance, np.exp(log_gain) / distance

    def reflections(
        self,
        source: ArrayLike,
        microphone: ArrayLike,
        sample_rate: int,
        samples: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """The impulse response without its direct sound (which is 1 at sample 0): float32 ``[L]``, L <= ``samples``.

        Image sources with fractional delays (windowed sinc), high-passed at 50 Hz, until they have decayed by 60 dB or
        there are :data:`MOST_IMAGES` of them; then Gaussian noise with Eyring's decay time.

        Args:
            source, microphone: positions in the room, in m.
            sample_rate: Hz.
            samples: greatest length.
            rng: draws the tail.

        Raises:
            ParameterError: a position is not inside the room.
        """
        self.check_inside(source, "source")
        self.check_inside(microphone, "microphone")
        direct = max(float(np.linalg.norm(np.subtract(source, microphone))), 1e-3)
        reach = direct + SPEED_OF_SOUND * self.t60
        reach = min(reach, max((MOST_IMAGES * self.volume * 0.75 / np.pi) ** (1 / 3), 2 * direct))
        farthest = direct + SPEED_OF_SOUND * (samples + _HALF_WIDTH) / sample_rate
        distance, gain = self.images(source, microphone, min(reach, farthest))
        late = distance > direct * (1 + 1e-9)
        delay = (distance[late] - direct) * (sample_rate / SPEED_OF_SOUND)
        length = min(samples, int((reach - direct) * sample_rate / SPEED_OF_SOUND) + 1)
        early = scipy.signal.sosfilt(
            butterworth(2, _HIGHPASS_HZ, sample_rate, highpass=True), _at(delay, gain[late] * direct, length)
        )
        whole = min(samples, int(self.t60 * sample_rate) + 1)
        if whole <= length:
            return early.astype(np.float32)
        window = np.arange(length - max(1, length // 4), length)
        falling = np.exp(-6.0 * np.log(10.0) * (window - length) / (self.t60 * sample_rate))
        level = np.sqrt(np.square(early[window]).sum() / falling.sum())
        tail = rng.standard_normal(whole - length, dtype=np.float32)
        tail *= np.float32(level) * decay(whole - length, self.t60, sample_rate)
        return np.concatenate([early.astype(np.float32), tail])


def _at(delay: np.ndarray, gain: np.ndarray, length: int) -> np.ndarray:
    """Band-limited impulses at fractional ``delay`` ``[K]`` in samples: float64 ``[length]``."""
    position = delay * _GRID
    left = position.astype(np.int64)
    share = position - left
    size = (length + _HALF_WIDTH) * _GRID
    fits = left < size - 1
    left, share, gain = left[fits], share[fits], gain[fits]
    grid = np.bincount(left, gain * (1.0 - share), size) + np.bincount(left + 1, gain * share, size)
    sinc = scipy.signal.firwin(2 * _HALF_WIDTH * _GRID + 1, 0.96 / _GRID, window=("kaiser", 8.0))
    return scipy.signal.resample_poly(grid, 1, _GRID, window=_GRID * sinc)[:length]
