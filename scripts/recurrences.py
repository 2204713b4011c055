"""Finds faults that recur in several recordings of an archive.

    python scripts/recurrences.py archive-index
    python scripts/recurrences.py archive-index by=source least=10 csv=recurrences.csv page=recurrences.html

Clusters the windows of an index by similarity. A cluster that lies in several recordings points to the deck, reel or
converter that they share. The page plays a window of each recording. export=DIR writes the windows with their position
on a map, for Embedding Atlas, Spotlight and TensorBoard.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, cli.Positional("INDEX", "index"), stopped="The index is as it was; run the same command again.")

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import contrastive_artifacts as ca
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, stderr, table, track
from contrastive_artifacts.core.errors import AudioError, StorageError
from contrastive_artifacts.pages.recurrences import Place, RecurringFault, write_recurrences
from contrastive_artifacts.probes.geometry import umap_2d
from contrastive_artifacts.runs.run import Run
from contrastive_artifacts.search import retrieval
from contrastive_artifacts.search.retrieval import SpanHit

_PLAYED = 40  # recurrences on the page
_PLACES = 6  # groups of each of them
_KINDS = {"clip": "recordings", "source": "sources", "corpus": "corpora", "category": "categories"}
_SHOWN = 3  # groups of a cluster on the terminal; the CSV has all


@dataclass(frozen=True)
class Settings:
    index: str
    by: str
    least: int
    clean: bool
    csv: str | None
    page: str | None
    roots: str | list[str] | None
    export: str | None


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    index = ca.Index.open(settings.index)
    out = Path(settings.csv or index.directory / "recurrences.csv")
    files.check_file("csv", out)
    if settings.page:
        files.check_file("page", settings.page)
    if settings.export:
        files.check_folder("export", settings.export)
    retrieval.check_places(index)
    with stderr.status(f"comparing {len(index):,} windows"):
        labels = retrieval.cluster(index.vectors(), settings.least)
    recurrences = retrieval.recurrences(index, labels, settings.by, settings.clean)
    retrieval.write_recurrences_csv(out, recurrences, settings.by)
    if settings.export:
        with stderr.status("UMAP (its first use on a computer compiles for some seconds)"):
            xy = umap_2d(index.vectors())
        retrieval.write_projector(index, settings.export, xy, {"cluster": labels})
    page = Path(settings.page or index.directory / "recurrences.html")
    number, note = int(labels.max(initial=-1)) + 1, ""
    if not recurrences:
        note = nothing_text(index, labels, settings)
        console.print(f"nothing   {note}")
    else:
        rows = []
        for r in recurrences:
            groups = [f"{g.name} {g.windows} ({g.lift:.1f}x, from {g.time})" for g in r.groups[:_SHOWN]]
            more = [f"and {len(r.groups) - _SHOWN} more"] if len(r.groups) > _SHOWN else []
            where = "\n".join(groups + more)
            rows.append([r.cluster, r.label or "?", f"{r.purity:.2f}", r.windows, len(r.groups), where])
        clusters = f"{number} clusters, {len(recurrences)} in two or more values of {settings.by}"
        columns = ["cluster", "artifact", "purity", "windows", settings.by, "where (windows, lift, first)"]
        table(f"{len(index)} windows, {clusters}", columns, rows)
    sounds = track(recurrences[:_PLAYED], "read the sounds")
    faults = [recurring_fault(index, recurrence, settings) for recurrence in sounds]
    facts = {"windows": f"{len(index):,}", "clusters": number, "grouped by": settings.by, "recurring": len(recurrences)}
    if len(recurrences) > _PLAYED:
        note = f"The {_PLAYED} largest are shown; {out.name} has all {len(recurrences)}."
    kind = _KINDS.get(settings.by, f"values of {settings.by}")
    write_recurrences(page, faults, f"Faults that recur in {index.name}", facts, note, kind)
    console.print(f"table     {out}")
    console.print(f"page      {page} (open it in a browser)")
    if settings.export:
        console.print(f"export    {settings.export}: atlas.parquet, vectors.tsv, metadata.tsv")


def nothing_text(index: ca.Index, labels: np.ndarray, settings: Settings) -> str:
    """Why no fault recurs, in words."""
    number = int(labels.max(initial=-1)) + 1
    if not number:
        return (
            f"No fault recurs: no {settings.least} of the {len(index):,} windows are similar enough for a cluster. "
            "A smaller least= forms smaller ones."
        )
    clean = 0 if settings.clean else len(retrieval.recurrences(index, labels, settings.by, clean=True))
    of_clean = f" ({clean} recur, but are clean: clean=true lists them)" if clean else ""
    return (
        f"No fault recurs: the {len(index):,} windows form {number} clusters of {settings.least} or more similar ones"
        f"{of_clean}, and none of a fault lies in two or more values of {settings.by}."
    )


def recurring_fault(index: ca.Index, recurrence: retrieval.Recurrence, settings: Settings) -> RecurringFault:
    """A recurrence with the sound of a window of each of its largest groups."""
    run = retrieval.run_of_index(index.directory)
    corpora = {corpus.name: corpus for corpus in Run(run).corpora().values()} if run else {}
    roots = retrieval.roots_of(run or index.directory, settings.roots)
    places = []
    for share in recurrence.groups[:_PLACES]:
        row = int(np.flatnonzero(index.ids == share.example)[0])
        facts = index.metadata.slice(row, 1).to_pylist()[0]
        waveform, rate = None, 0
        hit = SpanHit(share.example, 1.0, facts, facts["start"], facts["stop"], facts["sample_rate"], (share.example,))
        with suppress(StorageError, AudioError):  # the page says that it cannot be read
            waveform, rate = retrieval.sound_of(hit, corpora, roots)
        time = hit.time if settings.by == "clip" else f"{hit.name}, {hit.time}"
        places.append(Place(share.name, share.windows, share.share, share.lift, time, waveform, rate))
    return RecurringFault(recurrence.label, recurrence.purity, recurrence.windows, len(recurrence.groups), places)
