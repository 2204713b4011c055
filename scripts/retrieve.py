"""Finds the windows of an archive that sound like an example.

    python scripts/retrieve.py clip.wav index=archive-index
    python scripts/retrieve.py clip.wav index=archive-index start_s=12.5 stop_s=14 others=true page=hits.html
    python scripts/retrieve.py label=hum index=archive-index k=50 csv=hits.csv

The query is a recording or several (their mean), a part of one (start_s, stop_s), a label (label=hum), a recording
minus what it should not sound like (unlike=other.wav), or a damaged recording minus its clean version (clean=ok.wav:
the difference that the damage makes). `python scripts/embed.py DIR index=archive-index` makes the index.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(
        __file__,
        cli.Positional("QUERY", "query", several=True),
        stopped="The index is as it was; run the same command again.",
    )

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.pages.hits import HitRow, write_hits
from contrastive_artifacts.runs.run import Run
from contrastive_artifacts.search import retrieval
from contrastive_artifacts.search.retrieval import SpanHit, mean_of, of_label, of_span, unlike


@dataclass(frozen=True)
class Settings:
    index: str
    query: str | list[str] | None
    label: str | None
    start_s: float
    stop_s: float | None
    unlike: str | list[str] | None
    clean: str | list[str] | None
    k: int
    where: Mapping[str, Any] | None
    between: Mapping[str, tuple[Any, Any]] | None
    exclude: Mapping[str, Any] | None
    others: bool
    encoder: str
    roots: str | list[str] | None
    csv: str | None
    clips: str | None
    format: Literal["wav", "flac"]
    page: str | None


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    check_targets(settings)
    encoder = ca.load(settings.encoder)
    index = ca.Index.open(settings.index, encoder.fingerprint)
    vector = query_vector(settings, encoder, index)
    where = dict(settings.where or {}) | dict(settings.between or {})
    exclude = dict(settings.exclude or {})
    if settings.others:
        sources = retrieval.sources_of(index, [*listed(settings.query), *listed(settings.clean)])
        exclude |= {"source": sources} if sources else {}
    hits = retrieval.retrieve(index, vector, settings.k, where or None, exclude or None)
    facts = [known(hit.metadata) for hit in hits]
    rows = [
        [rank, f"{hit.score:.3f}", hit.name, hit.time, ", ".join(f"{name} {value}" for name, value in values.items())]
        for rank, (hit, values) in enumerate(zip(hits, facts, strict=True), start=1)
    ]
    title = settings.label or ", ".join(listed(settings.query))
    written = write(settings, hits, facts, title, index)
    table(f"{title}: {len(hits)} of {len(index)} windows ({index.kind}, recall {index.recall:.2f})",
          ["rank", "similarity", "recording", "time", "known or predicted"], rows)  # fmt: skip
    for line in written:
        console.print(line)


def check_targets(settings: Settings) -> None:
    """Tries the files that the settings name."""
    for name, path in (("csv", settings.csv), ("page", settings.page)):
        if path:
            files.check_file(name, path)
    if settings.clips:
        files.check_folder("clips", settings.clips)


def listed(value: str | list[str] | None) -> list[str]:
    """A setting that takes one file or several, as a list."""
    return [] if value is None else value if isinstance(value, list) else [value]


def query_vector(settings: Settings, encoder: ca.PretrainedEncoder, index: ca.Index) -> np.ndarray:
    """The vector to search for."""
    recordings, label = listed(settings.query), settings.label
    if bool(recordings) == (label is not None):
        raise ParameterError("Give either query=FILE (or a list of files) or label=NAME, not both or neither.")
    if settings.unlike and settings.clean:
        raise ParameterError("Give either unlike= (another example) or clean= (the same clip undamaged), not both.")
    span = (settings.start_s, settings.stop_s)
    vector = of_label(index, label) if label else mean_of([of_span(encoder, path, *span) for path in recordings])
    others = listed(settings.unlike) + listed(settings.clean)
    span = span if settings.clean else (0.0, None)
    return unlike(vector, mean_of([of_span(encoder, path, *span) for path in others])) if others else vector


def known(metadata: dict[str, Any]) -> dict[str, str]:
    """Artifact and severity of a window where they are known, else what the probe predicted."""
    names = ("artifact", "severity") if metadata.get("artifact") else ("heard", "heard_severity", "heard_probability")
    values = {
        name.removeprefix("heard_"): "unknown" if retrieval.is_unknown(value) else value
        for name in names
        if (value := metadata.get(name)) is not None
    }
    return {name: f"{value:.2f}" if isinstance(value, float) else str(value) for name, value in values.items()}


def write(
    settings: Settings, hits: list[SpanHit], facts: list[dict[str, str]], title: str, index: ca.Index
) -> list[str]:
    """Writes the files that the settings name; returns a line about each."""
    lines = []
    if settings.csv:
        retrieval.write_hits_csv(settings.csv, hits)
        lines.append(f"table     {settings.csv}")
    if not settings.clips and not settings.page:
        return lines
    run = retrieval.run_of_index(index.directory)
    corpora = {corpus.name: corpus for corpus in Run(run).corpora().values()} if run else {}
    roots = retrieval.roots_of(run or index.directory, settings.roots)
    sounds = [retrieval.sound_of(hit, corpora, roots) for hit in hits]
    if settings.clips:
        clips = [(hit, *sound) for hit, sound in zip(hits, sounds, strict=True)]
        retrieval.write_clips(settings.clips, clips, f".{settings.format}")
        lines.append(f"clips     {settings.clips}: {len(clips)} files")
    if settings.page:
        rows = [HitRow(hit.name, hit.time, hit.score, *sound, values)
                for hit, sound, values in zip(hits, sounds, facts, strict=True)]  # fmt: skip
        for path in reversed(listed(settings.query)):
            rate = audio.probe(path).sample_rate
            stop = None if settings.stop_s is None else round(settings.stop_s * rate)
            rows.insert(0, HitRow(Path(path).name, "", None, *audio.read(path, round(settings.start_s * rate), stop)))
        about = {"index": index.location, "windows": len(index), "search": index.kind, "recall": index.recall}
        write_hits(settings.page, rows, f"Sounds like {title}", about)
        lines.append(f"page      {settings.page} (open it in a browser)")
    return lines
