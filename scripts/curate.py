"""Checks that clean recordings are clean: flags clips, and serves a page to decide.

    python scripts/curate.py recordings/ to=curated/
    python scripts/curate.py recordings/ to=curated/ serve=false apply=auto
    python scripts/curate.py recordings/ to=curated/ shard=3/16
    python scripts/curate.py recordings/ to=curated/ shard=merge

Flags clips that are clipped, silent, padded, band-limited, humming or duplicates, serves a local page to keep or reject
them, and writes a numbered manifest. corpus.curation=curated/ then leaves the rejected clips out of any corpus.
shard= and engine=ray share the measuring between machines (docs/scale.md).
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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from contrastive_artifacts.core import files, ray_pool, shards, typed
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.data.curation.balance import HEADER, balance
from contrastive_artifacts.data.curation.decisions import Decisions
from contrastive_artifacts.data.curation.limits import make_limits
from contrastive_artifacts.data.curation.manifest import check_apply, verdicts, write_manifest
from contrastive_artifacts.data.curation.measuring import Entry, joined_shards, measured
from contrastive_artifacts.data.curation.survey import judged
from contrastive_artifacts.pages.review.review import Review
from contrastive_artifacts.runs import corpus_sections


@dataclass(frozen=True)
class Settings:
    corpus: Mapping[str, Any]
    to: str
    limits: Mapping[str, Mapping[str, Any] | None] | None
    apply: str
    serve: bool
    who: str | None
    host: str
    port: int
    shard: str | None
    engine: Literal["local", "ray"]
    ray: Mapping[str, Any]


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    limits, folder, apply = make_limits(settings.limits), Path(settings.to), settings.apply
    check_apply(apply)
    shard = None if settings.shard == shards.MERGE else shards.parse(settings.shard)
    workers = typed.settings(ray_pool.RaySettings, settings.ray, "ray")
    serves = settings.serve and shard is None
    serving = _serving() if serves else None  # a missing library is reported before hours of measuring
    corpus = corpus_sections.make_corpus(settings.corpus)
    files.check_folder("to", folder)
    with files.of_setting("to"):
        if settings.shard == shards.MERGE:
            entries = joined_shards(corpus, folder)
        else:
            with ray_pool.chosen(settings.engine, workers) as cluster:
                entries = measured(corpus, folder, shard, cluster)
        if shard is not None:
            _show_shard(shard, folder, entries)
            return
        findings = judged(corpus, folder, limits, entries)
    with files.of_setting("to"), Journal(folder / "decisions.jsonl") as journal:
        decisions = Decisions(journal, settings.who or getpass.getuser())

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
            access = server.Access.to(settings.host)
            page = app(Review(corpus, findings, decisions, publish), access)
            server.serve(page, access, settings.port, lambda url: console.print(f"page      {url} (Ctrl+C ends)"))
            manifest = publish()
        outcome = verdicts(findings, decisions.in_force(), apply)
    table("Balance", HEADER, balance(findings, outcome))
    counts = manifest["counts"]
    summary = f"{counts['keep']} kept, {counts['reject']} rejected"
    console.print(f"manifest  {folder / 'manifest.csv'}, version {manifest['version']}: {summary}")
    console.print(f"to use it corpus.curation={folder}")


def _show_shard(shard: shards.Shard, folder: Path, entries: list[Entry]) -> None:
    unreadable = sum("problem" in entry for entry in entries)
    console.print(f"shard     {shard} in {folder}: {len(entries)} clips measured, {unreadable} of them unreadable")
    console.print(f"next      the same command with shard={shards.MERGE}, when all shards have ended")


def _serving() -> tuple[Any, Any]:
    try:
        from contrastive_artifacts.pages.review.server import review_app
        from contrastive_artifacts.pages.shared import server as serving
    except ModuleNotFoundError as error:
        raise ParameterError(
            f"The page needs {error.name}: pip install 'contrastive-artifacts[serve]'; or give serve=false."
        ) from None
    return serving, review_app
