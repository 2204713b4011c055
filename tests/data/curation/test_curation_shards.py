"""Curation in shards and by Ray workers: the manifest is that of one machine, to the byte; what is missing is said."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from test_manifest import LIMITS, RATE, data, speechlike  # noqa: F401

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import StorageError
from contrastive_artifacts.core.journal import Journal, read_entries
from contrastive_artifacts.core.ray_pool import RaySettings, cluster
from contrastive_artifacts.core.shards import Shard
from contrastive_artifacts.data import corpora
from contrastive_artifacts.data.curation import measuring
from contrastive_artifacts.data.curation.manifest import verdicts, write_manifest
from contrastive_artifacts.data.curation.survey import judged


def measured(data: Path, to: Path, shard: Shard | None = None) -> list[measuring.Entry]:  # noqa: F811
    return measuring.measured(corpora.create("folder", path=data), to, shard)


def manifest(data: Path, to: Path, entries: list[measuring.Entry]) -> bytes:  # noqa: F811
    corpus = corpora.create("folder", path=data)
    findings = judged(corpus, to, LIMITS, entries)
    write_manifest(to, corpus, findings, verdicts(findings, {}, "auto"), LIMITS, "auto")
    return (to / "manifest.csv").read_bytes()


def test_shards_are_joined_to_the_manifest_of_one_machine(data: Path, tmp_path: Path) -> None:  # noqa: F811
    to, whole = tmp_path / "to", tmp_path / "whole"
    parts = [measured(data, to, Shard(number, 3)) for number in (2, 3, 1)]
    assert sum(map(len, parts)) == 6
    assert all(parts)
    assert not (to / "measures.jsonl").exists()
    joined = measuring.joined_shards(corpora.create("folder", path=data), to)
    straight = measured(data, whole)
    assert joined == straight
    assert ["problem" in entry for entry in joined] == [False, False, False, True, False, False]
    assert (to / "measures.jsonl").read_bytes() == (whole / "measures.jsonl").read_bytes()
    assert manifest(data, to, joined) == manifest(data, whole, straight)
    assert b"duplicate" in (to / "manifest.csv").read_bytes()


def test_a_shard_goes_on_and_what_is_missing_is_said(
    data: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    to, corpus = tmp_path / "to", corpora.create("folder", path=data)
    with pytest.raises(StorageError, match="holds no shards"):
        measuring.joined_shards(corpus, to)
    count = len(measured(data, to, Shard(1, 2)))
    with pytest.raises(StorageError, match=rf"{6 - count} of 6 clips are missing: .* Run shard=2/2 \(again\)"):
        measuring.joined_shards(corpus, to)
    measured(data, to, Shard(2, 2))
    again: list[str] = []
    of_clip = measuring.blocks.of_clip
    monkeypatch.setattr(measuring.blocks, "of_clip", lambda c, clip: (again.append(clip.id), of_clip(c, clip))[1])
    for number in (1, 2):
        measured(data, to, Shard(number, 2))
    assert again == ["b/broken.wav"], "only what could not be read is tried again"
    audio.write(data / "a" / "good.wav", speechlike(9), RATE)
    with pytest.raises(StorageError, match=r"1 of 6 clips are missing: a/good\.wav"):
        measuring.joined_shards(corpora.create("folder", path=data), to)
    assert not (to / "measures.jsonl").exists(), "nothing is written of what is not complete"


def test_shards_of_another_corpus_or_number_and_two_writers_are_refused(data: Path, tmp_path: Path) -> None:  # noqa: F811
    to = tmp_path / "to"
    measured(data, to, Shard(1, 2))
    with pytest.raises(StorageError, match="shards 2 and not 3"):
        measured(data, to, Shard(1, 3))
    other = corpora.create("folder", path=data, name="other")
    with pytest.raises(StorageError, match=r"shard-1-of-2\.jsonl is a shard with corpus 'data' and not 'other'"):
        measuring.measured(other, to, Shard(2, 2))
    with Journal(to / Shard(2, 2).journal), pytest.raises(StorageError, match=r"2-of-2\.jsonl is in use"):
        measured(data, to, Shard(2, 2))


@pytest.mark.slow
def test_two_ray_workers_one_of_which_is_killed_measure_the_same(data: Path, tmp_path: Path) -> None:  # noqa: F811
    pytest.importorskip("ray")
    rng = np.random.default_rng(0)
    for number in range(20):
        audio.write(data / "c" / f"{number}.wav", rng.normal(0, 0.05, (1, 4 * RATE)).astype(np.float32), RATE)
    corpus, to, whole = corpora.create("folder", path=data), tmp_path / "to", tmp_path / "whole"
    ended, measured_clips = threading.Event(), 0

    def kill() -> None:
        nonlocal measured_clips
        while not measured_clips and not ended.wait(0.01):
            if (to / "measures.jsonl").exists() and (entries := read_entries(to / "measures.jsonl")):
                os.kill(workers.processes[0], signal.SIGKILL)
                measured_clips = len(entries)

    with cluster(RaySettings("local", 2)) as workers:
        killer = threading.Thread(target=kill)
        killer.start()
        try:
            entries = measuring.measured(corpus, to, cluster=workers)
        finally:
            ended.set()
            killer.join()
    assert 0 < measured_clips < len(corpus) - 1, "one was killed in the middle"
    assert entries == measuring.measured(corpus, whole)
    assert [clip.id for clip, entry in zip(corpus.clips, entries, strict=True) if "problem" in entry] == [
        "b/broken.wav"
    ]
