"""Measures encoders of label sets on recordings that were resampled, coded or rounded since.

    python analysis/delivery.py
    python analysis/delivery.py encoders=[release,outputs/mine] 'corpora={speech: {kind: folder, path: DIR}}'

Each clip is rendered clean and with every fault, and each of these views goes through every delivery. A row has the
area of one fault against the clean views of the same delivery, its recall at the threshold that 5 % of these exceed,
and how often it is present; the clean views among which any fault is present stand in the row of "clean".
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__)

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import contrastive_artifacts as ca
from contrastive_artifacts import artifacts, audio
from contrastive_artifacts.artifacts import CLEAN
from contrastive_artifacts.artifacts.dsp.narrow import at_rate
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table, track
from contrastive_artifacts.core.errors import ArtifactsError
from contrastive_artifacts.core.seeding import derive, generator
from contrastive_artifacts.data.corpora import Clip, Corpus
from contrastive_artifacts.data.views.delivery import coded, rounded, under_full_scale
from contrastive_artifacts.data.views.sources import cut_window, window_start
from contrastive_artifacts.probes.set_metrics import fault_figures
from contrastive_artifacts.runs import corpus_sections
from contrastive_artifacts.runs.sets import AUDIBLE, UNHEARD

Delivery = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]
DELIVERIES: Mapping[str, Delivery] = {
    "as rendered": lambda samples, rate, rng: samples,
    "16 bits": lambda samples, rate, rng: rounded(samples, None),
    "16 bits, dithered": lambda samples, rate, rng: rounded(samples, rng),
    "another rate": lambda samples, rate, rng: at_rate(samples, rate, round(0.92 * rate)),  # as 44.1 in 48 kHz
    "MP3": lambda samples, rate, rng: coded(samples, rate, "mp3", 2.9),  # 128 kbit/s at 44.1 kHz
    "Vorbis": lambda samples, rate, rng: coded(samples, rate, "vorbis", 128.0),
}
HEADER = ["encoder", "corpus", "delivery", "fault", "views", "area", "recall", "present"]
SHOWN = ("mean", CLEAN)


@dataclass(frozen=True)
class Settings:
    encoders: list[str]
    corpora: Mapping[str, Mapping[str, Any]] | None
    clips: int
    seed: int
    csv: str


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    files.check_file("csv", settings.csv)
    corpora = corpus_sections.make_corpora(settings.corpora or UNHEARD)
    rows: list[list[Any]] = []
    for name in settings.encoders:
        encoder = ca.load(name)
        for corpus_name, corpus in corpora.items():
            rows += [[name, corpus_name, *row] for row in measured(encoder, corpus, settings)]
            files.write_csv(settings.csv, [HEADER, *(map(_text, row) for row in rows)])
    table("means over the faults, and clean views", HEADER, [list(map(_text, row)) for row in rows if row[3] in SHOWN])
    console.print(f"rows  {settings.csv}")


def measured(encoder: ca.PretrainedEncoder, corpus: Corpus, settings: Settings) -> Iterator[list[Any]]:
    """Rows [delivery, fault, views, area, recall, present] of a corpus, the means first."""
    names = [name for name in encoder.labels if name != CLEAN]
    order = generator(settings.seed, "delivery").permutation(len(corpus))[: settings.clips]
    chances: dict[str, list[np.ndarray]] = {delivery: [] for delivery in DELIVERIES}
    present: dict[str, list[np.ndarray]] = {delivery: [] for delivery in DELIVERIES}
    there: list[np.ndarray] = []
    unknown: list[np.ndarray] = []
    for number in track(order.tolist(), f"deliver {corpus.name}"):
        clip = corpus.clips[number]
        for fault, view, rate in _rendered(corpus, clip, names, settings.seed):
            there.append(np.array([name == fault for name in names]))
            unknown.append(np.array([name in clip.unknown and name != fault for name in names]))
            for delivery, deliver in DELIVERIES.items():
                delivered = deliver(view, rate, generator(settings.seed, clip.id, fault, "dither"))
                heard = encoder.classify((delivered[None], rate))
                chances[delivery].append(np.array([heard.probabilities[name] for name in names]))
                present[delivery].append(np.array([name in heard.present for name in names]))
    for delivery in DELIVERIES:
        arrays = (np.array(chances[delivery]), np.array(there), np.array(unknown), np.array(present[delivery]))
        yield from ([delivery, *row] for row in _figures(names, *arrays))


def _rendered(corpus: Corpus, clip: Clip, names: Sequence[str], seed: int) -> Iterator[tuple[str, np.ndarray, int]]:
    """A window of 5 s of the clip as it is and with every fault: its name, float32 [T], and the rate in Hz."""
    try:
        waveform, rate = corpus.load(clip)
    except ArtifactsError:
        return
    mono = audio.mono(waveform)[None]
    window = cut_window(mono, window_start(mono, 5 * rate, generator(seed, clip.id, "crop")), 5 * rate)
    for name in (CLEAN, *names):
        severity = float(generator(seed, clip.id, name).uniform(*AUDIBLE)) if name != CLEAN else 0.0
        view = artifacts.render(name, window, rate, severity, seed=derive(seed, clip.id, name)).waveform[0]
        yield name, under_full_scale(view), rate


def _figures(
    names: Sequence[str], chances: np.ndarray, there: np.ndarray, unknown: np.ndarray, present: np.ndarray
) -> list[list[Any]]:
    """Rows [fault, views, area, recall, present], arrays [N, K]; the mean over the faults and "clean" first."""
    clean = ~there.any(1)
    faults = fault_figures(names, chances, there, unknown)
    rows = [
        [name, of.views, of.area, of.recall, float(present[there[:, names.index(name)], names.index(name)].mean())]
        for name, of in faults.items()
    ]
    means = [float(np.mean([row[column] for row in rows])) for column in (2, 3, 4)]
    flagged = float((present & ~unknown)[clean].any(1).mean())
    return [["mean", int(there.any(1).sum()), *means], [CLEAN, int(clean.sum()), "", "", flagged], *rows]


def _text(value: Any) -> Any:
    return f"{value:.3f}" if isinstance(value, float) else value
