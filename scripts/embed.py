"""Embeds recordings as they are: python scripts/embed.py corpus.path=DIR [encoder=release|RUN] [out=FILE.parquet]

One row a window, with file, start and stop in samples of the file's own rate. Files that cannot be read become rows of
FILE.problems.csv, and the rest goes on.
"""

from __future__ import annotations

from pathlib import Path

import hydra
import numpy as np
from omegaconf import DictConfig, OmegaConf
from rich.progress import track

import contrastive_artifacts as ca
from contrastive_artifacts import files, run
from contrastive_artifacts.console import console, instructive
from contrastive_artifacts.embedding import make_table, recording_rows, write_table
from contrastive_artifacts.errors import ArtifactsError


@hydra.main(version_base="1.3", config_path="../configs", config_name="embed")
def main(cfg: DictConfig) -> None:
    config = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    corpus, encoder = run.make_corpus(config["corpus"]), ca.load(config["encoder"])
    rows, vectors, problems = [], [], []
    for clip in track(corpus.clips, "embed", transient=True):
        try:
            found = encoder.embed(clip.path or corpus.load(clip))
        except ArtifactsError as error:
            problems.append((clip.id, str(error)))
            continue
        rows += recording_rows(found, clip.id, clip.source, corpus.name)
        vectors.append(found.frames)
    if not vectors:
        raise ArtifactsError(f"None of the {len(corpus.clips)} files could be embedded; the first: {problems[0][1]}")
    out = Path(config["out"])
    write_table(out, make_table(rows, np.concatenate(vectors), encoder.fingerprint, "h"))
    console.print(f"table     {out}: {len(rows)} windows of {len(vectors)} recordings")
    if problems:
        files.write_csv(out.with_suffix(".problems.csv"), [("clip", "problem"), *problems])
        console.print(f"problems  {out.with_suffix('.problems.csv')}: {len(problems)} recordings were left out")


if __name__ == "__main__":
    with instructive():
        main()
