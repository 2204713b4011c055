"""Curves that are known once in a block of samples."""

from __future__ import annotations

import numpy as np


def lines(nodes: np.ndarray, hop: int, samples: int) -> np.ndarray:
    """float32 ``[samples]`` in lines between ``nodes``, which stand ``hop`` samples apart from sample 0 on.

    There is one node more than blocks: ``ceil(samples / hop) + 1`` of them.
    """
    nodes = nodes.astype(np.float32)
    ramp = np.arange(hop, dtype=np.float32) / np.float32(hop)
    out = np.multiply(np.diff(nodes)[:, None], ramp)
    out += nodes[:-1, None]
    return out.reshape(-1)[:samples]


def block_means(row: np.ndarray, hop: int) -> np.ndarray:
    """Mean of each block of ``hop`` samples of ``[T]``; the last block may be shorter."""
    full = len(row) // hop
    means = row[: full * hop].reshape(full, hop).mean(axis=1)
    return np.append(means, row[full * hop :].mean()) if full * hop < len(row) else means
