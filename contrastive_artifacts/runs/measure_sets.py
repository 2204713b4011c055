"""Measuring an encoder of label sets on sources that it was not trained on."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..artifacts import CLEAN
from ..core import files, typed
from ..core.errors import StorageError
from ..core.lock import locked
from ..core.vectors import unit_rows
from ..data.corpora import Clip, Corpus
from ..embedding import open_set_encoder
from ..models.figure_encoder import FigureEncoder
from ..probes.bootstrap import Interval, bootstrap_mean
from ..probes.knn import NeighbourTable
from ..probes.outcomes import Outcomes
from ..probes.set_metrics import FALSE_POSITIVES, FaultFigures, PairFigures, fault_figures, pair_figures
from ..probes.sets import SetProbe
from ..probes.spaces import retrieval
from ..scan import alarms
from . import corpus_sections
from .sets import AUDIBLE, RECORDED, SetSections, encode_views, fill_side, make_sides, measured

UNVARIED: dict[str, Any] = {"barely": 0.0, "spliced": 0.0, "varied": False, "severity": AUDIBLE}


@dataclasses.dataclass(frozen=True)
class SetFigures:
    """Figures of one side.

    Args:
        faults: See :func:`.set_metrics.fault_figures`.
        area, recall: Their means over the faults.
        present: Mean recall of the faults at the threshold of single windows, by which a fault is "present".
        flagged: Share of the clean views in which any fault is present, of those that may not hold it.
        pairs: See :func:`.set_metrics.pair_figures`, of the faults that are present.
        precision_at_10: Share of the ten nearest views of other sources that hold the same single fault.
        same_source: Share of the nearest neighbours that are views of the same source.
        alarms: False segments per hour that the thresholds were set for -> fault -> those that the clean clips of this
            side raised; a fault that a clip may hold is not counted on it.
        recall_at: The same number -> mean recall of the faults at these thresholds.
        hours: Of clean clips.
        outcomes: What the probe says of the views with one fault or none; for plots, not in ``metrics.json``.
    """

    faults: dict[str, FaultFigures]
    area: float
    recall: float
    present: float
    flagged: float
    pairs: PairFigures
    precision_at_10: Interval
    same_source: float
    alarms: dict[float, dict[str, float]]
    recall_at: dict[float, float]
    hours: float
    outcomes: Outcomes


def measure_sets(
    directory: str | Path, unseen: Mapping[str, Mapping[str, Any]], views: int, seed: int
) -> dict[str, SetFigures]:
    """Side -> figures, for the test side of the run and for each unseen corpus; writes ``metrics.json``.

    Args:
        directory: A run of :func:`.sets.pretrain_sets`.
        unseen: Name -> corpus section; measured whole.
        views: Views of each side with one fault or none; as many more, but for a half, with two.
        seed: Of the views; with the default recipe no seed gives views of training.

    Raises:
        StorageError: the directory holds no such run, or another process is working on it.
    """
    directory = Path(directory)
    config = files.read_json(directory / "config.json")
    settings = typed.settings(SetSections, {k: v for k, v in config.items() if k not in RECORDED}, "")
    encoder, probe = open_set_encoder(directory / "encoder"), SetProbe.load(directory / "encoder")
    sides = {"test": make_sides(settings).get("test", {})} if not unseen else {}
    for name, section in unseen.items():
        corpus = corpus_sections.make_corpus(section, f"unseen.{name}")
        sides[name] = {name: (corpus, measured(settings, corpus))}
    if not any(sides.values()):
        raise StorageError(f"{directory} has no test side; give unseen corpora.")
    with locked(directory, "measuring an encoder of label sets"):
        figures = {
            side: _measure(settings, encoder, probe, directory / "encoder", corpora, views, seed)
            for side, corpora in sides.items()
        }
        record = {side: _plain(of_side) for side, of_side in figures.items()}
        files.write_json(directory / "metrics.json", record)
    return figures


def _plain(value: Any) -> Any:
    """Figures as JSON: what is undefined, as retrieval across sources where there is but one source, is null."""
    if dataclasses.is_dataclass(value):
        fields = [field.name for field in dataclasses.fields(value) if field.name != "outcomes"]
        return {name: _plain(getattr(value, name)) for name in fields}
    if isinstance(value, Interval):
        return [_plain(bound) for bound in value]
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _measure(
    settings: SetSections, encoder: FigureEncoder, probe: SetProbe, folder: Path,
    corpora: Mapping[str, tuple[Corpus, list[Clip]]], views: int, seed: int,
) -> SetFigures:  # fmt: skip
    single = fill_side(settings, corpora, settings.recipe_of(100 + seed, counts=(1.0,), **UNVARIED), views)
    pairs = fill_side(settings, corpora, settings.recipe_of(200 + seed, counts=(0.0, 1.0), **UNVARIED), views // 2)
    names = probe.classes[1:]
    vectors, there = encode_views(encoder, single)
    states, estimates = probe.classify_batch(unit_rows(vectors))
    chances, present = states[:, 1:], probe.present(states)[:, 1:]
    unknown = single.may_hold([[clip.unknown for clip in clips] for _, clips in corpora.values()])
    predicted = np.where(present.any(1), np.array(names)[np.where(present, chances, -1.0).argmax(1)], CLEAN)
    severities = np.where(there, single.column("severities", np.arange(len(single))), np.nan)
    outcomes = Outcomes(tuple(names), chances, estimates[:, 1:], there, severities, unknown, predicted, vectors)
    faults = fault_figures(names, chances, there, unknown)
    pair_vectors, pair_labels = encode_views(encoder, pairs)
    present_in_pairs = probe.present(probe.classify_batch(unit_rows(pair_vectors))[0])[:, 1:]
    present_in_pairs &= pair_labels | ~pairs.unknown  # what a fault brings along is none beside it
    workers = settings.workers or os.cpu_count() or 1
    clean = corpora.values() if probe.thresholds else ()
    scans = [scan for corpus, clips in clean for scan in alarms.clean_scans(folder, corpus, clips, workers)]
    damaged = there.any(1)
    table = NeighbourTable.of(vectors, single.sources.astype(str))
    kinds = np.where(damaged, np.array(names)[there.argmax(1)], CLEAN)
    precision = retrieval(table, kinds).precision_at_10
    return SetFigures(
        faults,
        float(np.mean([f.area for f in faults.values()])),
        float(np.mean([f.recall for f in faults.values()])),
        mean_recall(present, there, unknown),
        float((present & ~unknown)[~damaged].any(1).mean()),
        pair_figures(present_in_pairs, pair_labels, pairs.sources, seed),
        bootstrap_mean(precision[damaged], single.sources[damaged], seed=seed),
        float((single.sources[table.nearest[:, 0]] == single.sources).mean()),
        {rate: alarms.per_hour(probe, scans, rate) for rate in probe.thresholds},
        {rate: mean_recall(chances >= probe.enter(rate)[1:], there, unknown) for rate in probe.thresholds},
        sum(scan.seconds for scan in scans) / 3600,
        outcomes,
    )


def mean_recall(raised: np.ndarray, there: np.ndarray, unknown: np.ndarray) -> float:
    """Mean over the faults of the share of their views in which they were raised; bool [N, K] each."""
    known = there & ~unknown
    shares = [raised[known[:, fault], fault].mean() for fault in np.flatnonzero(known.any(0))]
    return float(np.mean(shares))


def summary(figures: SetFigures) -> list[list[Any]]:
    """The figures of a side but for those of each fault, as rows [figure, value, low, high]; "" without an interval."""
    rows: list[list[Any]] = [
        ["mean area", figures.area, "", ""],
        [f"mean recall at {FALSE_POSITIVES:.0%}", figures.recall, "", ""],
        ["mean recall of what is present", figures.present, "", ""],
        ["share of clean views with a fault", figures.flagged, "", ""],
        ["both of two faults found", *figures.pairs.both],
        ["others beside two faults", figures.pairs.others, "", ""],
        ["P@10", *figures.precision_at_10],
        ["nearest of the same source", figures.same_source, "", ""],
        ["hours of clean clips", figures.hours, "", ""],
    ]
    for rate, raised in figures.alarms.items():
        rows.append([f"false segments per hour at thresholds for {rate:g}", sum(raised.values()), "", ""])
        rows.append([f"mean recall at thresholds for {rate:g}", figures.recall_at[rate], "", ""])
    return [[name, *(f"{value:.4f}" if value != "" else "" for value in values)] for name, *values in rows]
