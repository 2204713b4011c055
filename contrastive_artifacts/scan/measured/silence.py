"""Digital silence: all channels exactly zero."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...data.curation.blocks import Runs
from .finding import Finding

KIND, LEADER, TRAILER = "digital silence", "leader silence", "trailer silence"
_LEAST_S = 0.1


class Silence:
    """Runs of 0.1 s or more in which every sample of every channel is zero."""

    def __init__(self, sample_rate: int) -> None:
        self._rate, self._least = sample_rate, round(_LEAST_S * sample_rate)
        self._runs, self._samples = Runs(), 0
        self._spans: list[tuple[int, int]] = []

    def add(self, piece: np.ndarray) -> None:
        """Takes the next samples ``[C, n]``."""
        self._samples += piece.shape[1]
        self._take(*self._runs.add((piece == 0).all(axis=0)))

    def end(self) -> int:
        """Takes the run that the recording ends with; returns the number of silent samples."""
        self._take(*self._runs.end())
        return sum(stop - start for start, stop in self._spans)

    def findings(self, gaps: Sequence[tuple[int, int]]) -> list[Finding]:
        """After the end: the silence outside of gaps of the file; its value is its length in seconds.

        What begins with the recording is leader silence, what ends with it is trailer silence, unless it is both.
        """
        findings = []
        for start, stop in self._spans:
            kinds = {(True, False): LEADER, (False, True): TRAILER}
            kind = kinds.get((start == 0, stop == self._samples), KIND)
            for first, last in _outside(start, stop, gaps):
                if last - first >= self._least:
                    findings.append(Finding(first, last, kind, (last - first) / self._rate, "s"))
        return findings

    def _take(self, starts: np.ndarray, stops: np.ndarray) -> None:
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            if stop - start >= self._least:
                self._spans.append((start, stop))


def _outside(start: int, stop: int, gaps: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The parts of ``[start, stop)`` between gaps, which are in order."""
    for gap_start, gap_stop in gaps:
        if gap_stop > start and gap_start < stop:
            if gap_start > start:
                yield start, gap_start
            start = gap_stop
    if start < stop:
        yield start, stop
