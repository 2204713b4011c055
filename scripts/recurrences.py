"""Finds recurring artifacts: python scripts/recurrences.py index=outputs/archive/index [by=source] [csv=FILE] ...

Similar windows are clustered; a cluster that lies in several recordings points at the tape deck, reel or converter
that they share. export=DIR writes the windows with positions on a map for Embedding Atlas, Spotlight, TensorBoard.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, cli.Positional("INDEX", "index"), stopped="The index is as it was; run the same command again.")

from pathlib import Path
from typing import Any

import contrastive_artifacts as ca
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.probes.geometry import umap_2d
from contrastive_artifacts.search import retrieval

_SHOWN = 3  # groups of a cluster on the terminal; the CSV has all


def main(config: dict[str, Any]) -> None:
    index = ca.Index.open(config["index"])
    labels = retrieval.cluster(index.vectors(), config["least"])
    recurring = retrieval.recurrences(index, labels, config["by"], config["clean"])
    rows = []
    for item in recurring:
        groups = [f"{g.name} {g.windows} ({g.lift:.1f}x, from {g.time})" for g in item.groups[:_SHOWN]]
        more = [f"and {len(item.groups) - _SHOWN} more"] if len(item.groups) > _SHOWN else []
        rows.append([item.cluster, item.label or "?", f"{item.purity:.2f}", item.windows, len(item.groups),
                     "\n".join(groups + more)])  # fmt: skip
    summary = f"{len(recurring)} recur in two or more by {config['by']}"
    table(f"{len(index)} windows, {int(labels.max(initial=-1)) + 1} clusters, {summary}",
          ["cluster", "artifact", "purity", "windows", config["by"], "where (windows, lift, first)"], rows)  # fmt: skip
    out = Path(config["csv"] or index.directory / "recurrences.csv")
    retrieval.write_recurrences_csv(out, recurring, config["by"])
    console.print(f"table     {out}")
    if config["export"]:
        with console.status("UMAP (compiles for some seconds on its first use)"):
            xy = umap_2d(index.vectors())
        retrieval.write_projector(index, config["export"], xy, {"cluster": labels})
        console.print(f"export    {config['export']}: atlas.parquet, vectors.tsv, metadata.tsv")
