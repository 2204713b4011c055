"""All measures of a recording in one pass over its blocks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import audio
from ...data.curation.blocks import Carry
from .bandwidth import Bandwidth, BandwidthMeter
from .clipping import Clipping
from .finding import Finding
from .levels import Levels, TruePeak
from .mains import Mains, MainsMeter
from .relations import Relation, Relations
from .silence import Silence

_PIECE_S = 0.5


@dataclass(frozen=True)
class Measured:
    """What the samples of a recording say by themselves, without a network. No value is NaN or infinite.

    Attributes:
        findings: Parts of the recording, ordered by start.
        true_peak_dbtp: Of all channels (BS.1770-4); None for silence, and so for the next ones.
        sample_peak_dbfs: Largest sample.
        loudness_lufs: Integrated loudness (BS.1770-4); None also where all is below -70 LUFS.
        loudness_range_lu: EBU Tech 3342; None also for less than 3 s.
        dc: Mean of each channel outside of digital silence; 1.0 is full scale.
        relations: Of left and right channels; those that hold in at least a twentieth of the time.
        bandwidth: Upper edge of the spectrum; None for silence and for less than 2048 samples.
        mains: None where no lines stand out by 18 dB, and for less than 9 s.
    """

    findings: tuple[Finding, ...]
    true_peak_dbtp: float | None
    sample_peak_dbfs: float | None
    loudness_lufs: float | None
    loudness_range_lu: float | None
    dc: tuple[float, ...]
    relations: tuple[Relation, ...]
    bandwidth: Bandwidth | None
    mains: Mains | None


class Meter:
    """Measures a recording of C channels that is given block by block; the lengths of the blocks change no value.

    Memory grows by some 300 bytes a second, and by the findings.

    Args:
        channels: C.
        sample_rate: Hz.
    """

    def __init__(self, channels: int, sample_rate: int) -> None:
        self._channels, self._piece = channels, max(1, round(_PIECE_S * sample_rate))
        self._carry, self._position = Carry(self._piece), 0
        self._levels, self._true_peak = Levels(channels), TruePeak(channels, sample_rate)
        self._loudness = audio.Loudness(channels, sample_rate)
        self._clipping, self._silence = Clipping(channels, sample_rate), Silence(sample_rate)
        self._relations, self._bandwidth = Relations(channels, sample_rate), BandwidthMeter(sample_rate)
        self._mains = MainsMeter(channels, sample_rate)

    def watch(self, blocks: Iterable[tuple[int, np.ndarray]]) -> Iterator[tuple[int, np.ndarray]]:
        """Passes blocks ``(position, [C, n])`` on and measures them on the way."""
        for position, block in blocks:
            self.add(position, block)
            yield position, block

    def add(self, position: int, block: np.ndarray) -> None:
        """Takes the next samples ``[C, n]``; those missing before ``position`` are silent, as a player plays them."""
        while self._position < position:
            self._take(np.zeros((self._channels, min(self._piece, position - self._position)), np.float32))
        self._take(block)

    def measured(self, gaps: Sequence[tuple[int, int]] = ()) -> Measured:
        """The measures of what was given, once at its end.

        Args:
            gaps: Ranges ``[start, stop)`` without data, in order: they are no digital silence.
        """
        if self._carry.rest is not None and self._carry.rest.size:
            self._measure(self._carry.rest)
        silent = self._silence.end()
        findings = [*self._clipping.findings(), *self._silence.findings(gaps)]
        return Measured(
            findings=tuple(sorted(findings, key=lambda finding: (finding.start, finding.stop, finding.channel or 0))),
            true_peak_dbtp=_finite(audio.gain_to_db(self._true_peak.end())),
            sample_peak_dbfs=_finite(audio.gain_to_db(self._levels.peak())),
            loudness_lufs=_finite(self._loudness.lufs()),
            loudness_range_lu=self._loudness.range_lu(),
            dc=self._levels.dc(silent),
            relations=self._relations.relations(),
            bandwidth=self._bandwidth.bandwidth(),
            mains=self._mains.mains(),
        )

    def _take(self, block: np.ndarray) -> None:
        """Cuts blocks into pieces of half a second from the beginning on, whatever their length."""
        self._position += block.shape[1]
        pieces = self._carry.add(block)
        for start in range(0, pieces.shape[1], self._piece):
            self._measure(pieces[:, start : start + self._piece])

    def _measure(self, piece: np.ndarray) -> None:
        meters: tuple[Any, ...] = (self._levels, self._true_peak, self._loudness, self._clipping, self._silence,
                                   self._relations, self._bandwidth, self._mains)  # fmt: skip
        for meter in meters:
            meter.add(piece)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
