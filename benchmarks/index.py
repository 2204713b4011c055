"""Compares the kinds of index with brute force in NumPy and with usearch's HNSW graph, from 10^4 to 10^7 vectors.

    OMP_NUM_THREADS=1 LANCE_CPU_THREADS=1 python benchmarks/index.py [--sizes 10000 100000 1000000 10000000]

All engines get the same vectors (64 dimensions, around 500 directions), in a file that is mapped, and the same 100
queries one at a time, alternate within one run, and use one thread. Recall is that of the ten nearest of an exact
search. Above ``--exact-to`` vectors, only "ivf_sq8" (trained on a sample, filled in shards of a million, merged) and
"lance" are built; the graph is built for up to ``--hnsw-to``. Each index is built in a process of its own, whose peak
of memory without mapped files is measured. Needs lancedb, for the graph
usearch. Writes results/index_scale.csv.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import importlib.metadata
import multiprocessing
import os
import platform
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import faiss
import numpy as np
import pyarrow as pa

from contrastive_artifacts.core import files
from contrastive_artifacts.search.index import Index
from contrastive_artifacts.search.index.rows import Rows, exact

RESULTS = Path(__file__).parent.parent / "results" / "index_scale.csv"
DIM, K, QUERIES, SHARD = 64, 10, 100, 10**6
Search = Callable[[np.ndarray], Any]


class Engine(NamedTuple):
    name: str
    build_s: float
    peak: int  # bytes, in building
    memory: int  # bytes, when opened
    disk: int  # bytes
    search: Search  # vector -> ids


def vectors(count: int, seed: int) -> np.ndarray:
    centres = np.random.default_rng(0).standard_normal((500, DIM)).astype(np.float32)
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, DIM), dtype=np.float32)
    x += centres[rng.integers(0, len(centres), count)]
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def mapped(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r")


def anonymous_memory() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def settled_memory() -> int:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # memory that is free already would hide new allocations
    return anonymous_memory()


def rows(start: int, stop: int) -> pa.Table:
    return pa.table({"source": pa.array(np.arange(start, stop) % 1000, pa.int32())})


def build(path: Path, kind: str, folder: Path) -> None:
    x = mapped(path)
    if len(x) <= SHARD or kind == "lance":
        Index.build(x, rows(0, len(x)), folder, fingerprint="benchmark", kind=kind)
        return
    starts = range(0, len(x), SHARD)
    chosen = np.sort(np.random.default_rng(3).permutation(len(x))[: 100 * round(len(x) ** 0.5)])
    Index.train(x[chosen], len(x), folder.with_name("trained"), "benchmark", kind)
    shards = []
    for start in starts:
        part, ids = x[start : start + SHARD], np.arange(start, start + SHARD)
        shards.append(folder.with_name(f"shard-{start}"))
        table = rows(start, start + SHARD)
        Index.build(part, table, shards[-1], "benchmark", ids, like=folder.with_name("trained"))
    Index.merge(shards, folder)


def measured_build(path: Path, kind: str, folder: Path, results: Any) -> None:
    """In a process of its own: seconds and peak of memory."""
    faiss.omp_set_num_threads(1)
    before, peak, done = settled_memory(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], anonymous_memory() - before)

    watcher, start = threading.Thread(target=watch), time.perf_counter()
    watcher.start()
    build(path, kind, folder)
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    results.put((seconds, peak[0]))


def ours(path: Path, kind: str, folder: Path) -> Engine:
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    process = context.Process(target=measured_build, args=(path, kind, folder, results))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"building {kind} failed")
    build_s, peak = results.get()
    before = settled_memory()
    index = Index.open(folder)
    index.search(np.ones(DIM), K)  # what is opened at the first search is counted too
    memory = settled_memory() - before
    tables = [folder / "index.lance"] if kind == "lance" else [folder]
    disk = sum(p.stat().st_size for table in tables for p in table.rglob("*") if p.is_file())
    return Engine(kind, build_s, peak, memory, disk, lambda q: [hit.id for hit in index.search(q, K)])


def numpy_brute_force(x: np.ndarray) -> Engine:
    def search(q: np.ndarray) -> np.ndarray:
        scores = x @ q
        best = np.argpartition(-scores, K)[:K]
        return best[np.argsort(-scores[best])]

    return Engine("numpy", 0.0, x.nbytes, x.nbytes, x.nbytes, search)


def hnsw(x: np.ndarray) -> Engine:
    import usearch.index

    before, start = settled_memory(), time.perf_counter()
    graph = usearch.index.Index(ndim=DIM, metric="ip", dtype="f32")
    graph.add(np.arange(len(x)), x, threads=1)
    build_s = time.perf_counter() - start
    memory = settled_memory() - before
    return Engine("usearch hnsw", build_s, memory, memory, memory, lambda q: graph.search(q, K, threads=1).keys)


def measure(count: int, exact_to: int, hnsw_to: int, folder: Path) -> Iterator[dict[str, Any]]:
    path, queries = folder / "vectors.npy", vectors(QUERIES, 2)
    written = np.lib.format.open_memmap(path, "w+", np.float32, (count, DIM))
    for start in range(0, count, SHARD):
        written[start : start + SHARD] = vectors(min(SHARD, count - start), 1 + start)
    written.flush()
    x = mapped(path)
    truth = [set(row.tolist()) for row in exact(Rows([x]), queries, K, np.ones(count, bool))[1]]
    few = count <= exact_to
    kinds = ("flat", "ivf_sq8", "ivf_pq", "lance") if few else ("ivf_sq8", "lance")
    engines = [numpy_brute_force(np.array(x))] if few else []
    engines += [ours(path, kind, folder / kind / "index") for kind in kinds]
    engines += [hnsw(x)] if count <= hnsw_to else []
    seconds: dict[str, list[float]] = {engine.name: [] for engine in engines}
    recall = dict.fromkeys(seconds, 0.0)
    for query, nearest in zip(queries, truth, strict=True):
        for engine in engines:
            start_s = time.perf_counter()
            ids = engine.search(query)
            seconds[engine.name].append(time.perf_counter() - start_s)
            recall[engine.name] += len(nearest & {int(i) for i in ids}) / (K * QUERIES)
    for engine in engines:
        yield {
            "vectors": count,
            "dimensions": DIM,
            "engine": engine.name,
            "build_s": f"{engine.build_s:.2f}",
            "query_ms": f"{1000 * statistics.median(seconds[engine.name]):.3f}",
            "recall_at_10": f"{recall[engine.name]:.3f}",
            "peak_bytes_per_vector": round(engine.peak / count),
            "memory_bytes_per_vector": round(engine.memory / count, 1),
            "disk_bytes_per_vector": round(engine.disk / count),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10**4, 10**5, 10**6, 10**7])
    parser.add_argument("--exact-to", type=int, default=10**6)
    parser.add_argument("--hnsw-to", type=int, default=10**5)
    parser.add_argument("--folder", help="where indexes are built; default: a temporary folder")
    arguments = parser.parse_args()
    about = {name: importlib.metadata.version(name) for name in ("faiss-cpu", "lancedb")}
    about |= {"commit": files.commit(__file__)}
    about |= {"machine": f"{platform.system()} {platform.machine()}, one thread, load {os.getloadavg()[1]:.0f}"}
    about |= {"command": "OMP_NUM_THREADS=1 LANCE_CPU_THREADS=1 python benchmarks/index.py"}
    faiss.omp_set_num_threads(1)
    results = []
    for count in arguments.sizes:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            for row in measure(count, arguments.exact_to, arguments.hnsw_to, Path(folder)):
                print(*row.values(), sep="\t", flush=True)
                results.append(row | about)
        files.write_csv(RESULTS, [list(results[0]), *(row.values() for row in results)])
    print(f"-> {RESULTS}")


if __name__ == "__main__":
    main()
