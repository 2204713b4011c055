"""Measures of the clips of a corpus, in a journal; computed again only if a file or a definition changes.

Several machines measure a shard each, with a journal of its own, or the workers of a Ray cluster measure.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from ...core import files, pool, shards
from ...core.console import printable, track
from ...core.errors import ArtifactsError, one_of_many
from ...core.journal import Journal
from ...core.ray_pool import Cluster
from ..corpora import Clip, Corpus, lengths
from . import blocks, duplicates
from .measures import VERSION, measure_blocks

Entry = dict[str, Any]  # of a clip: its measures and content, or the problem with it; plain JSON
_JOURNAL = "measures.jsonl"


def measured(
    corpus: Corpus, folder: str | Path, shard: shards.Shard | None = None, cluster: Cluster | None = None
) -> list[Entry]:
    """Measures the clips that were not measured before; those that could not be read are tried again.

    Args:
        corpus: The corpus.
        folder: Measures are stored in its ``measures.jsonl``; a later call, also after a crash, continues from there.
        shard: Measures the clips of this shard only, into a journal of its own; :func:`joined_shards` takes all.
        cluster: Its workers measure; they must see the same files.

    Returns:
        The entry of each clip (of the shard), in the order of the corpus.

    Raises:
        StorageError: another process writes to the journal, or the folder has shards of another corpus or version.
    """
    clips: Sequence[Clip] = corpus.clips if shard is None else shard.part(corpus.clips, lengths.clip_s)
    with Journal(Path(folder) / (_JOURNAL if shard is None else shard.journal)) as journal:
        if shard is not None:
            shards.begin(journal, _about(corpus), shard)
        entries = _by_key(journal.entries)
        remaining = [clip for clip in clips if "problem" in entries.get(key(corpus, clip), {"problem": "is new"})]
        work = partial(measured_clip, corpus)
        if cluster is None:
            results = pool.results(work, remaining, 1)
        else:
            results = cluster.results(work, deque(sorted(remaining, key=lambda clip: -lengths.clip_s(clip))))
        with closing(results):
            for clip, outcome in track(results, "measure", len(remaining)):
                about = {"problem": outcome.problem} if isinstance(outcome, pool.Crashed) else outcome
                entry = {"key": key(corpus, clip), "version": VERSION, **about}
                if shard is not None or "problem" not in entry:
                    journal.add(entry)
                entries[entry["key"]] = entry
    return [entries[key(corpus, clip)] for clip in clips]


def joined_shards(corpus: Corpus, folder: str | Path) -> list[Entry]:
    """The result of :func:`measured` where all shards of it have ended; later calls without a shard go on from there.

    Raises:
        StorageError: a clip is missing (the message says which shards to run), or has changed since; or shards are of
            another corpus or version.
    """
    shard_entries, shard = shards.joined(Path(folder), _about(corpus))
    entries, keys = _by_key(shard_entries), [key(corpus, clip) for clip in corpus.clips]
    if any(name not in entries for name in keys):
        raise shards.missing(
            "clips", corpus.clips, lambda clip: key(corpus, clip) not in entries, lambda clip: printable(clip.id),
            lengths.clip_s, shard,
        )  # fmt: skip
    with Journal(Path(folder) / _JOURNAL) as journal:
        before = _by_key(journal.entries)
        for name in keys:
            if name not in before and "problem" not in entries[name]:
                journal.add(entries[name])
    return [entries[name] for name in keys]


def key(corpus: Corpus, clip: Clip) -> str:
    """Identifies a clip and its content, as far as can be seen without reading it."""
    if clip.path is None:
        return f"{clip.id}|{corpus.fingerprint}"
    return f"{clip.id}|{files.state(clip.path)}"


def measured_clip(corpus: Corpus, clip: Clip) -> Entry:
    """The measures of a clip, or the problem with it."""
    try:
        with one_of_many(clip.id):
            samples = blocks.of_clip(corpus, clip)
            content = [round(float(value), 2) for value in duplicates.content(duplicates.reduced(samples))]
            return {"measures": dataclasses.asdict(measure_blocks(samples)), "content": content}
    except ArtifactsError as error:
        return {"problem": str(error)}


def _about(corpus: Corpus) -> dict[str, Any]:
    """What the measures of a shard depend on beside its files."""
    return {"corpus": corpus.name, "measures_version": VERSION}


def _by_key(entries: Sequence[Entry]) -> dict[str, Entry]:
    """The last entry of each clip, of the measures as they are now."""
    return {entry["key"]: entry for entry in entries if entry.get("version") == VERSION}
