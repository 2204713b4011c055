"""The rows of the comparison: folds by source, every clip embedded once, finished rows cached."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...artifacts import CLEAN
from ...core import files, seeding
from ...core.errors import CorpusError, ParameterError, SplitError
from ...data import corpora
from ...data.corpora import Clip, Corpus
from ...data.views import ViewSettings
from ...probes import (
    Embedded,
    LinearProbe,
    NeighbourTable,
    SeverityProbe,
    content_leakage,
    knn_predict,
    macro_f1,
    severity_spearman,
)
from ..measure import ViewEmbedder, embed_views
from .candidates import OURS, PUBLISHED, RANDOM, TRAINED, Candidate, embedder, fingerprint, missing
from .cost import measure_cost

VERSION = 1  # of the format of a cached row
SEEN = "seen"
FIGURES = ("linear", "knn5", "severity_rho", "leak")
Log = Callable[[str], None]


@dataclass(frozen=True)
class CompareSettings:
    """What is measured, the same for every row.

    Args:
        states: Labels of the views, "clean" first.
        severity: Range within [0, 1] that severities are drawn from.
        duration_s: Length of the views in seconds.
        draws: Views per clip and state.
        seed: Of the views and of the choice of clips.
        folds: Number of folds by source for a corpus without official folds.
        clips: At most so many clips of each corpus; ``None`` for all.
        budget_s: Processor seconds that embedding all views of one row may take; a slower network gets fewer clips.
        least: Smallest number of clips of a corpus; where the budget allows fewer, accuracy is not measured.
        seconds, repeats, threads: Of :func:`.measure_cost`.
    """

    states: tuple[str, ...]
    severity: tuple[float, float] = (0.0, 1.0)
    duration_s: float = 3.0
    draws: int = 1
    seed: int = 1000
    folds: int = 4
    clips: int | None = None
    budget_s: float = 120.0
    least: int = 12
    seconds: float = 10.0
    repeats: int = 5
    threads: int = 1


class Side(NamedTuple):
    """The clips of one corpus that are used, and clip id -> fold (empty for unseen corpora)."""

    corpus: Corpus
    clips: tuple[Clip, ...]
    folds: Mapping[str, int]


def folds_of(clips: Sequence[Clip], count: int, seed: int) -> dict[str, int]:
    """Clip id -> fold: official folds where all clips have one, otherwise ``count`` folds by source.

    Raises:
        SplitError: official folds that divide a source, a clip without a source, or fewer than two folds or sources.
    """
    if any(clip.fold is None for clip in clips):
        if count < 2:
            raise ParameterError(f"folds={count}: at least 2 are needed, one to test on.")
        sides = corpora.split(clips, {str(number): 1 / count for number in range(1, count + 1)}, seed)
        return {clip.id: int(number) for number, members in sides.items() for clip in members}
    folds = {clip.id: clip.fold for clip in clips if clip.fold is not None}
    of_source: dict[str, int] = {}
    for clip in clips:
        if of_source.setdefault(clip.source, folds[clip.id]) != folds[clip.id]:
            raise SplitError(f"Source {clip.source!r} is in two official folds; correct the table of the corpus.")
    if len(set(folds.values())) < 2:
        raise SplitError(f"All clips are of fold {next(iter(folds.values()))}; one fold to train on is needed as well.")
    return folds


def side(corpus: Corpus, folds: Mapping[str, int], settings: CompareSettings) -> Side:
    """Clips in a random order in which the folds alternate, so that the first n clips have all folds evenly."""
    order = seeding.generator(settings.seed, "compare", corpus.name).permutation(len(corpus.clips))
    place: dict[str, tuple[int, int]] = {}
    ranks: dict[int, int] = {}
    for clip in (corpus.clips[i] for i in order):
        fold = folds.get(clip.id, 0)
        ranks[fold] = ranks.get(fold, -1) + 1
        place[clip.id] = (ranks[fold], fold)
    clips = sorted(corpus.clips, key=lambda clip: place[clip.id])
    return Side(corpus, tuple(clips[: settings.clips]), folds)


def compare(
    candidates: Sequence[Candidate],
    corpus: Corpus,
    unseen: Mapping[str, Corpus],
    settings: CompareSettings,
    folder: str | Path,
    log: Log = lambda line: None,
) -> Iterator[dict[str, Any]]:
    """One row per candidate, in order; rows that ``folder`` has from an earlier call are read.

    Every clip is embedded once. For each fold, a linear probe, kNN and severity probes are fitted on the views of the
    other folds and measured on this one; on unseen corpora, probes fitted on all folds are measured. The encoder of a
    run is measured only on sources that it was not trained on.

    Args:
        corpus: On which probes are fitted and measured.
        unseen: Name -> a corpus on which probes are measured only.
        log: Called with a line of text on the progress.

    Yields:
        Plain JSON: ``name``, ``weights``, ``note``, the figures of :func:`.measure_cost`, ``corpus``, ``sources``
        (measured on), ``folds``, ``linear`` and ``knn5`` (macro-F1 over types, mean over folds) with their deviation
        ``linear_sd`` and ``knn5_sd``, ``severity_rho``, ``leak``, and ``sources_NAME``, ``linear_NAME`` ... of unseen
        corpora. Figures that could not be measured are None or missing; the note says why.
    """
    if {SEEN, "sd"} & set(unseen):
        raise ParameterError("An unseen corpus cannot be called 'seen' or 'sd'; rename it.")
    sides = {SEEN: side(corpus, folds_of(corpus.clips, settings.folds, settings.seed), settings)}
    sides |= {name: side(other, {}, settings) for name, other in unseen.items()}
    for number, candidate in enumerate(candidates, start=1):
        progress = f"{number}/{len(candidates)} {candidate.name} ({candidate.kind} weights)"
        network = candidate.load()
        path = Path(folder) / f"{candidate.name.replace('/', '_')}-{_key(fingerprint(network), sides, settings)}.json"
        if path.exists():
            log(f"{progress}: finished before, {path}")
        else:
            log(f"{progress}: cost")
            cost = measure_cost(candidate, settings.seconds, settings.repeats, settings.threads)
            row = {"name": candidate.name, "weights": candidate.kind, **cost, "corpus": corpus.name}
            affordable, note = _within_budget(sides, cost["cpu_seconds_per_s"], settings)
            trained_on = candidate.trained_on()
            notes = [_provenance(candidate, trained_on), note]
            if affordable:
                clips = ", ".join(f"{len(s.clips)} clips {name}" for name, s in affordable.items())
                log(f"{progress}: features of {clips}")
                row |= _accuracy(embedder(network), affordable, trained_on or frozenset(), settings)
            files.write_json(path, row | {"note": "; ".join(note for note in notes if note)})
        yield files.read_json(path)


def _key(network: str, sides: Mapping[str, Side], settings: CompareSettings) -> str:
    about = {
        "version": VERSION,
        "network": network,
        "corpora": {name: [s.corpus.name, s.corpus.fingerprint, sorted(s.folds.items())] for name, s in sides.items()},
        "settings": asdict(settings),
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]


def _within_budget(
    sides: Mapping[str, Side], cpu_seconds_per_s: float, settings: CompareSettings
) -> tuple[dict[str, Side], str]:
    """The sides, with fewer clips where all would take too long, or no sides; and a note on it."""
    views = len(settings.states) * settings.draws
    total = sum(len(s.clips) for s in sides.values()) * views * settings.duration_s * cpu_seconds_per_s
    share = min(1.0, settings.budget_s / total)
    if share == 1:
        return dict(sides), ""
    affordable = {name: s._replace(clips=s.clips[: int(share * len(s.clips))]) for name, s in sides.items()}
    few = min(len(s.clips) for s in affordable.values())
    if few < min(settings.least, min(len(s.clips) for s in sides.values())):
        return {}, f"accuracy left out: {total:.0f} s for all clips, and {settings.budget_s:g} s allow only {few} clips"
    return affordable, f"fewer clips, to stay within {settings.budget_s:g} s"


def _provenance(candidate: Candidate, trained_on: frozenset[str] | None) -> str:
    if candidate.kind == PUBLISHED:
        return ""
    if candidate.kind == RANDOM:
        return f"random weights: {missing(candidate.name)}"
    unknown = "trained on artifacts, on sources that are not recorded" if trained_on is None else ""
    if candidate.kind == OURS:
        return f"{unknown}; published weights: {missing(candidate.name)}"
    if candidate.kind == TRAINED and trained_on is not None:
        return "measured on sources that it was not trained on"
    return unknown


def _accuracy(
    model: ViewEmbedder, sides: Mapping[str, Side], trained_on: frozenset[str], settings: CompareSettings
) -> dict[str, Any]:
    views = ViewSettings(settings.states, settings.duration_s, model.sample_rate, settings.severity)
    embedded = {name: (s.corpus, s.clips) for name, s in sides.items()}
    tables = embed_views(model, embedded, views, settings.seed, settings.draws)
    if not tables:
        raise CorpusError(f"No clip of {sides[SEEN].corpus.name} can be read; check its path and its files.")
    table = tables["h"]
    parts = {name: Embedded.from_table(table, name) for name in sides}
    seen, new = parts[SEEN], {name: ~np.isin(part.source, sorted(trained_on)) for name, part in parts.items()}
    of_source = {clip.source: sides[SEEN].folds[clip.id] for clip in sides[SEEN].clips}
    fold = np.array([of_source[source] for source in seen.source])
    tests = [number for number in np.unique(fold) if (new[SEEN] & (fold == number)).any()]
    fold_figures = [_figures(seen.take(fold != number), seen.take(new[SEEN] & (fold == number))) for number in tests]
    row: dict[str, Any] = {"sources": _count(seen.source[new[SEEN]]), "folds": len(tests)}
    for name in FIGURES:
        values = [value for figures in fold_figures if (value := figures[name]) is not None]
        row[name] = float(np.mean(values)) if values else None
        if name in ("linear", "knn5"):
            row[f"{name}_sd"] = float(np.std(values)) if len(values) > 1 else None
    for side_name, part in list(parts.items())[1:]:
        rows = new[side_name]
        unseen_figures = _figures(seen, part.take(rows)) if rows.any() else dict.fromkeys(FIGURES)
        row[f"sources_{side_name}"] = _count(part.source[rows])
        row |= {f"{name}_{side_name}": value for name, value in unseen_figures.items()}
    return row


def _count(sources: np.ndarray) -> int:
    return len(np.unique(sources))


def _figures(train: Embedded, test: Embedded) -> dict[str, float | None]:
    """FIGURES on ``test`` of probes fitted on ``train``; None where undefined."""
    probe = LinearProbe.fit(train.x, train.artifact, train.source)
    predictions = np.array(probe.classes)[probe.predict_proba(test.x).argmax(axis=1)]
    nearest = knn_predict(train.x, train.artifact, train.source, test.x, test.source, k=5)
    severity = np.zeros(len(test), np.float32)
    for artifact in np.unique(test.artifact[test.artifact != CLEAN]):
        train_rows, test_rows = train.artifact == artifact, test.artifact == artifact
        part = train.take(train_rows)
        severity[test_rows] = SeverityProbe.fit(part.x, part.severity, part.source).predict(test.x[test_rows])
    table = NeighbourTable.of(test.x, test.source, nearest=1, other_sources=0)
    correlations = severity_spearman(test.artifact, test.severity, severity)
    defined = [value for name, value in correlations.items() if name != "mean" and math.isfinite(value)]
    figures = {
        "linear": macro_f1(test.artifact, predictions),
        "knn5": macro_f1(test.artifact, nearest),
        "severity_rho": float(np.mean(defined)) if defined else math.nan,
        "leak": float(np.mean(content_leakage(table)[0])),
    }
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}
