"""Serves a page to explore sounds: a map to listen to, search and label.

    python scripts/explore.py outputs/mine
    python scripts/explore.py index=archive-index encoder=release

RUN is a probed run (rendered views, each with its clean version); index=DIR is an archive that embed has indexed. The
page has a marker for every row, its sound and spectrogram, and searches by a row, a span, a file dropped onto the page
or a label. User labels are stored in a journal, can be exported as CSV, and can retrain the probe.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(
        __file__,
        cli.Positional("RUN", "run"),
        stopped="Labels are kept in their journal; run the same command again to go on.",
    )

import getpass
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contrastive_artifacts.core import typed
from contrastive_artifacts.core.console import console, track
from contrastive_artifacts.core.errors import ParameterError, StorageError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.core.location import is_address
from contrastive_artifacts.pages.explorer.collection import CORRECTED, Collection
from contrastive_artifacts.probes.labels import Labels
from contrastive_artifacts.search.index import home_of


@dataclass(frozen=True)
class Settings:
    run: str | None
    index: str | None
    encoder: str | None
    roots: str | list[str] | None
    labels: str | None
    who: str | None
    host: str
    port: int
    seed: int


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    run, index = settings.run, settings.index
    if (run is None) == (index is None):
        raise ParameterError("Give either run=DIR (a probed run) or index=DIR (of scripts/embed.py).")
    if run is not None and settings.encoder is not None:
        raise ParameterError("A run has its own encoder: omit encoder=, or give index=RUN/index instead of run=.")
    serving, explore_app = _serving()  # a missing package is reported before minutes of UMAP
    opened, access, started = run or index or "", serving.Access.to(settings.host), time.monotonic()
    home = home_of(opened)
    path = Path(settings.labels or (home / "labels.jsonl" if run else f"{home}.labels.jsonl"))
    if not home.exists() and (run or not is_address(opened)):
        raise StorageError(f"{opened} does not exist; give the folder of a run, or index= that of an index.")
    with serving.listening(access, settings.port) as (listener, address):
        console.print(f"page      {address} (shows once the rows are ready; Ctrl+C ends)")
        console.print(f"opening   {opened}: loading the encoder and the index ...")
        if run is not None:
            collection = Collection.of_run(run, settings.seed, progress, settings.roots)
        else:
            encoder = settings.encoder or "release"
            collection = Collection.of_index(opened, encoder, settings.seed, progress, settings.roots)
        with _journal(path) as journal:
            labels = Labels(journal, settings.who or getpass.getuser(), collection.index.fingerprint)
            app = explore_app(collection, labels, access)
            if collection.probe is not collection.encoder.probe:
                saved = collection.home / CORRECTED
                console.print(
                    f"probe     retrained with labels: {saved} (Retrain probe goes back to the encoder's own)"
                )
            console.print(f"labels    {path}")
            rows, seconds = f"{len(collection):,} rows", time.monotonic() - started
            console.print(f"ready     {rows} after {seconds:.0f} s ({collection.layout.method})")
            serving.answer(app, listener)


def progress(steps: Iterable[Any], what: str, total: int) -> Iterable[Any]:
    """Says what is done now, and shows a progress bar while the steps are iterated over."""
    console.print(f"opening   {what} ...")
    return track(iter(steps), what, total=total or None)


def _journal(path: Path) -> Journal:
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
