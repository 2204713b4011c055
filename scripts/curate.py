"""Checks clean recordings: python scripts/curate.py corpus.path=DIR to=curated/ [serve=false] [apply=auto]

Flags clips (clipped, silent, padded, band-limited, humming, duplicate ...), serves a local page to keep or reject them,
and writes a numbered manifest, which is used by corpus.curation=curated. Without listening: serve=false apply=auto.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(
        __file__,
        cli.Positional("FOLDER", "corpus.path"),
        stopped="Measurements and decisions are kept; run the same command again to go on.",
    )

import getpass
from pathlib import Path
from typing import Any

from rich.progress import track

from contrastive_artifacts.core import files
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.data.curation.balance import HEADER, balance
from contrastive_artifacts.data.curation.decisions import Decisions
from contrastive_artifacts.data.curation.limits import make_limits
from contrastive_artifacts.data.curation.manifest import check_apply, verdicts, write_manifest
from contrastive_artifacts.data.curation.survey import survey
from contrastive_artifacts.pages.review.review import Review
from contrastive_artifacts.runs import sections


def main(config: dict[str, Any]) -> None:
    limits, folder, apply = make_limits(config["limits"]), Path(config["to"]), config["apply"]
    check_apply(apply)
    serving = _serving() if config["serve"] else None  # a missing package is reported before hours of measuring
    corpus = sections.make_corpus(config["corpus"])
    findings = survey(corpus, folder, limits, lambda clips: track(clips, "measure", total=len(corpus), transient=True))
    with Journal(folder / "decisions.jsonl") as journal:
        decisions = Decisions(journal, config["who"] or getpass.getuser())

        def publish() -> dict[str, Any]:
            outcome = verdicts(findings, decisions.in_force(), apply)
            rows = balance(findings, outcome)
            files.write_csv(folder / "balance.csv", [HEADER, *rows])
            return write_manifest(folder, corpus, findings, outcome, limits, apply)

        manifest = publish()
        counts = manifest["counts"]
        table(f"{len(corpus)} clips, {counts['flagged']} flagged", ["reason", "clips"], list(counts["reasons"].items()))
        if serving is not None:
            server, app = serving
            access = server.Access.to(config["host"])
            page = app(Review(corpus, findings, decisions, publish), access)
            server.serve(page, access, config["port"], lambda url: console.print(f"page      {url} (Ctrl+C ends)"))
            manifest = publish()
        outcome = verdicts(findings, decisions.in_force(), apply)
    table("Balance", HEADER, balance(findings, outcome))
    keep, reject = manifest["counts"]["keep"], manifest["counts"]["reject"]
    console.print(f"manifest  {folder / 'manifest.csv'}, version {manifest['version']}: {keep} kept, {reject} rejected")
    console.print(f"to use it corpus.curation={folder}")


def _serving() -> tuple[Any, Any]:
    try:
        from contrastive_artifacts.pages.review.server import review_app
        from contrastive_artifacts.pages.shared import server as serving
    except ModuleNotFoundError as error:
        raise ParameterError(
            f"The page needs {error.name}: pip install 'contrastive-artifacts[serve]'; or give serve=false."
        ) from None
    return serving, review_app
