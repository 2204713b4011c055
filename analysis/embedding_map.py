"""Draws the map of a probed run's embeddings: which artifacts lie together.

    python analysis/embedding_map.py outputs/mine
    python analysis/embedding_map.py outputs/mine space=h points=1000

Writes map.png, map.html (one file that plays each point and opens without a network) and separation.json into the run.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, cli.Positional("RUN", "run"), stopped="The run is as it was; run the same command again.")

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contrastive_artifacts import artifacts, audio
from contrastive_artifacts.audio.preview import encode_preview
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, stderr, table, track
from contrastive_artifacts.data.views import ClipCache, cut_window
from contrastive_artifacts.embedding.table import read_table, table_vectors
from contrastive_artifacts.pages.map import MapPoint, write_map
from contrastive_artifacts.probes.geometry import separation, trustworthiness, umap_2d
from contrastive_artifacts.runs.run import Run
from contrastive_artifacts.search.retrieval import Roots, roots_of


@dataclass(frozen=True)
class Settings:
    run: str
    space: Literal["h", "z"]
    points: int
    seed: int
    roots: str | list[str] | None


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    directory = Path(settings.run)
    views = read_table(directory / "tables" / f"{settings.space}.parquet")
    views = views.filter(pc.not_equal(views["split"], "train"))
    rows = spread(views, settings.points, settings.seed)
    views, x = views.take(rows), table_vectors(views)[rows]
    facts = separation(x, views["artifact"].to_pylist(), views["source"].to_pylist())
    with stderr.status("UMAP (the first use compiles for some seconds)"):
        xy = umap_2d(x, seed=settings.seed)
    facts["trustworthiness"] = trustworthiness(x, xy)
    points = [
        MapPoint(float(xy[i, 0]), float(xy[i, 1]), row["id"], row["artifact"], row["severity"], row["source"],
                 row["corpus"], json.loads(row["params"]), *sound)
        for i, (row, sound) in enumerate(sounds(directory, views, roots_of(directory, settings.roots)))
    ]  # fmt: skip
    write_map(directory / "map.html", points, f"Embedding map of {directory.name}", {"space": settings.space, **facts})
    draw(xy, views, directory / "map.png")
    files.write_json(directory / "separation.json", {k: v if np.isfinite(v) else None for k, v in facts.items()})
    table("separation", list(facts), [[f"{value:.3f}" for value in facts.values()]])
    console.print(f"map      {directory}/map.html (open it in a browser) and {directory}/map.png")
    console.print(f"figures  {directory}/separation.json")


def spread(views: pa.Table, points: int, seed: int) -> np.ndarray:
    """Numbers of up to ``points`` rows, as many of each artifact, drawn at random."""
    rng = np.random.default_rng(seed)
    kinds = np.array(views["artifact"].to_pylist())
    share = -(-points // max(1, len(np.unique(kinds))))
    picked = [rng.permutation(np.flatnonzero(kinds == kind))[:share] for kind in np.unique(kinds)]
    return np.sort(np.concatenate(picked))[:points]


def sounds(directory: Path, views: pa.Table, roots: Roots) -> Iterator[tuple[dict[str, Any], tuple[bytes, str]]]:
    """Each row with its view, rendered again and encoded for a browser: ``(row, (bytes, mime))``."""
    corpora = {
        side: (ClipCache(corpus), {clip.id: clip for clip in corpus.clips})
        for side, corpus in Run(directory).corpora().items()
    }
    for row in track(views.to_pylist(), "render the previews"):
        cache, clips = corpora[row["split"]]
        clip = clips[row["clip"]]
        if clip.path is not None:
            roots.file(clip.path)  # an error if a run from elsewhere names other files of this machine
        waveform, rate = cache.load(clip)
        clean = cut_window(waveform, row["start"], row["stop"] - row["start"])
        view = artifacts.replay(clean, rate, json.loads(row["params"]))
        level = 0.1 / max(audio.active_rms(view, rate), 1e-5)  # about -20 dBFS: all are equally loud
        yield row, encode_preview(view * level, rate)


def draw(xy: np.ndarray, views: pa.Table, path: Path) -> None:
    """Writes the map three times, coloured by artifact, by severity and by source."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 3, figsize=(18, 6), layout="constrained")
    for axes, column in zip(panels, ("artifact", "severity", "source"), strict=True):
        values = np.array(views[column].to_pylist())
        if column == "severity":
            dots = axes.scatter(*xy.T, c=values, cmap="viridis", s=12)
            figure.colorbar(dots, ax=axes)
        else:
            names = np.unique(values)
            colors = plt.get_cmap("tab10" if column == "artifact" else "hsv", max(10, len(names)))
            for i, name in enumerate(names):
                axes.scatter(*xy[values == name].T, s=12, color=colors(i), label=name)
            if column == "artifact":
                axes.legend(markerscale=2)
        axes.set(title=f"by {column}", xticks=[], yticks=[])
    with files.atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110)
    plt.close(figure)
