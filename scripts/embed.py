"""Embeds the windows of recordings into a table, and into an index to search in.

    python scripts/embed.py recordings/
    python scripts/embed.py archive/ index=archive-index encoder=release out=outputs/archive.parquet
    python scripts/embed.py archive/ out=outputs/archive.parquet shard=3/16
    python scripts/embed.py archive/ out=outputs/archive.parquet shard=merge
    python scripts/embed.py archive/ out=outputs/archive.parquet engine=ray ray.address=auto
    python scripts/embed.py s3://bucket/films out=s3://bucket/films.parquet

One row per window: file, start and stop in samples of the file's own sample rate, what the probe predicts, and the
vector. Files that cannot be read become rows of OUT.problems.csv. The same command again continues an interrupted run.
shard= and engine=ray share the recordings between machines (docs/scale.md).
Next: retrieve, recurrences or explore with index=.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(
        __file__,
        cli.Positional("FOLDER", "corpus.path"),
        stopped="Finished recordings are kept in OUT.parts; run the same command again for the others.",
    )

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import contrastive_artifacts as ca
from contrastive_artifacts.core import files, outbox, ray_pool, shards, typed
from contrastive_artifacts.core.console import console, track
from contrastive_artifacts.embedding.table import read_table
from contrastive_artifacts.runs import corpus_sections
from contrastive_artifacts.search import retrieval


@dataclass(frozen=True)
class Settings:
    corpus: Mapping[str, Any]
    encoder: str
    out: str
    index: str | None
    kind: str | None
    channels: Literal["mix", "each"]
    stream: int | str | None
    streams: Literal["one", "all"]
    shard: str | None
    engine: Literal["local", "ray"]
    ray: Mapping[str, Any]


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    shared = settings.shard is not None or settings.engine == "ray"
    with outbox.uploaded(settings.out, is_file=True, shared=shared) as out:
        _embed(settings, Path(out))


def _embed(settings: Settings, out: Path) -> None:
    signals = retrieval.Signals(settings.channels, settings.stream, settings.streams)
    workers = typed.settings(ray_pool.RaySettings, settings.ray, "ray")
    shard = None if settings.shard == shards.MERGE else shards.parse(settings.shard)
    corpus, encoder = corpus_sections.make_corpus(settings.corpus), ca.load(settings.encoder)
    files.check_file("out", out)
    if settings.index:
        files.check_folder("index", settings.index)
    with files.of_setting("out"), retrieval.EmbeddingParts(out, corpus, encoder, signals, shard) as parts:
        if settings.shard == shards.MERGE:
            parts.gather()
        else:
            with ray_pool.chosen(settings.engine, workers) as cluster:
                if cluster is None:
                    parts.embed(track(parts.remaining, "embed"))
                else:
                    parts.embed_on(cluster, partial(ca.load, settings.encoder))
        problems, path = parts.problems, out.with_suffix(".problems.csv")
        if shard is not None:
            for clip, problem in problems:
                console.print(f"left out  {clip}: {problem}")
            console.print(f"shard     {shard} in {parts.folder}; when all have ended: shard={shards.MERGE}")
            return
        if problems:
            files.write_csv(path, [("clip", "problem"), *problems])
        else:
            path.unlink(missing_ok=True)  # of an earlier run
        windows = parts.join()
        index = None
        if settings.index:
            with files.of_setting("index"):
                index = retrieval.index_table(read_table(out), settings.index, encoder.fingerprint, settings.kind)
        parts.remove()
    console.print(f"table     {out}: {windows} windows of {len(corpus) - len(problems)} recordings")
    if index is not None:
        console.print(f"index     {index.location}: {index.kind}, recall {index.recall:.2f}")
    if corpus.left_out:
        console.print(f"folder    {corpus.left_out}")
    if problems:
        console.print(f"problems  {path}: {len(problems)} recordings were left out")
