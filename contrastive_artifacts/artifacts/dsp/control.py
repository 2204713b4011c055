"""Curves at a control rate: one value per block of samples."""

from __future__ import annotations

import numpy as np


def interpolate(nodes: np.ndarray, hop: int, samples: int) -> np.ndarray:
    """Interpolates linearly between ``nodes``, the values at samples 0, ``hop``, 2 ``hop`` ...

    Args:
        nodes: ``[ceil(samples / hop) + 1]``, one more than there are blocks.
        hop: samples.
        samples: length of the output.

    Returns:
        float32 ``[samples]``.
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
