"""A map of sounds to play, search and label: python scripts/explore.py run=DIR, or index=DIR [encoder=release]

run=DIR is a probed run (rendered views, each with its clean version), index=DIR an index of scripts/embed.py. Serves a
local page with a marker for every row, its sound and spectrogram, and searches by a row, a span, a file dropped onto
the page or a label. User labels are stored in a journal, exported as CSV, and used to retrain the probe.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(
        __file__,
        cli.Positional("RUN", "run"),
        stopped="Labels are kept in the journal; run the same command again to go on.",
    )

import getpass
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.progress import track

from contrastive_artifacts.core.console import console
from contrastive_artifacts.core.errors import ParameterError, StorageError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.pages.explorer.collection import Collection
from contrastive_artifacts.pages.explorer.labelling import SAVED
from contrastive_artifacts.probes.labels import Labels


def main(config: dict[str, Any]) -> None:
    run, index = config["run"], config["index"]
    if (run is None) == (index is None):
        raise ParameterError("Give either run=DIR (a probed run) or index=DIR (of scripts/embed.py).")
    if run is not None and config["encoder"] is not None:
        raise ParameterError("A run has its own encoder: omit encoder=, or give index=RUN/index instead of run=.")
    serving, explore_app = _serving()  # a missing package is reported before minutes of UMAP
    console.print("opening   ... (the first map of many rows takes minutes)")
    journal = Path(config["labels"] or (Path(run) / "labels.jsonl" if run else f"{Path(index)}.labels.jsonl"))
    if run is not None:
        collection = Collection.of_run(run, config["seed"], progress)
    else:
        collection = Collection.of_index(index, config["encoder"] or "release", config["seed"], progress)
    console.print(f"rows      {len(collection)} ({collection.layout.method})")
    with _opened(journal) as opened:
        labels = Labels(opened, config["who"] or getpass.getuser(), collection.index.fingerprint)
        access = serving.Access.to(config["host"])
        app = explore_app(collection, labels, access)
        if collection.probe is not collection.encoder.probe:
            console.print(
                f"probe     retrained with labels: {collection.home / SAVED} (delete it for the encoder's own)"
            )
        console.print(f"labels    {journal}")
        serving.serve(app, access, config["port"], lambda url: console.print(f"page      {url} (Ctrl+C ends)"))


def progress(steps: Iterable[Any], what: str, total: int) -> Iterable[Any]:
    return track(steps, what, total=total, transient=True)


def _opened(path: Path) -> Journal:
    try:
        return Journal(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror}); give another labels=FILE.") from None


def _serving() -> tuple[Any, Any]:
    try:
        from contrastive_artifacts.pages.explorer.server import explore_app
        from contrastive_artifacts.pages.shared import server as serving
    except ModuleNotFoundError as error:
        raise ParameterError(f"The page needs {error.name}: pip install 'contrastive-artifacts[serve]'.") from None
    return serving, explore_app
