"""Thresholds of a probe of label sets, from scans of clean recordings: how often would each fault be raised?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from scipy.ndimage import find_objects, label
from scipy.special import expit, logit

from ..audio import windows
from ..core.console import track
from ..core.errors import ArtifactsError, ParameterError
from ..data.corpora import Clip, Corpus
from ..data.dataset import pool
from ..embedding import PretrainedEncoder, load
from ..probes import SetProbe
from .budget import STEPS, shared_out
from .lanes import median_width, smoothed
from .stretches import Hearing, heard

RATES = (2.0, 6.0, 20.0, 60.0)  # false segments per hour, over all faults
TAIL = 10  # peaks whose mean excess gives the slope of the tail beyond the largest of them
APART = 2  # windows between two peaks of one segment


@dataclass(frozen=True)
class CleanScan:
    """The chances that a scan of a clean recording found.

    Args:
        probabilities: [N, K], one row a window, "clean" first, after the median over neighbouring windows.
        seconds: Length of the recording.
        unknown: Faults that it may hold although it is taken as clean; it says nothing about them.
    """

    probabilities: np.ndarray
    seconds: float
    unknown: frozenset[str] = frozenset()


def clean_scans(folder: Path, corpus: Corpus, clips: Sequence[Clip], workers: int) -> Iterator[CleanScan]:
    """Scans clean clips with the encoder in ``folder``, one after another; clips that cannot be read are left out."""
    work = partial(_clean_scan, folder, corpus)
    with closing(pool.results(work, clips, workers)) as results:
        for _, result in track(results, f"scan clean clips of {corpus.name}", total=len(clips)):
            if isinstance(result, CleanScan):
                yield result


def _clean_scan(folder: Path, corpus: Corpus, clip: Clip) -> CleanScan | None:
    encoder = _encoder(folder)
    try:
        waveform, rate = corpus.load(clip)
        hearing = Hearing(encoder, rate, (None,))
        cuts = windows.stream([(0, waveform)], hearing.window, hearing.hop, hearing.context)
        (probabilities,) = heard(0, 0, cuts, hearing).probabilities
        probabilities = smoothed(probabilities, median_width(hearing.window, hearing.hop))
        return CleanScan(probabilities, waveform.shape[1] / rate, frozenset(clip.unknown))
    except ArtifactsError:
        return None


@lru_cache(maxsize=1)
def _encoder(folder: Path) -> PretrainedEncoder:
    return load(folder)


def thresholds(
    scans: Iterable[CleanScan], damaged: Mapping[str, np.ndarray], rates: Sequence[float] = RATES
) -> Mapping[float, np.ndarray]:
    """False segments per hour over all faults -> thresholds float32 [K], that of "clean" first.

    How many of the false segments a fault may raise is chosen for the recall of all faults, see
    :func:`.budget.shared_out`. A threshold lies between the peaks of the smoothed chances of all recordings that it may
    pass and those that it may not. Where the recordings are too short to hold a single false segment at that rate, the
    tail of the peaks is extended: an excess over a high level is exponential in log odds (peaks over threshold,
    Pickands, Annals of Statistics 3(1), 1975).

    Args:
        scans: Of clean recordings of sources that the encoder was not trained on.
        damaged: Each of the K - 1 faults, in the order of the columns of the scans -> its chances in windows that hold
            it, [N].
        rates: False segments per hour, each above 0.

    Raises:
        ParameterError: no recording, or a rate that is not above 0.
    """
    peaks: dict[str, list[np.ndarray]] = {name: [] for name in damaged}
    hours = dict.fromkeys(damaged, 0.0)
    for scan in scans:
        odds = _log_odds(scan.probabilities)
        for column, name in enumerate(damaged, start=1):
            if name not in scan.unknown:
                peaks[name].append(local_peaks(odds[:, column]))
                hours[name] += scan.seconds / 3600
    if not any(hours.values()) or min(rates, default=0) <= 0:
        raise ParameterError("Thresholds need clean recordings, and numbers of false segments per hour above 0.")
    falling = {name: np.sort(np.concatenate(parts or [np.zeros(0)]))[::-1] for name, parts in peaks.items()}
    levels = np.array([[_level(falling[name], step * hours[name]) for step in STEPS] for name in damaged])
    recalls = np.array(
        [
            (_log_odds(chances)[:, None] >= row).mean(0) if len(chances) else np.zeros(len(STEPS))
            for chances, row in zip(damaged.values(), levels, strict=True)
        ]
    )
    each = np.arange(len(levels))
    return {
        float(rate): np.concatenate([[0.5], expit(levels[each, shared_out(rate, recalls)])]).astype(np.float32)
        for rate in rates
    }


def _log_odds(chances: np.ndarray) -> np.ndarray:
    odds: np.ndarray = logit(np.clip(chances.astype(np.float64), 1e-9, 1 - 1e-9))
    return odds


def per_hour(probe: SetProbe, scans: Sequence[CleanScan], rate: float) -> dict[str, float]:
    """Fault -> false segments per hour at the thresholds for ``rate``, on recordings that say something about it."""
    enter, leave, raised = probe.enter(rate), probe.leave(rate), {}
    for column, name in enumerate(probe.classes[1:], start=1):
        known = [scan for scan in scans if name not in scan.unknown]
        runs = [run for scan in known for run in _runs(scan.probabilities[:, column], leave[column])]
        count = sum(run.max() >= enter[column] for run in runs)
        hours = sum(scan.seconds for scan in known) / 3600
        if hours:
            raised[name] = float(count / hours)
    return raised


def _runs(values: np.ndarray, leave: float) -> list[np.ndarray]:
    """The values [N] of each run that is not below ``leave``."""
    runs, _ = label(values >= leave)
    return [values[where] for where in find_objects(runs)]


def local_peaks(values: np.ndarray) -> np.ndarray:
    """The largest values [N], each of which stands for all within APART places of it, in falling order."""
    order, taken, peaks = np.argsort(-values, kind="stable"), np.zeros(len(values), bool), []
    for place in order.tolist():
        if not taken[place]:
            peaks.append(values[place])
            taken[max(0, place - APART) : place + APART + 1] = True
    return np.array(peaks)


def _level(falling: np.ndarray, allowed: float) -> float:
    """The level that ``allowed`` of the peaks exceed, as expected; 0 (a chance of one half) without peaks.

    Args:
        falling: All peaks, the largest first.
        allowed: Their number, which need not be whole.
    """
    if not len(falling):
        return 0.0
    whole = int(allowed)
    if whole >= len(falling):
        return float(falling[-1])
    if whole >= 1:
        return float(falling[whole - 1] + falling[whole]) / 2
    tail = falling[: TAIL + 1]
    excess = float((tail[:-1] - tail[-1]).mean()) if len(tail) > 1 else 0.0
    return float(tail[0]) + excess * float(np.log(1 / max(allowed, 1e-6)))
