"""Rendering in shards and by Ray workers: the dataset is that of one machine, to the byte; what is missing is said."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from test_dataset_render import PAIRED, SETTINGS, contents, recordings, times

from contrastive_artifacts.core import pool
from contrastive_artifacts.core.errors import CorpusError, StorageError
from contrastive_artifacts.core.journal import Journal, read_entries
from contrastive_artifacts.core.ray_pool import RaySettings, cluster
from contrastive_artifacts.core.shards import Shard
from contrastive_artifacts.data import dataset
from contrastive_artifacts.data.dataset import DatasetSettings, resume

TAR = dataset.LAYOUTS["webdataset"](views_per_tar=4)  # type: ignore[call-arg]


def rendered(source: Path, out: Path, shard: Shard | None = None, layout: dataset.Layout = PAIRED) -> dataset.Rendered:
    return dataset.render_dataset(dataset.corpus_at(source), SETTINGS, layout, out, {"r0.wav": "test"}, shard=shard)


def joined(source: Path, out: Path, layout: dataset.Layout = PAIRED) -> dataset.Rendered:
    return dataset.joined_shards(dataset.corpus_at(source), SETTINGS, layout, out, {"r0.wav": "test"})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    recordings(tmp_path / "in", 1, seconds=2.0)
    os.replace(tmp_path / "in" / "r0.wav", tmp_path / "in" / "long.wav")
    (recordings(tmp_path / "in") / "bad.wav").write_bytes(b"no audio")
    return tmp_path / "in"


@pytest.mark.parametrize("layout", [PAIRED, dataset.LAYOUTS["audiofolder"](), TAR])
def test_shards_are_joined_to_the_dataset_of_one_machine(source: Path, tmp_path: Path, layout: dataset.Layout) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    parts = [rendered(source, out, Shard(number, 3), layout) for number in (2, 3, 1)]
    assert not (out / "manifest.csv").exists()
    assert all(part.fresh for part in parts)
    if layout is PAIRED:
        assert {row["clip"] for row in parts[2].rows} == {"long.wav"}, "the longest is a shard of its own"
    result, straight = joined(source, out, layout), rendered(source, whole, layout=layout)
    assert (result.rows, result.rejected, result.fresh) == (straight.rows, straight.rejected, 0)
    assert [clip for clip, _ in result.rejected] == ["bad.wav"]
    assert contents(out) == contents(whole)
    before = times(out)
    assert rendered(source, out, layout=layout).fresh == 0, "the plain command goes on from there"
    joined(source, out, layout)
    assert times(out) == before


def test_a_shard_goes_on_and_what_is_missing_is_said(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(StorageError, match="holds no shards"):
        joined(source, out)
    assert not out.exists()
    first = rendered(source, out, Shard(1, 2))
    assert rendered(source, out, Shard(1, 2)).fresh == 0
    with pytest.raises(StorageError, match=r"of 8 clips are missing: .* Run shard=2/2 \(again\)"):
        joined(source, out)
    rendered(source, out, Shard(2, 2))
    (out / first.rows[0]["file"]).unlink()
    with pytest.raises(StorageError, match=r"1 of 8 clips are missing: .* Run shard=1/2 \(again\)"):
        joined(source, out)
    assert rendered(source, out, Shard(1, 2)).fresh == 3
    joined(source, out)


def test_a_clip_that_ends_its_process_is_tried_again_and_joined(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = pool.results

    def fatal(work, jobs, workers):
        for job, outcome in results(work, jobs, workers):
            yield job, pool.Crashed("its process ended") if job.name == "r1" else outcome

    monkeypatch.setattr(pool, "results", fatal)
    rendered(source, tmp_path / "out", Shard(1, 1))
    result = joined(source, tmp_path / "out")
    assert ("r1.wav", "its process ended") in result.rejected
    monkeypatch.undo()
    assert {row["clip"] for row in rendered(source, tmp_path / "out").rows} >= {"r1.wav"}
    rendered(source, tmp_path / "whole")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_shards_of_other_settings_and_two_writers_are_refused(source: Path, tmp_path: Path) -> None:
    corpus, out, other = dataset.corpus_at(source), tmp_path / "out", DatasetSettings(("hum", "dropout"), seed=5)
    rendered(source, out, Shard(1, 2))
    before = times(out)
    with pytest.raises(StorageError, match=r"another plan: .*seed was 4, is 5"):
        dataset.render_dataset(corpus, other, PAIRED, out, {"r0.wav": "test"}, shard=Shard(2, 2))
    with pytest.raises(StorageError, match=r"another plan: .*seed was 4, is 5"):
        dataset.render_dataset(corpus, other, PAIRED, out, {"r0.wav": "test"})
    with pytest.raises(StorageError, match=r"shard-1-of-2\.jsonl is a shard with seed 4 and not 5"):
        dataset.joined_shards(corpus, other, PAIRED, out, {"r0.wav": "test"})
    with pytest.raises(StorageError, match="shards 2 and not 3"):
        rendered(source, out, Shard(3, 3))
    with Journal(out / resume.FOLDER / Shard(2, 2).journal), pytest.raises(StorageError, match=r"2-of-2\.jsonl is in"):
        rendered(source, out, Shard(2, 2))
    assert times(out) == before
    rendered(source, out, Shard(2, 2))
    joined(source, out)


def test_of_clips_that_cannot_be_read_nothing_is_joined(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"no audio")
    assert rendered(tmp_path / "a.wav", tmp_path / "out", Shard(1, 1)).rows == []
    with pytest.raises(CorpusError, match=r"1 clips could not be read, the first, a\.wav"):
        joined(tmp_path / "a.wav", tmp_path / "out")


@pytest.mark.slow
def test_two_ray_workers_one_of_which_is_killed_render_the_same(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    source = recordings(tmp_path / "in", 30, seconds=3.0)
    (source / "bad.wav").write_bytes(b"no audio")
    corpus, out, whole = dataset.corpus_at(source), tmp_path / "out", tmp_path / "whole"

    ended, finished_jobs = threading.Event(), 0

    def kill() -> None:
        nonlocal finished_jobs
        while not finished_jobs and not ended.wait(0.01):
            if (out / resume.JOURNAL).exists() and len(entries := read_entries(out / resume.JOURNAL)) > 1:
                os.kill(workers.processes[0], signal.SIGKILL)
                finished_jobs = len(entries)

    with cluster(RaySettings("local", 2)) as workers:
        killer = threading.Thread(target=kill)
        killer.start()
        try:
            result = dataset.render_dataset(corpus, SETTINGS, PAIRED, out, cluster=workers)
        finally:
            ended.set()
            killer.join()
    assert 1 < finished_jobs < 30, "one was killed in the middle"
    straight = dataset.render_dataset(corpus, SETTINGS, PAIRED, whole)
    assert (result.rows, result.rejected) == (straight.rows, straight.rejected)
    assert [clip for clip, _ in result.rejected] == ["bad.wav"]
    assert contents(out) == contents(whole)
