"""Measures encoders of any kind on clean and the six faults of default6, one a view.

    python analysis/default_six.py
    python analysis/default_six.py encoders=[release,outputs/mine] 'corpora={speech: {kind: folder, path: DIR}}'

Each seed takes clips of each corpus, first one of every source, then a second one, and so on; renders them in all seven
states; and divides the sources into halves. A linear probe and kNN are fitted on one half and measured on the other,
retrieval and leakage within the other. The vectors are h and, for an encoder of label sets, also the log odds and the
chances of its probe: of all its faults, or of clean and the six alone. Writes a CSV with 95 % intervals
over sources.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__)

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import contrastive_artifacts as ca
from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts import CLEAN
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.core.seeding import generator
from contrastive_artifacts.data.corpora import Clip, Corpus, split
from contrastive_artifacts.data.views import ViewSettings
from contrastive_artifacts.embedding import open_embedder
from contrastive_artifacts.probes import Embedded, SetProbe, evaluate
from contrastive_artifacts.runs import corpus_sections
from contrastive_artifacts.runs.measure import embed_views
from contrastive_artifacts.runs.measure_sets import AUDIBLE
from contrastive_artifacts.runs.sets import UNHEARD

STATES = artifacts.states("default6")
KEYS = ["encoder", "vector", "views", "seed"]
SHOWN = ("linear macro-F1", "kNN5 macro-F1", "kNN5 - linear", "P@10", "same source", "severity rho")


@dataclass(frozen=True)
class Settings:
    encoders: list[str]
    corpora: Mapping[str, Mapping[str, Any]] | None
    clips: int
    clips_per_source: int
    duration_s: float
    severity: tuple[float, float]
    bootstrap: int
    seeds: list[int]
    csv: str


@dataclass(frozen=True)
class Views:
    """Views of all corpora with their vectors ``h [N, D]``; masks [N] say which are for the fit, and of which kind."""

    data: Embedded
    fit: np.ndarray
    suspect: np.ndarray  # the clip may hold one of the six faults already
    corpus: np.ndarray


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    files.check_file("csv", settings.csv)
    corpora = corpus_sections.make_corpora(settings.corpora or UNHEARD)
    rows: list[dict[str, Any]] = []
    for encoder in settings.encoders:
        for seed in settings.seeds:
            views = embedded(encoder, corpora, settings, seed)
            for vector, x in vectors(encoder, views).items():
                for part, test in parts(views).items():
                    keys = dict(zip(KEYS, (encoder, vector, part, seed), strict=True))
                    rows.append(keys | measured(views, x, test, settings.bootstrap))
            files.write_csv(settings.csv, [list(rows[0]), *([text(value) for value in row.values()] for row in rows)])
    show(rows)
    console.print(f"rows  {settings.csv}")


def chosen(clips: Sequence[Clip], count: int, per_source: int, seed: int) -> list[Clip]:
    """``count`` clips, in rounds of one of each source, up to ``per_source``; those without suspected faults first."""
    order = generator(seed, "default six").permutation(len(clips))
    shuffled = sorted((clips[n] for n in order), key=is_suspect)
    rounds: dict[str, int] = {}
    numbered = []
    for clip in shuffled:
        numbered.append((rounds.get(clip.source, 0), clip))
        rounds[clip.source] = rounds.get(clip.source, 0) + 1
    in_rounds = sorted((pair for pair in numbered if pair[0] < per_source), key=lambda pair: pair[0])
    return [clip for _, clip in in_rounds[:count]]


def is_suspect(clip: Clip) -> bool:
    """Whether a clip may hold one of the six faults already."""
    return not set(STATES).isdisjoint(clip.unknown)


def embedded(encoder: str, corpora: Mapping[str, Corpus], settings: Settings, seed: int) -> Views:
    """The views of a seed; half of the sources of each corpus are for the fit."""
    embedder, sides, suspects = open_embedder(encoder), {}, set()
    for name, corpus in corpora.items():
        clips = chosen(corpus.clips, settings.clips, settings.clips_per_source, seed)
        suspects |= {(name, clip.id) for clip in clips if is_suspect(clip)}
        for side, part in split(clips, {"fit": 0.5, "test": 0.5}, seed).items():
            sides[f"{name}/{side}"] = (corpus, part)
    view = ViewSettings(STATES, settings.duration_s, embedder.sample_rate, settings.severity)
    rows = embed_views(embedder, sides, view, seed, 1)["h"]
    corpus_of, side_of = np.array([side.rsplit("/", 1) for side in rows.column("split").to_pylist()]).T
    data = Embedded.from_table(rows)
    sources = np.char.add(np.char.add(corpus_of, "/"), data.source)
    suspect = [pair in suspects for pair in zip(corpus_of.tolist(), rows.column("clip").to_pylist(), strict=True)]
    data = Embedded(data.x, data.artifact, data.severity, sources, corpus_of)
    return Views(data, side_of == "fit", np.array(suspect), corpus_of)


def vectors(encoder: str, views: Views) -> dict[str, np.ndarray]:
    """Name -> vectors [N, D']: h, and what the probe of an encoder of label sets makes of it, of all and of seven."""
    probe, x = ca.load(encoder).probe, views.data.x
    if not isinstance(probe, SetProbe):
        return {"h": x}
    chances, _ = probe.classify_batch(x)
    several = {"h": x, "log odds": x @ probe.weights.T + probe.bias, "chances": chances}
    seven = [probe.classes.index(name) for name in STATES if name in probe.classes]
    return several | {"seven chances": chances[:, seven]} if len(seven) == len(STATES) else several


def parts(views: Views) -> dict[str, np.ndarray]:
    """Name -> which views [N] are measured."""
    test = ~views.fit
    named = {"all": test, "audible": test & ((views.data.artifact == CLEAN) | (views.data.severity >= AUDIBLE[0]))}
    if views.suspect.any():
        named["not suspect"] = test & ~views.suspect
    corpora = np.unique(views.corpus)
    return named | {str(name): test & (views.corpus == name) for name in corpora if len(corpora) > 1}


def measured(views: Views, x: np.ndarray, test: np.ndarray, bootstrap: int) -> dict[str, float | None]:
    """Name -> figure of the views ``test`` [N]; ``low`` and ``high`` are the ends of its interval."""
    data = Embedded(x, views.data.artifact, views.data.severity, views.data.source, views.data.category)
    figures = evaluate(data.take(views.fit), data.take(test), ["linear"], bootstrap)
    kind = figures["type"]
    intervals = {
        "linear macro-F1": kind["linear"]["macro_f1"],
        "kNN5 macro-F1": kind["knn5"]["macro_f1"],
        "P@10": figures["retrieval"]["p_at_10"],
        "same source": figures["leakage"],
        "severity rho": figures["severity"]["mean"],
    }
    row = dict(figures["counts"])
    for name, interval in intervals.items():
        row |= {name: interval["value"], f"{name} low": interval["low"], f"{name} high": interval["high"]}
    row["same source by chance"] = figures["leakage"]["chance"]
    row["kNN5 - linear"] = row["kNN5 macro-F1"] - row["linear macro-F1"]
    for probe, name in (("linear", "linear"), ("knn5", "kNN5")):
        confusion = kind[probe]["confusion"]
        for state in STATES:
            counts = dict(zip(confusion["classes"], confusion["counts"], strict=True)).get(state, [0])
            hits = counts[confusion["classes"].index(state)] if sum(counts) else 0
            row[f"{name} recall {state}"] = hits / sum(counts) if sum(counts) else None
    return row


def text(value: Any) -> str:
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


def show(rows: list[dict[str, Any]]) -> None:
    """Prints mean and deviation over seeds."""
    cells = []
    for group in dict.fromkeys(tuple(row[key] for key in KEYS[:3]) for row in rows):
        seeds = [row for row in rows if tuple(row[key] for key in KEYS[:3]) == group]
        values = np.array([[np.nan if row[name] is None else row[name] for name in SHOWN] for row in seeds], float)
        cells.append([*group, *(f"{m:.3f} ± {d:.3f}" for m, d in zip(values.mean(0), values.std(0), strict=True))])
    table("means and deviations over seeds", [*KEYS[:3], *SHOWN], cells)
