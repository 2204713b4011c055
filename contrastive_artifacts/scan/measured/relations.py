"""Relations of a left and a right channel: identical, inverted, missing, delayed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...audio.lag import place_of

IDENTICAL, INVERTED, MISSING, DELAYED = "identical", "inverted", "missing", "delayed"
DELAYED_INVERTED = "delayed and inverted"
# Left and right channels in the order of wave files (L R C LFE surrounds).
PAIRS = {2: ((0, 1),), 3: ((0, 1),), 4: ((0, 1), (2, 3)), 5: ((0, 1), (3, 4)), 6: ((0, 1), (4, 5)),
         7: ((0, 1), (5, 6)), 8: ((0, 1), (4, 5), (6, 7))}  # fmt: skip
_SOUNDING, _MISSING = 1e-7, 1e-9  # mean squares: -70 dBFS, -90 dBFS
_EQUAL = 1e-4  # energy of the difference: 40 dB below the channels, so that lossy coding is allowed
_SIMILAR = 0.9  # power ratio; channels further apart in level have a difference above that, which saves its computation
_LAG_S, _FRAME_S = 0.01, 0.085
_ALIKE = 0.9  # normalised correlation of a delayed copy
_LEAST_DELAY = 0.25  # samples
_AGREE = 1.0  # samples: pieces whose delay lies further from the median are not of that delay
_LEAST_SHARE = 0.05
_LEAST_DELAYED = 4  # pieces; of tonal music a single one may seem delayed


@dataclass(frozen=True)
class Relation:
    """Attributes:
    kind: "identical", "inverted", "missing", "delayed" or "delayed and inverted".
    channels: The two channels, from 0; of "missing" the one that is.
    share: Share of the half seconds in which one of the two sounds, in [0, 1].
    delay_samples, delay_us: By how much the second channel is later than the first; negative where it is earlier. None
        where there is no delay.
    """

    kind: str
    channels: tuple[int, ...]
    share: float
    delay_samples: float | None = None
    delay_us: float | None = None


@dataclass
class _Pair:
    """Half seconds of a pair: those that sound, those of each kind, and the delays, in samples, of each kind."""

    sounding: int = 0
    counts: dict[tuple[str, tuple[int, ...]], int] = field(default_factory=dict)
    delays: dict[str, list[float]] = field(default_factory=lambda: {DELAYED: [], DELAYED_INVERTED: []})


class Relations:
    """Judges each piece of a recording (half a second) by itself.

    Channels are identical (inverted) where their difference (sum) is 40 dB below them, one is missing where it is below
    -90 dBFS and the other is above -70, and delayed where their cross-correlation within 10 ms is largest at another
    lag than 0, and at least .9 there.
    """

    def __init__(self, channels: int, sample_rate: int) -> None:
        self._rate, self._lag, self._frame = sample_rate, round(_LAG_S * sample_rate), round(_FRAME_S * sample_rate)
        self._pairs = {pair: _Pair() for pair in PAIRS.get(channels, ())}

    def add(self, piece: np.ndarray) -> None:
        """Takes the next piece ``[C, n]``."""
        for (a, b), pair in self._pairs.items():
            self._judge(pair, piece[a], piece[b], (a, b))

    def relations(self) -> tuple[Relation, ...]:
        """Those of at least a twentieth of the time; delays, of at least 2 s."""
        relations = []
        for channels, pair in self._pairs.items():
            relations += [Relation(kind, which, n / pair.sounding) for (kind, which), n in sorted(pair.counts.items())]
            for kind, delays in pair.delays.items():
                all_delays = np.array(delays)
                agree = all_delays[np.abs(all_delays - np.median(all_delays)) <= _AGREE] if delays else all_delays
                if len(agree) >= _LEAST_DELAYED:
                    delay = round(float(np.median(agree)), 2)
                    microseconds = round(delay / self._rate * 1e6, 1)
                    relations.append(Relation(kind, channels, len(agree) / pair.sounding, delay, microseconds))
        return tuple(relation for relation in relations if relation.share >= _LEAST_SHARE)

    def _judge(self, pair: _Pair, a: np.ndarray, b: np.ndarray, channels: tuple[int, int]) -> None:
        powers = _power(a), _power(b)
        if max(powers) < _SOUNDING:
            return
        pair.sounding += 1
        which: tuple[int, ...] = channels
        if min(powers) < _MISSING:
            kind, which = MISSING, (channels[int(np.argmin(powers))],)
        elif min(powers) > _SIMILAR * max(powers) and _power(a - b) < _EQUAL * max(powers):
            kind = IDENTICAL
        elif min(powers) > _SIMILAR * max(powers) and _power(a + b) < _EQUAL * max(powers):
            kind = INVERTED
        else:
            delay, height = self._delay(a, b)
            if abs(height) >= _ALIKE and abs(delay) >= _LEAST_DELAY:
                pair.delays[DELAYED if height > 0 else DELAYED_INVERTED].append(delay)
            return
        pair.counts[kind, which] = pair.counts.get((kind, which), 0) + 1

    def _delay(self, a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
        """Samples by which b is later than a, and the correlation there, in [-1, 1]; (0, 0) for a piece too short."""
        lag, first = self._lag, (a.size - self._frame) // 2
        if first <= lag:
            return 0.0, 0.0
        outer = b[first - lag : first + self._frame + lag]
        place, height = place_of(a[first : first + self._frame], outer)
        return (place - lag, height) if height else (0.0, 0.0)


def _power(samples: np.ndarray) -> float:
    """Mean square without the offset."""
    return float(np.dot(samples, samples)) / samples.size - float(samples.mean()) ** 2
