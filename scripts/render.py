"""Renders a paired dataset: clips clean and with artifacts, and a manifest.

    python scripts/render.py recordings/ to=dataset/ artifacts=vinyl workers=8
    python scripts/render.py clip.wav to=dataset/ artifacts=[hum,clicks] severities=[0.2,0.8]
    python scripts/render.py recordings/ to=dataset/ shard=3/16
    python scripts/render.py recordings/ to=dataset/ shard=merge

corpus= renders a corpus in place of a path. The same command again resumes an interrupted rendering; a finished dataset
is left as it is. shard= and engine=ray share the clips between machines (docs/scale.md).
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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from contrastive_artifacts import artifacts
from contrastive_artifacts.core import files, ray_pool, shards, typed
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.data import dataset
from contrastive_artifacts.runs import corpus_sections


@dataclass(frozen=True)
class Settings:
    path: str | None
    to: str
    severities: str | float | tuple[float, ...]
    views_per_clip: int | None
    compounds: bool
    clip_s: float | None
    crops: int
    span: tuple[float, float] | None
    layout: Literal["paired", "audiofolder", "webdataset"]
    views_per_tar: int
    seed: int
    workers: int
    shard: str | None
    engine: Literal["local", "ray"]
    ray: Mapping[str, Any]
    artifacts: Mapping[str, Any]
    corpus: Mapping[str, Any] | None = None
    split: Mapping[str, Any] | None = None


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    if (settings.path is None) == (settings.corpus is None):
        raise ParameterError("Give either path=FILE|DIR or corpus=NAME (one of configs/corpus), not both or neither.")
    plan, folder, kind = dataset_settings(settings), settings.to, dataset.LAYOUTS[settings.layout]
    layout = kind(settings.views_per_tar) if settings.layout == "webdataset" else kind()
    cluster_settings = typed.settings(ray_pool.RaySettings, settings.ray, "ray")
    shard = None if settings.shard == shards.MERGE else shards.parse(settings.shard)
    if settings.corpus is not None:
        corpus = corpus_sections.make_corpus(settings.corpus)
    else:
        corpus = dataset.corpus_at(settings.path, folder)
    files.check_folder("to", folder)
    split = {} if settings.split is None else corpus_sections.make_splits(corpus, settings.split)
    sides = {clip.id: side for side, clips in split.items() for clip in clips}
    with files.of_setting("to"):
        if settings.shard == shards.MERGE:
            rendered = dataset.joined_shards(corpus, plan, layout, folder, sides)
        else:
            with ray_pool.chosen(settings.engine, cluster_settings) as cluster:
                rendered = dataset.render_dataset(corpus, plan, layout, folder, sides, settings.workers, shard, cluster)
    if shard is not None:
        console.print(
            f"shard     {shard} in {folder}: {len(rendered.rows)} files, {len(rendered.rejected)} clips rejected"
        )
        console.print(f"next      the same command with shard={shards.MERGE}, when all shards have ended")
        return

    counts = Counter((row["split"], row["artifact"]) for row in rendered.rows)
    rows = [[*key, n] for key, n in counts.items()]
    table(f"{folder}: {len(rendered.rows)} files", ["split", "artifact", "files"], rows)
    for name, count in rendered.left_out.items():
        console.print(f"left out  {name}: {count} views that did not fit (too few channels, or no recorded rooms)")
    if rendered.rejected:
        console.print(f"rejected  {folder}/rejected.csv: {len(rendered.rejected)} clips")
    console.print(f"manifest  {folder}/manifest.parquet, manifest.csv")
    if settings.shard == shards.MERGE:
        console.print("joined    all shards")
    elif rendered.fresh:
        console.print(f"rendered  {rendered.fresh} files now")
    else:
        console.print("complete  there was nothing left to render")


def dataset_settings(settings: Settings) -> dataset.DatasetSettings:
    """What is rendered of every clip."""
    chosen, severities = settings.severities, None
    if isinstance(chosen, str) and chosen != "uniform":
        raise ParameterError(f"severities={chosen}: give uniform, or a list of numbers from 0 to 1: [0.2,0.8].")
    if not isinstance(chosen, str):
        severities = chosen if isinstance(chosen, tuple) else (chosen,)
    section = typed.settings(corpus_sections.ArtifactsSection, settings.artifacts, "artifacts")
    names = artifacts.states(section.states)[1:]
    compounds = None
    if settings.compounds:
        preset = section.states
        compounds = artifacts.PRESETS[preset] if isinstance(preset, str) else artifacts.Preset(names, "")
    return dataset.DatasetSettings(
        names, severities, section.severity, settings.views_per_clip, settings.clip_s, settings.crops, settings.span,
        compounds, settings.seed,
    )  # fmt: skip
