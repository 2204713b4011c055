"""Compares the index with brute force in NumPy and with usearch's HNSW graph: build time, latency, recall, memory.

    OMP_NUM_THREADS=1 python benchmarks/index.py [--sizes 10000 100000 1000000] [--hnsw-to 100000]

All engines get the same vectors (128 dimensions, around 500 directions) and the same 100 queries one at a time,
alternate within one run, and use one thread. Recall is that of the ten nearest of an exact search in float64. Memory is
that of the process without mapped files. The graph is built for up to ``--hnsw-to`` vectors only, because building it
takes long with one thread. Needs usearch. Writes results/index.csv.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import faiss
import numpy as np
import usearch
import usearch.index

from contrastive_artifacts.core import files
from contrastive_artifacts.search.index import Index

RESULTS = Path(__file__).parent.parent / "results" / "index.csv"
DIM, K, QUERIES = 128, 10, 100
Search = Callable[[np.ndarray], Any]


class Engine(NamedTuple):
    name: str
    build_s: float
    memory: int  # bytes
    disk: int  # bytes
    search: Search  # vector -> ids


def vectors(count: int, seed: int) -> np.ndarray:
    centres = np.random.default_rng(0).standard_normal((500, DIM)).astype(np.float32)
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, DIM)).astype(np.float32)
    x += centres[rng.integers(0, len(centres), count)]
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def anonymous_memory() -> int:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # memory that is free already would hide new allocations
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def ours(x: np.ndarray, kind: str, folder: Path) -> Engine:
    start = time.perf_counter()
    Index.build(x, [{}] * len(x), folder, fingerprint="benchmark", kind=kind)
    build_s = time.perf_counter() - start
    before = anonymous_memory()
    index = Index.open(folder)
    memory = anonymous_memory() - before
    disk = sum(path.stat().st_size for path in folder.iterdir())
    return Engine(kind, build_s, memory, disk, lambda q: [hit.id for hit in index.search(q, K)])


def numpy_brute_force(x: np.ndarray) -> Engine:
    def search(q: np.ndarray) -> np.ndarray:
        scores = x @ q
        best = np.argpartition(-scores, K)[:K]
        return best[np.argsort(-scores[best])]

    return Engine("numpy", 0.0, x.nbytes, x.nbytes, search)


def hnsw(x: np.ndarray) -> Engine:
    before, start = anonymous_memory(), time.perf_counter()
    graph = usearch.index.Index(ndim=DIM, metric="ip", dtype="f32")
    graph.add(np.arange(len(x)), x, threads=1)
    build_s = time.perf_counter() - start
    memory = anonymous_memory() - before
    return Engine("usearch hnsw", build_s, memory, memory, lambda q: graph.search(q, K, threads=1).keys)


def measure(count: int, hnsw_to: int) -> Iterator[dict[str, Any]]:
    x, queries = vectors(count, 1), vectors(QUERIES, 2)
    truth = [set(np.argsort(-(x @ q.astype(np.float64)))[:K].tolist()) for q in queries]
    with tempfile.TemporaryDirectory() as folder:
        engines = [numpy_brute_force(x), *(ours(x, k, Path(folder) / k) for k in ("flat", "ivf_sq8", "ivf_pq"))]
        engines += [hnsw(x)] if count <= hnsw_to else []
        seconds: dict[str, list[float]] = {engine.name: [] for engine in engines}
        recall = dict.fromkeys(seconds, 0.0)
        for query, nearest in zip(queries, truth, strict=True):
            for engine in engines:
                start = time.perf_counter()
                ids = engine.search(query)
                seconds[engine.name].append(time.perf_counter() - start)
                recall[engine.name] += len(nearest & {int(i) for i in ids}) / (K * QUERIES)
        for engine in engines:
            middle = statistics.median(seconds[engine.name])
            yield {
                "vectors": count,
                "engine": engine.name,
                "build_s": f"{engine.build_s:.2f}",
                "query_ms": f"{1000 * middle:.3f}",
                "times_of_numpy": f"{middle / statistics.median(seconds['numpy']):.3f}",
                "recall_at_10": f"{recall[engine.name]:.3f}",
                "memory_bytes_per_vector": round(engine.memory / count),
                "disk_bytes_per_vector": round(engine.disk / count),
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10**4, 10**5, 10**6])
    parser.add_argument("--hnsw-to", type=int, default=10**5)
    arguments = parser.parse_args()
    about = {"faiss": faiss.__version__, "usearch": usearch.__version__, "commit": files.commit(__file__)}
    about |= {"machine": f"{platform.system()} {platform.machine()}, one thread"}
    about |= {"command": "OMP_NUM_THREADS=1 python benchmarks/index.py"}
    faiss.omp_set_num_threads(1)
    rows = []
    for count in arguments.sizes:
        for row in measure(count, arguments.hnsw_to):
            print(*row.values(), sep="\t", flush=True)
            rows.append(row | about)
    files.write_csv(RESULTS, [list(rows[0]), *(row.values() for row in rows)])
    print(f"-> {RESULTS}")


if __name__ == "__main__":
    main()
