"""The cost of a network: seconds per second of audio, parameters, memory; measured in a separate process."""

from __future__ import annotations

import re
import signal
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context, resource_tracker
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
        ``seconds_per_s`` (wall-clock seconds per second of audio, median over the passes), ``times_real_time`` (its
        inverse), ``cpu_seconds_per_s`` (processor seconds, on which other programs have little influence),
        ``threads``, ``parameters``, ``peak_mb`` (growth of the peak memory of the process from before the network is
        loaded; None where the system does not report it), ``dim`` (of one frame), ``embedding`` (size of the vector of
        a clip).

    Raises:
        ParameterError: the process died, most likely because memory was exhausted.
    """
    # In a separate process, peak memory is not that of earlier networks and the number of threads is as stated.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            with _children_without_interrupts():
                future = pool.submit(_measure, candidate, seconds, repeats, threads)
            return future.result()
        except KeyboardInterrupt:
            for process in active_children():  # the pool would wait for the end of its job
                process.terminate()
            raise
        except BrokenProcessPool as error:
            raise ParameterError(
                f"The process that timed {candidate.name} on {seconds} s died, most likely for lack of memory; "
                "try fewer seconds, or leave it out."
            ) from error


@contextmanager
def _children_without_interrupts() -> Iterator[None]:
    """Ctrl-C reaches all processes of the terminal; processes started in here leave the answer to this one."""
    resource_tracker.ensure_running()  # if the first process started it, it would reset the mask
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _measure(candidate: Candidate, seconds: float, repeats: int, threads: int) -> dict[str, Any]:
    torch.set_num_threads(threads)
    before = _peak_kb()
    network = candidate.load()
    networks = network.networks if isinstance(network, Embedder) else (network,)
    parameters = sum(p.numel() for module in networks for p in module.parameters())
    dim = network.dim
    model = embedder(network)
    del network, networks  # the model has a frozen copy
    noise = np.random.default_rng(0).normal(0, 0.1, round(seconds * model.sample_rate)).astype(np.float32)
    size = model.view_vectors([noise])["h"].shape[1]
    times, cpu_times = [], []
    for _ in range(repeats):
        start, cpu_start = time.perf_counter(), time.process_time()
        model.view_vectors([noise])
        times.append(time.perf_counter() - start)
        cpu_times.append(time.process_time() - cpu_start)
    latency = statistics.median(times) / seconds
    after = _peak_kb()
    return {
        "seconds_per_s": latency,
        "times_real_time": 1 / latency,
        "cpu_seconds_per_s": statistics.median(cpu_times) / seconds,
        "threads": threads,
        "parameters": parameters,
        "peak_mb": None if before is None or after is None else round((after - before) / 1024),
        "dim": dim,
        "embedding": size,
    }


def _peak_kb() -> int | None:
    """Peak resident memory of this process; ``resource`` would include that of the parent."""
    try:
        match = re.search(r"VmHWM:\s*(\d+) kB", STATUS.read_text())
    except OSError:
        return None
    return int(match[1]) if match else None
