"""Measures whether a few examples find an artifact that was never trained on.

    python analysis/few_shot.py
    python analysis/few_shot.py corpus=folder corpus.path=recordings/ encoder=release shots=[1,5,20]

Every clip is rendered in every state that the encoder was trained on and with each artifact of `unknown`. The mean of
1, 5 and 20 examples of an artifact is the query, searched for in h among all other sources. A second query is the
difference between a damaged view and its clean version. Writes one row per artifact and query to csv=.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__)

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import contrastive_artifacts as ca
from contrastive_artifacts.artifacts import CLEAN
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.core.errors import CorpusError
from contrastive_artifacts.core.vectors import unit_rows
from contrastive_artifacts.data.views import ViewSettings
from contrastive_artifacts.embedding import open_embedder
from contrastive_artifacts.probes import Embedded, few_shot
from contrastive_artifacts.probes.knn import neighbours
from contrastive_artifacts.runs import corpus_sections
from contrastive_artifacts.runs.measure import embed_views


@dataclass(frozen=True)
class Settings:
    corpus: Mapping[str, Any]
    encoder: str
    unknown: list[str]
    severity: tuple[float, float]
    duration_s: float
    every: int
    shots: list[int]
    draws: int
    seed: int
    csv: str


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    embedder = open_embedder(settings.encoder)
    known, corpus = ca.load(settings.encoder).labels, corpus_sections.make_corpus(settings.corpus)
    states = (*known, *(name for name in settings.unknown if name not in known))
    view = ViewSettings(states, settings.duration_s, embedder.sample_rate, settings.severity)
    clips = corpus.clips[:: settings.every]
    tables = embed_views(embedder, {"test": (corpus, clips)}, view, settings.seed, 1)
    data = Embedded.from_table(tables["h"])
    if not len(data):
        raise CorpusError("No clip of the corpus could be read.")
    changes = differences(data, tables["h"].column("clip").to_pylist())
    header = ["artifact", "trained", "query", "p_at_10", "deviation", "chance"]
    rows: list[list[object]] = []
    for name in states[1:]:
        for shots in settings.shots:
            result = few_shot(data.x, data.artifact, data.source, name, shots, settings.draws, settings.seed)
            figures = [result.precision_at_10, result.deviation, result.chance]
            rows.append([name, name in known, f"{shots} examples", *(f"{v:.3f}" for v in figures)])
        damaged = data.artifact == name
        precision = precision_at_10(data, changes[damaged], data.source[damaged], name)
        chance = (data.artifact == name).mean()
        rows.append([name, name in known, "damaged - clean", f"{precision.mean():.3f}", f"{precision.std():.3f}",
                     f"{chance:.3f}"])  # fmt: skip
    table(f"{len(data)} views of {len(clips)} clips of {corpus.name}", header, rows)
    files.write_csv(settings.csv, [header, *rows])
    console.print(f"table     {settings.csv}")


def differences(data: Embedded, clips: list[str]) -> np.ndarray:
    """Each row minus the clean row of its clip, both of length 1: [N, D]."""
    unit = unit_rows(data.x)
    clean = {clip: unit[n] for n, clip in enumerate(clips) if data.artifact[n] == CLEAN}
    return np.stack([row - clean[clip] for row, clip in zip(unit, clips, strict=True)])


def precision_at_10(data: Embedded, queries: np.ndarray, sources: np.ndarray, name: str) -> np.ndarray:
    """Share of the artifact ``name`` in the ten nearest rows of other sources, for each query [N, D]: [N]."""
    ids, _ = neighbours(data.x, data.source, queries, sources, 10)
    return (data.artifact[ids] == name).mean(axis=1)
