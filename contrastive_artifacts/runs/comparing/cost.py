"""What a network costs: seconds per second of audio, parameters, memory; measured in a process of its own."""

from __future__ import annotations

import re
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...core.errors import ParameterError
from ...embedding import Embedder
from .candidates import Candidate, embedder

STATUS = Path("/proc/self/status")


def measure_cost(candidate: Candidate, seconds: float, repeats: int, threads: int) -> dict[str, Any]:
    """Figures of one network on the CPU, from the waveform to the vector of the clip.

    Args:
        seconds: Length of the clip.
        repeats: Timed passes, after one that warms up.
        threads: Of PyTorch.

    Returns:
        ``seconds_per_s`` (by the clock, median over the passes, per second of audio), ``times_real_time`` (its
        inverse), ``cpu_seconds_per_s`` (of the processor, which other programs do not lengthen),
        ``threads``, ``parameters``, ``peak_mb`` (growth of the process' largest memory from before the network is
        made; ``None`` where the system does not tell), ``dim`` (of one frame), ``embedding`` (of a clip).

    Raises:
        ParameterError: the process died, most likely for want of memory.
    """
    # A process of its own: its peak is not that of networks before, and its threads are as stated.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(_measure, candidate, seconds, repeats, threads).result()
        except BrokenProcessPool as error:
            raise ParameterError(
                f"The process that timed {candidate.name} on {seconds} s died, most likely for want of memory; "
                "try fewer seconds, or leave it out."
            ) from error


def _measure(candidate: Candidate, seconds: float, repeats: int, threads: int) -> dict[str, Any]:
    torch.set_num_threads(threads)
    before = _peak_kb()
    network = candidate.load()
    networks = network.networks if isinstance(network, Embedder) else (network,)
    parameters = sum(p.numel() for module in networks for p in module.parameters())
    dim = network.dim
    model = embedder(network)
    del network, networks  # the frozen copy is what is used
    noise = np.random.default_rng(0).normal(0, 0.1, round(seconds * model.sample_rate)).astype(np.float32)
    size = model.view_vectors([noise])["h"].shape[1]
    times, worked = [], []
    for _ in range(repeats):
        start, began = time.perf_counter(), time.process_time()
        model.view_vectors([noise])
        times.append(time.perf_counter() - start)
        worked.append(time.process_time() - began)
    latency = statistics.median(times) / seconds
    after = _peak_kb()
    return {
        "seconds_per_s": latency,
        "times_real_time": 1 / latency,
        "cpu_seconds_per_s": statistics.median(worked) / seconds,
        "threads": threads,
        "parameters": parameters,
        "peak_mb": None if before is None or after is None else round((after - before) / 1024),
        "dim": dim,
        "embedding": size,
    }


def _peak_kb() -> int | None:
    """Largest resident memory of this process so far. ``resource`` would hand down the parent's."""
    try:
        found = re.search(r"VmHWM:\s*(\d+) kB", STATUS.read_text())
    except OSError:
        return None
    return int(found[1]) if found else None
