"""Measures scans on long recordings with faults at known places.

    python analysis/events.py
    python analysis/events.py 'corpora={speech: {kind: folder, path: DIR}}' hours=3 workers=2

Recordings are joined from clean clips; each has a fault every 20 s or so, of random severity, in a part of 2 to 8 s,
one in four places two at once. The same recordings without faults are scanned as well. Nothing is counted where a clip
may hold the fault already. Columns: the share of the true events that a segment of their label overlaps (recall);
event-based F1, where a segment must begin within 200 ms (50 ms for impulses) and end within half of the true length;
the same for the beginning alone; the polyphonic sound detection scores of the chances in cells over all thresholds, if
sed_scores_eval is installed (extra ``psds``), in the row of all labels; segments per hour of the clean recordings.
Intervals are over recordings.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, stopped="Nothing was written.")

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.artifacts import taxonomy
from contrastive_artifacts.core import files, pool, typed
from contrastive_artifacts.core.console import console, table, track
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.data.corpora import Clip, Corpus
from contrastive_artifacts.probes.events import Counts, Event, f1, intervals, match, overlapped, touches
from contrastive_artifacts.probes.psds import SCENARIOS, Chances, is_installed, psds
from contrastive_artifacts.runs import corpus_sections
from contrastive_artifacts.runs.sets import BUILTIN
from contrastive_artifacts.runs.timelines import RATE, TimelineRecipe, rendered_timeline
from contrastive_artifacts.scan import scan
from contrastive_artifacts.scan.cells import cell_chances
from contrastive_artifacts.scan.saved import SavedStretches
from contrastive_artifacts.scan.stretches import joined

IMPULSES = ("clicks", "thump", "splice", "gain_step")  # of which the beginning counts to 50 ms
ONSET_S, IMPULSE_S = 0.2, 0.05
UNSEEN = {"builtin": {**BUILTIN["builtin"], "seed": 4321, "sources": 60}}  # the released encoders know seed 0
Layers = list[tuple[Corpus, list[Clip]]]


@dataclass(frozen=True, kw_only=True)
class Settings:
    encoder: str
    corpora: Mapping[str, Mapping[str, Any]] | None
    mixtures: Mapping[str, list[str]] | None
    hours: float
    seconds: float
    gap_s: float
    severity: tuple[float, float]
    alarms_per_hour: float | None
    workers: int
    seed: int
    csv: str


@dataclass(frozen=True)
class Recording:
    """What one recording gave: label -> counts; and the segments of its clean twin, in hours of sound."""

    overlapped: dict[str, Counts]
    onsets: dict[str, Counts]
    events: dict[str, Counts]
    false: dict[str, int]
    hours: float
    chances: Chances | None
    truth: list[Event]


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    files.check_file("csv", settings.csv)
    labels = [name for name in ca.load(settings.encoder).labels[1:] if name in taxonomy.detectable("all")]
    recipe = TimelineRecipe(
        tuple(labels), settings.seconds, settings.gap_s, severity=settings.severity, seed=settings.seed
    )
    kinds = _kinds(settings)
    count = max(1, round(3600 * settings.hours / settings.seconds))
    rows: list[list[Any]] = []
    for kind, layers in kinds.items():
        work = partial(_measured, settings.encoder, settings.alarms_per_hour, layers, recipe)
        with closing(pool.results(work, range(count), settings.workers)) as results:
            outcomes = [outcome for _, outcome in track(results, f"scan {kind}", total=count)]
        recordings = [outcome for outcome in outcomes if isinstance(outcome, Recording)]
        if len(recordings) < len(outcomes):
            raise ParameterError(f"{len(outcomes) - len(recordings)} recordings of {kind} could not be scanned.")
        rows += _rows(kind, labels, recordings)
    figures = [f"{name}{end}" for name in ("recall", "f1_onset", "f1") for end in ("", "_low", "_high")]
    header = ["kind", "label", "true", *figures, *SCENARIOS, "false_per_hour", "hours"]
    files.write_csv(settings.csv, [header, *rows])
    shown = [row for row in rows if row[1] == "all"]
    table(f"{settings.encoder}, {settings.alarms_per_hour} false segments an hour", header, shown)
    console.print(f"all labels  {settings.csv}")


def _kinds(settings: Settings) -> dict[str, Layers]:
    corpora = corpus_sections.make_corpora(settings.corpora or UNSEEN)
    mixtures = settings.mixtures or {}
    unknown = sorted({name for names in mixtures.values() for name in names} - set(corpora))
    if unknown:
        raise ParameterError(f"mixtures names {unknown}, which are not among the corpora {sorted(corpora)}.")
    single = {name: [(corpus, list(corpus.clips))] for name, corpus in corpora.items()}
    return single | {name: [single[part][0] for part in parts] for name, parts in mixtures.items()}


def _measured(encoder: str, alarms: float | None, layers: Layers, recipe: TimelineRecipe, number: int) -> Recording:
    timeline = rendered_timeline(layers, recipe, number)
    with TemporaryDirectory() as folder:
        saved = SavedStretches(Path(folder) / "stretches") if is_installed() and _encoder(encoder).of_sets else None
        damaged = _segments(_encoder(encoder), alarms, Path(folder), timeline.damaged, saved)
        clean = _segments(_encoder(encoder), alarms, Path(folder), timeline.clean)
        chances = None if saved is None else _chances(_encoder(encoder), saved, recipe.names)
    true, heard = (
        [event for event in events if not touches(event, timeline.unknown)] for events in (timeline.events, damaged)
    )
    pairs = {
        label: ([e for e in true if e.label == label], [e for e in heard if e.label == label]) for label in recipe.names
    }
    onset = {label: IMPULSE_S if label in IMPULSES else ONSET_S for label in recipe.names}
    false = [event.label for event in clean if not touches(event, timeline.unknown)]
    return Recording(
        {label: overlapped(*pair) for label, pair in pairs.items()},
        {label: match(*pair, onset[label], offset=False) for label, pair in pairs.items()},
        {label: match(*pair, onset[label]) for label, pair in pairs.items()},
        {label: false.count(label) for label in recipe.names},
        timeline.clean.shape[1] / RATE / 3600,
        None if chances is None else _known(chances, recipe.names, timeline.unknown),
        true,
    )


@cache
def _encoder(name: str) -> ca.PretrainedEncoder:
    return ca.load(name)


def _segments(
    encoder: ca.PretrainedEncoder, alarms: float | None, folder: Path, samples: np.ndarray,
    saved: SavedStretches | None = None,
) -> list[Event]:  # fmt: skip
    path = folder / "recording.wav"
    audio.write(path, samples, RATE)
    timeline = scan(path, encoder, alarms_per_hour=alarms if encoder.of_sets else None, progress=False, saved=saved)
    return [Event(s.start / RATE, s.stop / RATE, s.label) for s in timeline.segments]


def _chances(encoder: ca.PretrainedEncoder, saved: SavedStretches, names: Sequence[str]) -> Chances:
    """The chances in the cells of a recording whose stretches were saved."""
    stretches, first = [], 0
    while (stretch := saved.load(first)) is not None:
        stretches.append(stretch)
        first += len(stretch.starts)
    (run,) = joined(stretches, [None])
    bounds, chances = cell_chances(run, round(encoder.window_s * RATE), encoder.cell_s * RATE)
    return Chances(bounds / RATE, chances[:, [encoder.labels.index(name) - 1 for name in names]])


def _known(chances: Chances, names: Sequence[str], unknown: Sequence[Event]) -> Chances:
    """The chances, 0 where a clip may hold the label already."""
    values, places = chances.chances.copy(), chances.bounds_s
    for event in unknown:
        if event.label in names:
            first, stop = np.searchsorted(places, [event.start_s, event.stop_s])
            values[first:stop, names.index(event.label)] = 0
    return Chances(places, values)


def _rows(kind: str, labels: Sequence[str], recordings: Sequence[Recording]) -> list[list[Any]]:
    """A row for each label, and one for all: sums over the labels."""
    rows = []
    for label in [*labels, "all"]:
        names = labels if label == "all" else [label]
        figures: list[float] = []
        for name, figure in (("overlapped", _recall), ("onsets", f1), ("events", f1)):
            counts = np.array([np.sum([getattr(r, name)[n] for n in names], axis=0) for r in recordings])
            figures += intervals(counts, figure)
        hours = sum(r.hours for r in recordings)
        false = sum(r.false[n] for r in recordings for n in names) / hours
        true = sum(r.overlapped[n].true for r in recordings for n in names)
        texts = ["" if np.isnan(value) else f"{value:.4f}" for value in figures]
        texts += _scores(labels, recordings) if label == "all" else [""] * len(SCENARIOS)
        rows.append([kind, label, true, *texts, f"{false:.2f}", f"{hours:.2f}"])
    return rows


def _scores(labels: Sequence[str], recordings: Sequence[Recording]) -> list[str]:
    scored = [(r.chances, r.truth) for r in recordings if r.chances is not None]
    if not scored:
        return [""] * len(SCENARIOS)
    return [f"{psds(scored, labels, scenario):.4f}" for scenario in SCENARIOS]


def _recall(matched: np.ndarray, true: np.ndarray, detected: np.ndarray) -> np.ndarray:
    return np.divide(matched, true, out=np.full_like(np.asarray(true, float), np.nan), where=true > 0)
