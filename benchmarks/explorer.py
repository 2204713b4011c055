"""Measures how soon the explorer's page is ready, and how soon a row is heard, over many rows.

    python benchmarks/explorer.py [--rows 200000 10000000] [--rounds 5]

Needs Chromium with its driver, selenium, and the extra `serve`. The rows are windows of 5 s of twenty recordings of
five minutes; their vectors are random and their map is two coordinates, stored before (UMAP is not measured). Each
round opens the page anew in one browser, which has opened it once before: *ready* is the time from the start of the
navigation to the first drawing of all rows, *sound* that from a click on the play button of a row which was not opened
before to its first sample. *server* is the time until the page answers, of one start. Of more than a million rows a
million are drawn at random and saved: *sample* is the time of that, once for an index. *sent* is what the browser gets.
Ten million rows need 35 GB of disk. Writes results/explorer.csv: the median and the largest.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.core import files
from contrastive_artifacts.pages.explorer import layout
from contrastive_artifacts.pages.explorer.sample import MOST_ROWS, sampled
from contrastive_artifacts.search.index import Index
from contrastive_artifacts.search.retrieval.roots import record_roots

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results" / "explorer.csv"
RATE, WINDOW_S, RECORDINGS, SECONDS = 44100, 5, 20, 300
SHARD = 1_000_000  # rows whose vectors are in memory at once
LIMIT_S = 1200.0
READY = "const { ready, drawn, visible } = document.body.dataset; return Boolean(ready) && drawn === visible"
NOW = "return performance.now()"
SENT = """
const parts = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
return parts.reduce((sum, part) => sum + part.encodedBodySize, 0);
"""
PLAY = """
const { select } = modules['pages/explorer/panel.js'], { player } = modules['pages/shared/player.js'];
const done = arguments[arguments.length - 1], begin = performance.now();
select(arguments[0], { play: true });
(function look() { if (player.position() > 0) done(performance.now() - begin); else requestAnimationFrame(look); })();
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[200_000, 10_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    table = [["rows", "what", "unit", "rounds", "median", "largest", "commit"]]
    for rows in options.rows:
        with TemporaryDirectory() as folder:
            sample_s = make_index(Path(folder), rows)
            with served(Path(folder)) as (address, server_s):
                ready, sound, sent = zip(*measured(address, min(rows, MOST_ROWS), options.rounds), strict=True)
        measures = {"ready": ready, "sound": sound, "server": [server_s], "sample": [sample_s], "sent": sent}
        for what, values in measures.items():
            figures = [f"{value:.2f}" for value in (statistics.median(values), max(values))]
            unit = "MB" if what == "sent" else "s"
            table.append([str(rows), what, unit, str(len(values)), *figures, files.commit(__file__)])
    files.write_csv(RESULTS, table)
    print(*("  ".join(row) for row in table), RESULTS, sep="\n")


def make_index(folder: Path, count: int) -> float:
    """Makes an index of windows of noise, with its map; the seconds that drawing its sample takes."""
    encoder, rng = ca.load("release"), np.random.default_rng(0)
    paths = [folder / "recordings" / f"{number}.flac" for number in range(RECORDINGS)]
    for path in paths:
        audio.write(path, rng.normal(0, 0.05, (1, SECONDS * RATE)).astype(np.float32), RATE)
    dimensions = len(encoder.embed((audio.read(paths[0])[0][:, :RATE], RATE)).clip)
    shards = []
    for first in range(0, count, SHARD):
        ids = np.arange(first, min(first + SHARD, count))
        vectors = rng.standard_normal((len(ids), dimensions), dtype=np.float32)
        shard, table = folder / f"shard-{first}", windows_of(paths, len(ids), rng)
        shards.append(Index.build(vectors, table, shard, encoder.fingerprint, ids=ids, kind="flat"))
    index = Index.merge(shards, folder / "index", kind="flat")
    shards.clear()  # files that are mapped keep their place on the disk
    for shard in folder.glob("shard-*"):
        shutil.rmtree(shard)
    record_roots(index.directory, {str(path) for path in paths})
    begin = time.monotonic()
    sample = sampled(index)
    sample_s = time.monotonic() - begin
    with mock.patch.object(layout, "umap_2d", lambda x, seed: x[:, :2]):
        layout.layout_of(sample)
    return sample_s


def windows_of(paths: list[Path], count: int, rng: np.random.Generator) -> pa.Table:
    file = rng.integers(len(paths), size=count)
    start = rng.integers((SECONDS - WINDOW_S) * RATE, size=count)
    names = [path.name for path in paths]
    return pa.table({
        "clip": [names[n] for n in file], "file": [str(paths[n]) for n in file], "source": [names[n] for n in file],
        "corpus": ["noise"] * count, "start": start, "stop": start + WINDOW_S * RATE, "sample_rate": [RATE] * count,
        "artifact": [""] * count, "params": ["{}"] * count, "channel": pa.nulls(count, pa.int64()),
    })  # fmt: skip


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, float]]:
    """The address of an explorer of the index, and the seconds until it answers."""
    from urllib.error import URLError
    from urllib.request import urlopen

    command = [
        sys.executable,
        str(ROOT / "scripts" / "explore.py"),
        f"index={folder}/index",
        "encoder=release",
        "port=0",
    ]
    begin = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = next(line.split()[1] for line in process.stdout if line.startswith("page"))
        try:
            while True:
                try:
                    with urlopen(address + "api/about", timeout=LIMIT_S):
                        break
                except URLError:
                    time.sleep(0.1)
            yield address, time.monotonic() - begin
        finally:
            process.kill()


def measured(address: str, count: int, rounds: int) -> list[tuple[float, float, float]]:
    """Seconds until the page is ready, seconds until a row is heard, and MB that the browser got, of each round."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--autoplay-policy=no-user-gesture-required"):
        options.add_argument(argument)
    browser: Any = webdriver.Chrome(options, Service(shutil.which("chromedriver")))  # none is downloaded
    try:
        browser.set_script_timeout(LIMIT_S)
        figures = []
        for row in np.random.default_rng(1).integers(count, size=1 + rounds).tolist():
            browser.get(address)
            while not browser.execute_script(READY):
                time.sleep(0.01)
            ready, sent = browser.execute_script(NOW) / 1000, browser.execute_script(SENT) / 1e6
            figures.append((ready, browser.execute_async_script(PLAY, row) / 1000, sent))
        return figures[1:]
    finally:
        browser.quit()


if __name__ == "__main__":
    main()
