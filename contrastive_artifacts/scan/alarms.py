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
from ..core import pool
from ..core.console import track
from ..core.errors import ArtifactsError, ParameterError
from ..data.corpora import Clip, Corpus
from ..embedding import PretrainedEncoder, load
from ..probes import SetProbe
from .lanes import median_width, smoothed
from .peaks import Levels, Peaks, log_odds
from .stretches import Hearing, heard

RATES = (2.0, 6.0, 20.0, 60.0)  # false segments per hour, over all faults


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


@dataclass(frozen=True)
class CleanLevels:
    """What clean recordings allow: levels that so many false segments exceed, of all and without each material.

    Make it by :meth:`of`.

    Args:
        levels: Of all recordings.
        left_out: Material -> its peaks, and the levels of all others; empty where there is but one material.
    """

    levels: Levels
    left_out: Mapping[str, tuple[Peaks, Levels]]

    @classmethod
    def of(cls, scans: Iterable[CleanScan], damaged: Mapping[str, np.ndarray]) -> CleanLevels:
        """Measures them.

        Args:
            scans: Of clean recordings of sources that the encoder was not trained on.
            damaged: Each of the K - 1 faults, in the order of the columns of the scans -> its chances in windows that
                hold it, [N].

        Raises:
            ParameterError: there is no recording.
        """
        materials: dict[str, Peaks] = {}
        for scan in scans:
            material = materials.setdefault(scan.material, Peaks.none(damaged))
            material.add(log_odds(scan.probabilities), scan.seconds / 3600, scan.unknown)
        odds = {name: log_odds(chances) for name, chances in damaged.items()}
        if not any(material.length for material in materials.values()):
            raise ParameterError("Thresholds need clean recordings.")
        left_out: dict[str, tuple[Peaks, Levels]] = {}
        for name, material in materials.items() if len(materials) > 1 else ():
            others = [other for other in materials.values() if other is not material]
            left_out[name] = material, Levels.of(others, odds)
        return cls(Levels.of(list(materials.values()), odds), left_out)

    def thresholds(self, rates: Sequence[float] = RATES) -> Mapping[float, np.ndarray]:
        """False segments per hour over all faults -> thresholds float32 [K], that of "clean" first.

        How many of the false segments a fault may raise is chosen for the recall of all faults, see
        :func:`.budget.shared_out`; what they count as, by material that is left out, see :meth:`.peaks.Levels.of`. A
        threshold lies between the peaks of the smoothed chances of all recordings that it may pass and those that it
        may not. Where the recordings are too short to hold a single false segment at that rate, the tail of the peaks
        is extended: an excess over a high level is exponential in log odds (peaks over threshold, Pickands, Annals of
        Statistics 3(1), 1975).

        Args:
            rates: False segments per hour, each above 0.

        Raises:
            ParameterError: no rate, or one that is not above 0.
        """
        if min(rates, default=0) <= 0:
            raise ParameterError("Thresholds need numbers of false segments per hour above 0.")
        return {float(rate): np.concatenate([[0.5], expit(self.levels.at(rate))]).astype(np.float32) for rate in rates}

    def left_out_rates(self, rates: Sequence[float] = RATES) -> list[tuple[float, str, float, float]]:
        """Rows (rate, material, hours, false segments per hour): what each raises at the thresholds of the others."""
        rows = []
        for rate in rates:
            for name, (material, levels) in self.left_out.items():
                raised = float(material.above(levels.at(rate)).sum())
                rows.append((rate, name, material.length, raised / material.length))
        return rows


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
