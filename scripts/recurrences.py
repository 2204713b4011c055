"""Finds faults that recur in several recordings of an archive.

    python scripts/recurrences.py archive-index
    python scripts/recurrences.py archive-index by=source least=10 csv=recurrences.csv

Clusters the windows of an index by similarity. A cluster that lies in several recordings points to the deck, reel or
converter that they share. export=DIR writes the windows with their position on a map, for Embedding Atlas, Spotlight
and TensorBoard.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, cli.Positional("INDEX", "index"), stopped="The index is as it was; run the same command again.")

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import contrastive_artifacts as ca
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, stderr, table
from contrastive_artifacts.probes.geometry import umap_2d
from contrastive_artifacts.search import retrieval

_SHOWN = 3  # groups of a cluster on the terminal; the CSV has all


@dataclass(frozen=True)
class Settings:
    index: str
    by: str
    least: int
    clean: bool
    csv: str | None
    export: str | None


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    index = ca.Index.open(settings.index)
    out = Path(settings.csv or index.directory / "recurrences.csv")
    files.check_file("csv", out)
    if settings.export:
        files.check_folder("export", settings.export)
    labels = retrieval.cluster(index.vectors(), settings.least)
    recurrences = retrieval.recurrences(index, labels, settings.by, settings.clean)
    retrieval.write_recurrences_csv(out, recurrences, settings.by)
    if settings.export:
        with stderr.status("UMAP (the first use compiles for some seconds)"):
            xy = umap_2d(index.vectors())
        retrieval.write_projector(index, settings.export, xy, {"cluster": labels})
    rows = []
    for r in recurrences:
        groups = [f"{g.name} {g.windows} ({g.lift:.1f}x, from {g.time})" for g in r.groups[:_SHOWN]]
        more = [f"and {len(r.groups) - _SHOWN} more"] if len(r.groups) > _SHOWN else []
        rows.append([r.cluster, r.label or "?", f"{r.purity:.2f}", r.windows, len(r.groups), "\n".join(groups + more)])
    clusters = f"{int(labels.max(initial=-1)) + 1} clusters, {len(recurrences)} in two or more values of {settings.by}"
    table(f"{len(index)} windows, {clusters}",
          ["cluster", "artifact", "purity", "windows", settings.by, "where (windows, lift, first)"], rows)  # fmt: skip
    console.print(f"table     {out}")
    if settings.export:
        console.print(f"export    {settings.export}: atlas.parquet, vectors.tsv, metadata.tsv")
