"""Searches for similar artifacts: python scripts/retrieve.py query=clip.wav index=outputs/archive/index [k=10] ...

The query is one file or several (their mean), a span (start_s=12.5 stop_s=14), a label (label=hum), the difference of
two files (unlike=other.wav), or that of a damaged file and its clean twin (clean=twin.wav: the change by the damage).
`python scripts/embed.py corpus.path=DIR index=DIR` builds the index of an archive.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(
        __file__,
        cli.Positional("QUERY", "query", several=True),
        stopped="The index is as it was; run the same command again.",
    )

from pathlib import Path
from typing import Any

import numpy as np

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.pages.hits import HitRow, write_hits
from contrastive_artifacts.runs.run import Run
from contrastive_artifacts.search import retrieval
from contrastive_artifacts.search.retrieval import SpanHit, mean_of, of_label, of_span, unlike


def listed(value: Any) -> list[str]:
    return [] if value is None else value if isinstance(value, list) else [value]


def query_vector(config: dict[str, Any], encoder: ca.PretrainedEncoder, index: ca.Index) -> np.ndarray:
    files, label = listed(config["query"]), config["label"]
    if bool(files) == (label is not None):
        raise ParameterError("Give either query=FILE (or a list of files) or label=NAME, not both or neither.")
    span = (config["start_s"], config["stop_s"])
    like = of_label(index, label) if label else mean_of([of_span(encoder, path, *span) for path in files])
    others = listed(config["unlike"]) + listed(config["clean"])
    if config["unlike"] and config["clean"]:
        raise ParameterError("Give either unlike= (another example) or clean= (the same clip undamaged), not both.")
    twin = span if config["clean"] else (0.0, None)
    return unlike(like, mean_of([of_span(encoder, path, *twin) for path in others])) if others else like


def main(config: dict[str, Any]) -> None:
    encoder = ca.load(config["encoder"])
    index = ca.Index.open(config["index"], encoder.fingerprint)
    vector = query_vector(config, encoder, index)
    where = dict(config["where"] or {}) | {name: tuple(ends) for name, ends in (config["between"] or {}).items()}
    exclude = dict(config["exclude"] or {})
    if config["others"]:
        query_sources = retrieval.sources_of(index, [*listed(config["query"]), *listed(config["clean"])])
        exclude |= {"source": query_sources} if query_sources else {}
    hits = retrieval.retrieve(index, vector, config["k"], where or None, exclude or None)
    hit_labels = [labels_of(hit.metadata) for hit in hits]
    rows = [
        [rank, f"{hit.score:.3f}", hit.name, hit.time, ", ".join(f"{k} {v}" for k, v in labels.items())]
        for rank, (hit, labels) in enumerate(zip(hits, hit_labels, strict=True), start=1)
    ]
    query = config["label"] or ", ".join(listed(config["query"]))
    table(f"{query}: {len(hits)} of {len(index)} windows ({index.kind}, recall {index.recall:.2f})",
          ["rank", "similarity", "recording", "time", "label"], rows)  # fmt: skip
    write(config, hits, hit_labels, query, index)


def labels_of(metadata: dict[str, Any]) -> dict[str, str]:
    """The true label of a hit, or that of the probe, with its severity."""
    names = ("artifact", "severity") if metadata.get("artifact") else ("heard", "heard_severity", "heard_probability")
    values = {
        name.removeprefix("heard_"): "unknown" if retrieval.is_unknown(value) else value
        for name in names
        if (value := metadata.get(name)) is not None
    }
    return {name: f"{value:.2f}" if isinstance(value, float) else str(value) for name, value in values.items()}


def write(
    config: dict[str, Any], hits: list[SpanHit], hit_labels: list[dict[str, Any]], query: str, index: ca.Index
) -> None:
    if config["csv"]:
        retrieval.write_hits_csv(config["csv"], hits)
        console.print(f"table     {config['csv']}")
    if not config["clips"] and not config["page"]:
        return
    home = retrieval.run_of_index(index.directory)
    corpora = {corpus.name: corpus for corpus in Run(home).corpora().values()} if home else {}
    sounds = [retrieval.sound_of(hit, corpora) for hit in hits]
    if config["clips"]:
        clips = [(hit, *sound) for hit, sound in zip(hits, sounds, strict=True)]
        retrieval.write_clips(config["clips"], clips, f".{config['format']}")
        console.print(f"clips     {config['clips']}: {len(clips)} files")
    if config["page"]:
        page_rows = [
            HitRow(hit.name, hit.time, hit.score, *sound, labels)
            for hit, sound, labels in zip(hits, sounds, hit_labels, strict=True)
        ]
        for path in reversed(listed(config["query"])):
            rate = audio.probe(path).sample_rate
            stop = None if config["stop_s"] is None else round(config["stop_s"] * rate)
            sound = audio.read(path, round(config["start_s"] * rate), stop)
            page_rows.insert(0, HitRow(Path(path).name, "", None, *sound))
        about = {"index": index.directory, "windows": len(index), "search": index.kind, "recall": index.recall}
        write_hits(config["page"], page_rows, f"Sounds like {query}", about)
        console.print(f"page      {config['page']} (open it in a browser and listen)")
