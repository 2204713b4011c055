"""Thresholds of a probe of label sets, from scans of clean recordings: how often would each fault be raised?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from scipy.ndimage import find_objects, label
from scipy.special import expit

from ..audio import windows
from ..core.console import track
from ..core.errors import ArtifactsError, ParameterError
from ..data.corpora import Clip, Corpus
from ..data.dataset import pool
from ..embedding import PretrainedEncoder, load
from ..probes import SetProbe
from .lanes import median_width, smoothed
from .peaks import Levels, Peaks, log_odds
from .stretches import Hearing, heard

RATES = (2.0, 6.0, 20.0, 60.0)  # false segments per hour, over all faults
LESS = tuple(2.0 ** (-half / 2) for half in range(11))  # shares of a rate that thresholds are set for, see thresholds()


@dataclass(frozen=True)
class CleanScan:
    """The chances that a scan of a clean recording found.

    Args:
        probabilities: [N, K], one row a window, "clean" first, after the median over neighbouring windows.
        seconds: Length of the recording.
        unknown: Faults that it may hold although it is taken as clean; it says nothing about them.
        material: Name of the kind of material that it belongs to.
    """

    probabilities: np.ndarray
    seconds: float
    unknown: frozenset[str] = frozenset()
    material: str = ""


def clean_scans(
    folder: Path, corpus: Corpus, clips: Sequence[Clip], workers: int, material: str = ""
) -> Iterator[CleanScan]:
    """Scans clean clips with the encoder in ``folder``, one after another; clips that cannot be read are left out."""
    work = partial(_clean_scan, folder, corpus, material)
    with closing(pool.results(work, clips, workers)) as results:
        for _, result in track(results, f"scan clean clips of {corpus.name}", total=len(clips)):
            if isinstance(result, CleanScan):
                yield result


def _clean_scan(folder: Path, corpus: Corpus, material: str, clip: Clip) -> CleanScan | None:
    encoder = _encoder(folder)
    try:
        waveform, rate = corpus.load(clip)
        hearing = Hearing(encoder, rate, (None,))
        cuts = windows.stream([(0, waveform)], hearing.window, hearing.hop, hearing.context)
        (probabilities,) = heard(0, 0, cuts, hearing).probabilities
        probabilities = smoothed(probabilities, median_width(hearing.window, hearing.hop))
        return CleanScan(probabilities, waveform.shape[1] / rate, frozenset(clip.unknown), material)
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

    Material unlike that of the recordings raises more. Where there are several materials, thresholds are set for the
    largest share of a rate (LESS) for which each material, at thresholds set on the others, keeps to the rate on
    average.

    Args:
        scans: Of clean recordings of sources that the encoder was not trained on.
        damaged: Each of the K - 1 faults, in the order of the columns of the scans -> its chances in windows that hold
            it, [N].
        rates: False segments per hour, each above 0.

    Raises:
        ParameterError: no recording, or a rate that is not above 0.
    """
    clean = materials(scans, damaged)
    odds = {name: log_odds(chances) for name, chances in damaged.items()}
    together = Peaks.joined(list(clean.values()), damaged)
    if not any(together.hours.values()) or min(rates, default=0) <= 0:
        raise ParameterError("Thresholds need clean recordings, and numbers of false segments per hour above 0.")
    levels, left_out = Levels.of(together, odds), list(_left_out(clean, odds).values())
    return {
        float(rate): np.concatenate([[0.5], expit(levels.at(_nominal(rate, left_out)))]).astype(np.float32)
        for rate in rates
    }


def materials(scans: Iterable[CleanScan], names: Iterable[str]) -> dict[str, Peaks]:
    """Material -> the peaks of its scans, for the faults in the order of the columns of the scans."""
    names = list(names)
    clean: dict[str, Peaks] = {}
    for scan in scans:
        material = clean.setdefault(scan.material, Peaks.none(names))
        material.add(log_odds(scan.probabilities), scan.seconds / 3600, scan.unknown)
    return clean


def left_out_rates(
    scans: Iterable[CleanScan], damaged: Mapping[str, np.ndarray], rates: Sequence[float] = RATES
) -> list[tuple[float, str, float, float]]:
    """Rows (rate, material, hours, false segments per hour): what each material raises at the thresholds of the others.

    The arguments are those of :func:`thresholds`; no row where there is but one material.
    """
    odds = {name: log_odds(chances) for name, chances in damaged.items()}
    parts = _left_out(materials(scans, damaged), odds)
    rows = []
    for rate in rates:
        nominal = _nominal(rate, list(parts.values()))
        for name, (material, levels) in parts.items():
            rows.append((rate, name, material.length, material.above(levels.at(nominal)) / material.length))
    return rows


def _left_out(clean: Mapping[str, Peaks], odds: Mapping[str, np.ndarray]) -> dict[str, tuple[Peaks, Levels]]:
    """Material -> its peaks and the levels that all others give; nothing where there is but one material."""
    parts: dict[str, tuple[Peaks, Levels]] = {}
    for name, material in clean.items() if len(clean) > 1 else ():
        others = Peaks.joined([other for other in clean.values() if other is not material], odds)
        parts[name] = material, Levels.of(others, odds)
    return parts


def _nominal(rate: float, left_out: Sequence[tuple[Peaks, Levels]]) -> float:
    """The rate to set thresholds for; ``left_out`` are each material and the levels that the others give."""
    hours = sum(material.length for material, _ in left_out)
    for share in LESS:
        if sum(material.above(levels.at(rate * share)) for material, levels in left_out) <= rate * hours:
            break
    return rate * share


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
