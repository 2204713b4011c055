"""Embedding in shards: the table is that of one run, to the byte; what is missing is said."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from test_parts import Levels, corpus  # noqa: F401

from contrastive_artifacts.core.errors import StorageError
from contrastive_artifacts.core.ray_pool import RaySettings, cluster
from contrastive_artifacts.core.shards import Shard
from contrastive_artifacts.data.corpora import Corpus
from contrastive_artifacts.search.retrieval import EmbeddingParts, Signals


def embedded(corpus: Corpus, out: Path, shard: Shard | None = None, **more: Any) -> list[str]:  # noqa: F811
    encoder = Levels()
    with EmbeddingParts(out, corpus, encoder, shard=shard, **more) as parts:
        parts.embed(parts.remaining)
        if shard is None:
            parts.join()
    return encoder.embedded


def test_shards_are_joined_to_the_table_of_one_run(corpus: Corpus, tmp_path: Path) -> None:  # noqa: F811
    out, whole = tmp_path / "out.parquet", tmp_path / "whole.parquet"
    clips = [embedded(corpus, out, Shard(number, 3)) for number in (2, 3, 1)]
    assert sorted(name for part in clips for name in part) == sorted(clip.id for clip in corpus.clips)
    assert all(clips)
    embedded(corpus, whole)
    with EmbeddingParts(out, corpus, Levels()) as parts:
        parts.gather()
        parts.join()
        assert parts.problems == [("bad.wav", "ZeroDivisionError: of a decoder")]
    assert out.read_bytes() == whole.read_bytes()


def test_a_shard_goes_on_and_what_is_missing_is_said(corpus: Corpus, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "out.parquet"
    first = embedded(corpus, out, Shard(1, 2))
    assert embedded(corpus, out, Shard(1, 2)) == []
    text = rf"{7 - len(first)} of 7 recordings are missing.* Run shard=2/2 "
    with EmbeddingParts(out, corpus, Levels()) as parts, pytest.raises(StorageError, match=text):
        parts.gather()
    second = EmbeddingParts(out, corpus, Levels(), shard=Shard(2, 2))
    with second, pytest.raises(StorageError, match=r"shard-2-of-2\.jsonl is in use"):
        embedded(corpus, out, Shard(2, 2))


def test_shards_of_another_encoder_or_setting_are_refused(corpus: Corpus, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "out.parquet"
    embedded(corpus, out, Shard(1, 2))
    with pytest.raises(StorageError, match=r"shard-1-of-2\.jsonl is a shard with channels 'mix' and not 'each'"):
        embedded(corpus, out, Shard(2, 2), signals=Signals("each"))
    other = Levels()
    other.fingerprint = "other"
    with pytest.raises(StorageError, match="encoder 'levels' and not 'other'"):
        EmbeddingParts(out, corpus, other, shard=Shard(1, 2)).__enter__()
    with EmbeddingParts(out, corpus, other) as parts, pytest.raises(StorageError, match="encoder 'levels'"):
        parts.gather()


@pytest.mark.slow
def test_two_ray_workers_embed_the_table_of_one_run(
    corpus: Corpus,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    out, whole = tmp_path / "out.parquet", tmp_path / "whole.parquet"
    with EmbeddingParts(out, corpus, Levels()) as parts, cluster(RaySettings("local", 2)) as workers:
        parts.embed_on(workers, Levels)
        parts.join()
        assert parts.problems == [("bad.wav", "ZeroDivisionError: of a decoder")]
        assert len(list(parts.folder.glob("*.parquet"))) == 6
        assert parts.remaining == []
    embedded(corpus, whole)
    assert out.read_bytes() == whole.read_bytes()
