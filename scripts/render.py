"""Renders a paired dataset: python scripts/render.py path=FILE|DIR to=DIR [artifacts=[hum]] [severities=[0.2,0.8]] ...

corpus=... takes a corpus of configs/corpus instead of path. Run it again to resume; a complete dataset is not changed.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(
        __file__,
        cli.Positional("PATH", "path"),
        stopped="Finished clips are kept; run the same command again to render the others.",
    )

from collections import Counter
from typing import Any

from contrastive_artifacts import artifacts
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.data import dataset
from contrastive_artifacts.runs import sections


def settings(config: dict[str, Any]) -> dataset.DatasetSettings:
    given = config["severities"]
    if isinstance(given, str) and given != "uniform":
        raise ParameterError(f"severities={given}: give uniform, or a list of numbers from 0 to 1: [0.2,0.8].")
    listed = None if isinstance(given, str) else tuple(given if isinstance(given, list) else [given])
    section = config["artifacts"]
    names = artifacts.states(section["states"])[1:]
    span = tuple(config["span"]) if config["span"] else None
    rest = {key: config[key] for key in ("views_per_clip", "clip_s", "crops", "seed")}
    if config["compounds"]:
        which = section["states"]
        rest["compounds"] = artifacts.PRESETS[which] if isinstance(which, str) else artifacts.Preset(names, "")
    return dataset.DatasetSettings(names, listed, tuple(section["severity"]), span=span, **rest)


def main(config: dict[str, Any]) -> None:
    if (config["path"] is None) == ("corpus" not in config):
        raise ParameterError("Give either path=FILE|DIR or corpus=NAME (one of configs/corpus), not both or neither.")
    folder = config["to"]
    plan, kind = settings(config), dataset.LAYOUTS[config["layout"]]
    layout = kind(config["shard"]) if config["layout"] == "webdataset" else kind()
    corpus = sections.make_corpus(config["corpus"]) if "corpus" in config else dataset.corpus_at(config["path"], folder)
    split = sections.make_splits(corpus, config["split"]) if "split" in config else {}
    sides = {clip.id: side for side, clips in split.items() for clip in clips}
    result = dataset.render_dataset(corpus, plan, layout, folder, sides, config["workers"])

    counts = Counter((row["split"], row["artifact"]) for row in result.rows)
    table(
        f"{folder}: {len(result.rows)} files",
        ["split", "artifact", "files"],
        [[*key, n] for key, n in counts.items()],
    )
    for name, count in result.left_out.items():
        console.print(f"left out  {name}: {count} views that did not fit (too few channels, or no recorded rooms)")
    if result.rejected:
        console.print(f"rejected  {folder}/rejected.csv: {len(result.rejected)} clips")
    console.print(f"manifest  {folder}/manifest.parquet, manifest.csv")
    console.print(
        f"rendered  {result.fresh} files now" if result.fresh else "complete  there was nothing left to render"
    )
