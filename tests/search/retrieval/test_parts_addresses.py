"""Recordings at addresses are embedded as local ones, and the table may go to an address."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import fsspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from test_parts import Levels

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import CorpusError, ParameterError
from contrastive_artifacts.data import corpora
from contrastive_artifacts.data.corpora import Corpus
from contrastive_artifacts.embedding import Embedding
from contrastive_artifacts.embedding.embedder import Input
from contrastive_artifacts.search.retrieval import EmbeddingParts
from contrastive_artifacts.search.retrieval.roots import OutsideRootsError, Roots, record_roots

ROOT = Path(__file__).parents[3]
pytest.importorskip("upath")


class Anywhere(Levels):
    """Takes addresses, too."""

    def embed(self, source: Input, channel: int | None = None, stream: audio.Stream = None) -> Embedding:
        return self.levels(source)


def table(recordings: Corpus, out: Path) -> dict[str, list]:
    with EmbeddingParts(out, recordings, Anywhere()) as parts:
        parts.embed(parts.remaining)
        parts.join()
        assert parts.remaining == []
    return pq.read_table(out).to_pydict()


def test_a_folder_at_an_address_is_embedded_as_a_local_one(tmp_path: Path) -> None:
    memory, rng = fsspec.filesystem("memory"), np.random.default_rng(0)
    for name in ("b/a.wav", "a.wav", "c.flac"):
        audio.write(tmp_path / "films" / name, rng.normal(0, 0.1, (1, 32000)).astype(np.float32), 16000)
        memory.pipe(f"/films/{name}", (tmp_path / "films" / name).read_bytes())
    for name in ("notes.txt", ".hidden/x.wav", "._a.wav"):
        memory.pipe(f"/films/{name}", b"")
    try:
        remote = corpora.create("folder", path="memory://films")
        far = table(remote, tmp_path / "far.parquet")
        with pytest.raises(CorpusError, match="not a folder"):
            corpora.create("folder", path="memory://nowhere")
        with pytest.raises(CorpusError, match="leave csv= out"):
            corpora.create("folder", path="memory://films", csv="table.csv")
        with pytest.raises(ParameterError, match="s3://"):
            corpora.create("folder", path="nothing://films")
    finally:
        memory.store.clear()
    near = table(corpora.create("folder", path=tmp_path / "films"), tmp_path / "near.parquet")
    assert remote.left_out == "3 of 4 files; not read: 1 .txt (no media)"
    assert far.pop("file") == [f"memory://films/{clip}" for clip in far["clip"]]
    del near["file"]
    assert far == near
    assert set(far["clip"]) == {"a.wav", "b/a.wav", "c.flac"}


def test_an_index_opens_no_address(tmp_path: Path) -> None:
    with pytest.raises(OutsideRootsError, match=r"s3://bucket/a\.wav is at an address"):
        Roots([Path.cwd()]).file("s3://bucket/a.wav")
    record_roots(tmp_path, ["s3://bucket/films/a.wav", "/films/b.wav"])
    assert '"/films"' in (tmp_path / "roots.json").read_text()
    assert "bucket" not in (tmp_path / "roots.json").read_text()


@pytest.mark.slow
def test_the_verb_reads_and_writes_addresses(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 8 * 16000)).astype(np.float32)
    audio.write(tmp_path / "films" / "a.wav", noise, 16000)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CONTRASTIVE_ARTIFACTS_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, str(ROOT / "scripts" / "embed.py"), f"file://{tmp_path}/films"]
    for out in (f"file://{tmp_path}/bucket/films.parquet", f"{tmp_path}/local.parquet"):
        done = subprocess.run(
            [*command, f"out={out}"], capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert ("uploaded  1 files" in done.stdout) == ("bucket" in out)
    assert [path.name for path in (tmp_path / "bucket").rglob("*")] == ["films.parquet"]
    assert (tmp_path / "bucket" / "films.parquet").read_bytes() == (tmp_path / "local.parquet").read_bytes()
