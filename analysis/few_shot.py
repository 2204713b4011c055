"""Few-shot search for unknown artifacts: python analysis/few_shot.py corpus=folder corpus.path=DIR ...

Every clip is rendered in every state of the encoder and in each of `unknown`, and embedded in h; queries are the mean
of 1, 5 and 20 examples of an artifact. For comparison: the artifacts that the encoder knows, and queries by the
difference of one damaged clip and its clean twin. Writes `csv`.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__)

from typing import Any

import numpy as np

import contrastive_artifacts as ca
from contrastive_artifacts.artifacts import CLEAN
from contrastive_artifacts.core import files
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.vectors import unit_rows
from contrastive_artifacts.data.views import ViewSettings
from contrastive_artifacts.embedding import open_embedder
from contrastive_artifacts.probes import Embedded, few_shot
from contrastive_artifacts.probes.knn import neighbours
from contrastive_artifacts.runs import sections
from contrastive_artifacts.runs.measure import embed_views


def main(config: dict[str, Any]) -> None:
    embedder = open_embedder(config["encoder"])
    known, corpus = ca.load(config["encoder"]).labels, sections.make_corpus(config["corpus"])
    states = (*known, *(name for name in config["unknown"] if name not in known))
    view = ViewSettings(states, config["duration_s"], embedder.sample_rate, tuple(config["severity"]))
    clips = corpus.clips[:: config["every"]]
    tables = embed_views(embedder, {"test": (corpus, clips)}, view, config["seed"], 1)
    data = Embedded.from_table(tables["h"])
    if not len(data):
        raise ParameterError("No clip of the corpus could be read; check its path and its files.")
    changes = differences(data, tables["h"].column("clip").to_pylist())
    header = ["artifact", "trained", "query", "p_at_10", "deviation", "chance"]
    rows: list[list[object]] = []
    for name in states[1:]:
        for shots in config["shots"]:
            result = few_shot(data.x, data.artifact, data.source, name, shots, config["draws"], config["seed"])
            figures = [result.precision_at_10, result.deviation, result.chance]
            rows.append([name, name in known, f"{shots} examples", *(f"{v:.3f}" for v in figures)])
        with_artifact = data.artifact == name
        precision = precision_of(data, changes[with_artifact], data.source[with_artifact], name)
        chance = (data.artifact == name).mean()
        rows.append([name, name in known, "damaged - clean", f"{precision.mean():.3f}", f"{precision.std():.3f}",
                     f"{chance:.3f}"])  # fmt: skip
    table(f"{len(data)} views of {len(clips)} clips of {corpus.name}", header, rows)
    files.write_csv(config["csv"], [header, *rows])
    console.print(f"table     {config['csv']}")


def differences(data: Embedded, clips: list[str]) -> np.ndarray:
    """Each row less the clean row of its clip [N, D]."""
    unit = unit_rows(data.x)
    clean = {clip: unit[n] for n, clip in enumerate(clips) if data.artifact[n] == CLEAN}
    return np.stack([row - clean[clip] for row, clip in zip(unit, clips, strict=True)])


def precision_of(data: Embedded, queries: np.ndarray, sources: np.ndarray, name: str) -> np.ndarray:
    """P@10 of each query among the rows of other sources."""
    ids, _ = neighbours(data.x, data.source, queries, sources, 10)
    return (data.artifact[ids] == name).mean(axis=1)
