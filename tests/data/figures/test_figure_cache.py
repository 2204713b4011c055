"""The cache: equal bits for any number of workers and after any interruption, in flat memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from figure_views import Tones, small, tones

from contrastive_artifacts.core.errors import StorageError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.data.corpora.builtin import builtin
from contrastive_artifacts.data.figures import FigureCache, block_views, columns, fill
from contrastive_artifacts.data.figures.arrays import block_arrays
from contrastive_artifacts.data.figures.cache import JOURNAL


@pytest.fixture
def corpus() -> Tones:
    return tones("a", "bb", "ccc")


def files_of(cache: FigureCache) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(cache.folder.glob("*.bin"))}


def test_rows_are_the_figures_of_the_views(tmp_path, corpus):
    recipe = small()
    cache = fill(tmp_path, corpus, corpus.clips, recipe, blocks=3, workers=1)
    assert len(cache) == 12
    assert cache.names == recipe.names
    assert cache.crops.tolist() == np.repeat([0, 1, 2], 4).tolist()
    for block in range(3):
        expected = block_arrays(block_views(corpus, corpus.clips, recipe, block), recipe)
        for name in columns(recipe):
            np.testing.assert_array_equal(cache.arrays[name][4 * block : 4 * block + 4], expected[name])
    assert set(cache.sources) == {"a", "bb", "ccc"}
    assert not cache.arrays["labels"][::4].any(), "the first view of a crop is clean"
    assert cache.active(cache.rows).any(1).tolist() == cache.arrays["labels"][cache.rows].tolist()


def test_workers_do_not_change_a_bit(tmp_path):
    corpus = builtin(0, 6, 2.0, 22050)
    recipe = small(varied=True)
    one = fill(tmp_path / "one", corpus, corpus.clips, recipe, 5, workers=1)
    two = fill(tmp_path / "two", corpus, corpus.clips, recipe, 5, workers=2)
    assert one.folder.name == two.folder.name
    assert files_of(one) == files_of(two)


def test_an_interrupted_fill_is_continued(tmp_path, corpus):
    whole = fill(tmp_path / "whole", corpus, corpus.clips, small(), 5, workers=1)
    blocks = []

    def stop(views: int) -> None:
        blocks.append(views)
        if len(blocks) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path / "cut", corpus, corpus.clips, small(), 5, workers=1, progress=stop)
    assert len(FigureCache.open(tmp_path / "cut" / whole.folder.name)) == 8, "finished blocks are kept"
    resumed = fill(tmp_path / "cut", corpus, corpus.clips, small(), 5, workers=1, progress=blocks.append)
    assert blocks == [4] * 5, "no block is rendered twice"
    assert files_of(resumed) == files_of(whole)


def test_more_blocks_extend_a_cache(tmp_path, corpus):
    first = fill(tmp_path, corpus, corpus.clips, small(), 2, workers=1)
    more = fill(tmp_path, corpus, corpus.clips, small(), 4, workers=1)
    assert first.folder == more.folder
    assert (len(first), len(more)) == (8, 16)
    np.testing.assert_array_equal(first.arrays["slow"], more.arrays["slow"][:8])


KILLED = """
import sys
from contrastive_artifacts.data.figures import fill
from figure_views import small, tones
corpus = tones("a", "bb", "ccc")
fill(sys.argv[1], corpus, corpus.clips, small(), 400, workers=1)
"""


def test_a_fill_that_was_killed_is_continued(tmp_path):
    """SIGKILL at some moment: what the journal says is there, and the rest is rendered again to the same bits."""
    environment = {**os.environ, "PYTHONPATH": f"{Path(__file__).parents[3]}:{Path(__file__).parent}"}
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "cut")], env=environment)
    deadline = time.monotonic() + 120
    while not [path for path in tmp_path.rglob(JOURNAL) if path.stat().st_size > 60]:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    corpus = tones("a", "bb", "ccc")
    folder = next((tmp_path / "cut").iterdir())
    done = len(FigureCache.open(folder)) // 4
    assert 0 < done < 400
    resumed = fill(tmp_path / "cut", corpus, corpus.clips, small(), done + 2, workers=1)
    whole = fill(tmp_path / "whole", corpus, corpus.clips, small(), done + 2, workers=1)
    for name in columns(small()):
        np.testing.assert_array_equal(resumed.arrays[name], whole.arrays[name])


def test_clips_that_cannot_be_read_are_named(tmp_path):
    corpus = tones("a", "broken")
    cache = fill(tmp_path, corpus, corpus.clips, small(), 4, workers=1)
    assert len(cache) == 8
    assert list(cache.problems.values()) == ["broken is broken."] * 2
    with pytest.raises(StorageError, match="no finished block"):
        fill(tmp_path, tones("broken"), tones("broken").clips, small(), 1, workers=1)


def test_another_recipe_or_corpus_is_another_cache(tmp_path, corpus):
    folders = {
        fill(tmp_path, used, used.clips, recipe, 1, workers=1).folder
        for used, recipe in ((corpus, small()), (corpus, small(seed=1)), (tones("a", "bb"), small()))
    }
    assert len(folders) == 3


def test_one_process_fills_at_a_time_and_damage_is_refused(tmp_path, corpus):
    cache = fill(tmp_path, corpus, corpus.clips, small(), 1, workers=1)
    with Journal(cache.folder / JOURNAL), pytest.raises(StorageError, match="in use"):
        fill(tmp_path, corpus, corpus.clips, small(), 2, workers=1)
    os.truncate(cache.folder / "slow.bin", 100)
    with pytest.raises(StorageError, match=r"slow\.bin is missing or shorter"):
        FigureCache.open(cache.folder)


MEMORY = """
import resource, sys
from contrastive_artifacts.data.figures import fill
from figure_views import small, tones
corpus = tones("a", "bb", "ccc")
peaks = []
for blocks in (6, 46):
    cache = fill(sys.argv[1], corpus, corpus.clips, small(names=("hum", "hiss")), blocks, workers=1)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print((peaks[1] - peaks[0]) // 1024)
"""


def test_memory_does_not_grow_with_the_number_of_views(tmp_path):
    """160 views hold 10 MB in arrays; filling with them takes less than that."""
    environment = {**os.environ, "PYTHONPATH": f"{Path(__file__).parents[3]}:{Path(__file__).parent}"}
    command = [sys.executable, "-c", MEMORY, str(tmp_path)]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert int(output) < 8
