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

from .. import audio
from ..audio import windows
from ..core.console import track
from ..core.errors import ArtifactsError, ParameterError
from ..data.corpora import Clip, Corpus
from ..data.dataset import pool
from ..embedding import PretrainedEncoder, load
from ..probes import SetProbe
from .lanes import smoothed

RATES = (2.0, 6.0, 20.0, 60.0)  # false segments per hour, over all faults
FLAGGED = 0.1  # share of the clean windows in which a probe finds a fault, by the threshold of single windows
TAIL = 10  # peaks whose mean excess gives the slope of the tail beyond the largest of them
APART = 2  # windows between two peaks of one segment


@dataclass(frozen=True)
class CleanScan:
    """The chances that a scan of a clean recording found.

    Args:
        probabilities: [N, K], one row a window, "clean" first.
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
        window, hop = round(encoder.window_s * rate), round(encoder.hop_s * rate)
        parts = [audio.downmix(samples) for _, samples in windows.stream([(0, waveform)], window, hop)]
        return CleanScan(encoder.classify_windows(parts, rate)[0], waveform.shape[1] / rate, frozenset(clip.unknown))
    except ArtifactsError:
        return None


@lru_cache(maxsize=1)
def _encoder(folder: Path) -> PretrainedEncoder:
    return load(folder)


def thresholds(
    classes: Sequence[str], scans: Iterable[CleanScan], width: int = 3, rates: Sequence[float] = RATES
) -> Mapping[float, np.ndarray]:
    """False segments per hour over all faults -> thresholds float32 [K], each fault with the same share of them.

    A threshold lies between the peaks of the smoothed chances of all recordings that it may pass and those that it may
    not. Where the recordings are too short to hold a single false segment at that rate, the tail of the peaks is
    extended: an excess over a high level is exponential in log odds (peaks over threshold, Pickands, Annals of
    Statistics 3(1), 1975).

    Args:
        classes: K names, "clean" first.
        scans: Of clean recordings of sources that the encoder was not trained on.
        width: Windows of the median, as :func:`.scan.scan` uses it.
        rates: False segments per hour, each above 0.

    Raises:
        ParameterError: no recording, or a rate that is not above 0.
    """
    peaks: dict[str, list[np.ndarray]] = {name: [] for name in classes[1:]}
    hours = dict.fromkeys(classes[1:], 0.0)
    for scan in scans:
        odds = logit(np.clip(smoothed(scan.probabilities, width), 1e-9, 1 - 1e-9))
        for column, name in enumerate(classes[1:], start=1):
            if name not in scan.unknown:
                peaks[name].append(local_peaks(odds[:, column]))
                hours[name] += scan.seconds / 3600
    if not any(hours.values()) or min(rates, default=0) <= 0:
        raise ParameterError("Thresholds need clean recordings, and numbers of false segments per hour above 0.")
    result = {}
    for rate in rates:
        levels = [0.0]
        for name in classes[1:]:
            allowed = rate / len(peaks) * hours[name]
            levels.append(_level(np.concatenate(peaks[name] or [np.zeros(0)]), allowed))
        result[float(rate)] = np.asarray(expit(levels), np.float32)
    return result


def window_threshold(probe: SetProbe, scans: Sequence[CleanScan], share: float = FLAGGED) -> float:
    """The weighed chance above which ``share`` of all clean windows hold any fault that may be known of them.

    Raises:
        ParameterError: no recording, or a share outside (0, 1).
    """
    if not scans or not 0 < share < 1:
        raise ParameterError(f"A threshold needs clean recordings, and a share in (0, 1); got {share}.")
    largest = []
    for scan in scans:
        known = [column for column, name in enumerate(probe.classes) if column and name not in scan.unknown]
        largest.append(probe.weighed(scan.probabilities)[:, known].max(1, initial=0.0))
    return float(np.quantile(np.concatenate(largest), 1 - share).clip(1e-6, 1 - 1e-6))


def per_hour(probe: SetProbe, scans: Sequence[CleanScan], rate: float, width: int = 3) -> float:
    """False segments per hour, over all faults, at the thresholds for ``rate``; a fault counts where it is known."""
    enter, leave, total = probe.enter(rate), probe.leave(rate), 0.0
    smooth = [smoothed(scan.probabilities, width) for scan in scans]
    for column, name in enumerate(probe.classes[1:], start=1):
        known = [(chances, scan) for chances, scan in zip(smooth, scans, strict=True) if name not in scan.unknown]
        runs = [run for chances, _ in known for run in _runs(chances[:, column], leave[column])]
        count = sum(run.max() >= enter[column] for run in runs)
        hours = sum(scan.seconds for _, scan in known) / 3600
        total += count / hours if hours else 0.0
    return total


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


def _level(peaks: np.ndarray, allowed: float) -> float:
    """The level that ``allowed`` of the peaks exceed, as expected; 0 (a chance of one half) without peaks."""
    if not len(peaks):
        return 0.0
    falling = np.sort(peaks)[::-1]
    whole = int(allowed)
    if whole >= len(falling):
        return float(falling[-1])
    if whole >= 1:
        return float(falling[whole - 1] + falling[whole]) / 2
    tail = falling[: TAIL + 1]
    excess = float((tail[:-1] - tail[-1]).mean()) if len(tail) > 1 else 0.0
    return float(tail[0]) + excess * float(np.log(1 / max(allowed, 1e-6))) if allowed < 1 else float(tail[0])
