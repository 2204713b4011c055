"""Takes label tracks that were corrected in Audacity as labels of the windows of an index.

    python scripts/labels.py films/film.artifacts.txt index=archive-index
    python scripts/labels.py films/*.artifacts.txt index=archive-index retrain=true
    python scripts/labels.py corrected.txt index=archive-index recording=films/film.wav scan=films/film.artifacts.json

Import film.artifacts.txt of a scan into Audacity beside the recording, change, add and remove labels ("clean" is one as
well), and export them to the same file. Windows under labels of either track get the corrected ones; the others stay
without a label. The journal says from which file each label came: its path, SHA-256 and time. The labels of a file
replace those that it gave before. explore shows them, and its button retrains the probe, as retrain=true does here.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(
        __file__,
        cli.Positional("FILE", "path", several=True),
        stopped="Labels of finished files are kept in the journal.",
    )

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import contrastive_artifacts as ca
from contrastive_artifacts.core import typed
from contrastive_artifacts.core.console import console
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.embedding import save_corrected
from contrastive_artifacts.pages.explorer.collection import CORRECTED
from contrastive_artifacts.probes.labels import Labels, refit
from contrastive_artifacts.search.corrections import Imported, import_track


@dataclass(frozen=True)
class Settings:
    path: str | tuple[str, ...]
    index: str
    recording: str | None
    scan: str | None
    labels: str | None
    retrain: bool
    encoder: str


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    tracks = [Path(word) for word in ((settings.path,) if isinstance(settings.path, str) else settings.path)]
    if len(tracks) > 1 and (settings.recording or settings.scan):
        raise ParameterError("recording= and scan= are of one label track; give one FILE with them.")
    index = ca.Index.open(settings.index)
    path = Path(settings.labels or f"{Path(settings.index)}.labels.jsonl")
    with Journal(path) as journal:
        for track in tracks:
            _show(track, import_track(track, index, journal, settings.recording, settings.scan))
        console.print(f"labels    {path}")
        if settings.retrain:
            _retrain(settings, index, Labels(journal, "", index.fingerprint))


def _show(track: Path, imported: Imported) -> None:
    names = ", ".join(f"{name} {count}" for name, count in sorted(imported.names.items())) or "none"
    console.print(f"windows   {track}: {imported.windows} of {imported.of} of {imported.recording} ({names})")
    if imported.new:
        console.print(f"new       {', '.join(imported.new)}: no artifact was called so before")
    if imported.timeline is None:
        console.print("removed   unknown without the JSON of the scan (scan=FILE): what was removed teaches nothing")


def _retrain(settings: Settings, index: ca.Index, labels: Labels) -> None:
    encoder, folder = ca.load(settings.encoder), Path(settings.index) / CORRECTED
    matching = labels.matching(index.metadata)
    refitted = refit(index.vectors(), index.metadata, matching, encoder.fingerprint, encoder.probe)
    judgement = refitted.judgement
    if judgement.before is not None and judgement.after is not None:
        before, after = judgement.before, judgement.after
        console.print(
            f"figures   accuracy {before['accuracy']:.2f} -> {after['accuracy']:.2f} on {after['rows']:.0f} labelled "
            "windows, each without the labels of its own source"
        )
    if judgement.verdict == "worse":
        console.print(f"probe     worse, not saved: {'; '.join(judgement.losses)}")
        return
    save_corrected(settings.encoder, refitted.probe, folder)
    console.print(f"probe     {folder} (scan ... encoder={folder})")
