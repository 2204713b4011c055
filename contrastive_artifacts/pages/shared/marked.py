"""What is marked on a picture of a sound: clipped runs, mains lines, and how its channels are related."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...data.curation.hum import HumMeter
from ...data.curation.limits import LIMITS
from ...scan.measured.clipping import Clipping
from ...scan.measured.relations import IDENTICAL, INVERTED, MISSING, Relations

_PIECE_S = 0.5
_PIECES = 12  # pieces that are compared between channels, spread over the window
_HUM_S = 10.0  # of the middle of the window, in which hum is looked for
_MOST_RUNS = 200
_MOSTLY = 0.5  # a relation that holds in less of a window is not stated


def marks(waveform: np.ndarray, sample_rate: int) -> dict[str, Any]:
    """Measures of a window [C, T], as JSON for a page.

    Returns:
        ``clipped``: [start, stop, clipped samples] of groups of clipped samples in any channel, the first 200;
        ``mains``: frequency in Hz, level in dBFS and prominence in dB of mains hum in the channel where it stands out
        most, or None; ``relation``: such as "R is −L" and "R is silent", or "".
    """
    clipping, relations = Clipping(len(waveform), sample_rate), Relations(len(waveform), sample_rate)
    piece = max(1, round(_PIECE_S * sample_rate))
    starts = np.arange(0, waveform.shape[1], piece)
    for start in starts:
        clipping.add(waveform[:, start : start + piece])
    for start in starts[:: max(1, len(starts) // _PIECES)]:
        relations.add(waveform[:, start : start + piece])
    runs = sorted((finding.start, finding.stop, round(finding.value)) for finding in clipping.findings())
    beside = max(0, waveform.shape[1] - round(_HUM_S * sample_rate)) // 2
    middle = waveform[:, beside : waveform.shape[1] - beside]
    return {
        "clipped": [list(run) for run in runs[:_MOST_RUNS]],
        "mains": _mains(middle, sample_rate),
        "relation": _relation(relations) if len(waveform) == 2 else "",
    }


def _mains(waveform: np.ndarray, sample_rate: int) -> dict[str, float] | None:
    hums = []
    for channel in waveform:
        meter = HumMeter(channel.size, sample_rate)
        meter.add(channel)
        hums.append(meter.hum())
    hum = max(hums, key=lambda hum: hum.prominence_db)
    if hum.prominence_db < LIMITS["humming"].soft:
        return None
    return {"hz": hum.mains_hz, "level_db": round(hum.level_db, 1), "prominence_db": round(hum.prominence_db, 1)}


def _relation(relations: Relations) -> str:
    texts = {(IDENTICAL, (0, 1)): "L and R are equal", (INVERTED, (0, 1)): "R is −L",
             (MISSING, (0,)): "L is silent", (MISSING, (1,)): "R is silent"}  # fmt: skip
    of_most = max(relations.relations(), key=lambda relation: relation.share, default=None)
    return texts.get((of_most.kind, of_most.channels), "") if of_most and of_most.share >= _MOSTLY else ""
