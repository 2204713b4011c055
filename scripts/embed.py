"""Embeds recordings: python scripts/embed.py corpus.path=DIR [index=DIR] [encoder=release|RUN] [out=FILE]

Writes one row per window, with file, start and stop in samples at the native rate, and the classification of the probe.
With index=DIR the windows can be searched: python scripts/retrieve.py query=clip.wav index=DIR. Files that cannot be
read become rows of OUT.problems.csv.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(
        __file__, cli.Positional("FOLDER", "corpus.path"), stopped="Nothing was written; run the same command again."
    )

from pathlib import Path
from typing import Any

from rich.progress import track

import contrastive_artifacts as ca
from contrastive_artifacts.core import files
from contrastive_artifacts.core.console import console
from contrastive_artifacts.embedding.table import write_table
from contrastive_artifacts.runs import sections
from contrastive_artifacts.search import retrieval


def main(config: dict[str, Any]) -> None:
    corpus, encoder = sections.make_corpus(config["corpus"]), ca.load(config["encoder"])
    clips = track(corpus.clips, "embed", transient=True)
    table, problems = retrieval.embed_recordings(corpus, clips, encoder, config["channels"])
    out = Path(config["out"])
    write_table(out, table)
    console.print(f"table     {out}: {len(table)} windows of {len(corpus) - len(problems)} recordings")
    if config["index"]:
        index = retrieval.index_table(table, config["index"], encoder.fingerprint)
        console.print(f"index     {index.directory}: {index.kind}, recall {index.recall:.2f}")
    if problems:
        files.write_csv(out.with_suffix(".problems.csv"), [("clip", "problem"), *problems])
        console.print(f"problems  {out.with_suffix('.problems.csv')}: {len(problems)} recordings were left out")
