"""The chance of each artifact over time, in cells shorter than a window."""

from __future__ import annotations

import numpy as np

from .lanes import Run


def cell_chances(run: Run, window: int, cell: float, lane: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Chances of an encoder of label sets in the cells of a run of data.

    A window counts for the samples that are nearer to its middle than to that of another one. In its most likely cell
    the chance is that of the window, which is calibrated; in the others it is less, as the chance of the cell is less.

    Args:
        run: Of windows that were classified by an encoder that gives cells.
        window: Length of a window in samples.
        cell: Length of a cell in samples.
        lane: Which of the signals.

    Returns:
        Bounds of the cells in samples, float64 [N + 1], and chances float32 [N, K - 1], without "clean". Labels that
        users added have no cells and are left out.
    """
    cells = np.concatenate(run.lanes[lane].cells).astype(np.float32)  # [windows, cells, faults]
    faults = cells.shape[2]
    chances = np.concatenate(run.lanes[lane].probabilities)[:, 1 : 1 + faults]
    relative = cells / np.maximum(cells.max(1, keepdims=True), 1)
    starts, edges = np.asarray(run.starts), run.edges(window)
    count = max(1, int(np.ceil((run.stop - starts[0]) / cell - 1e-6)))
    bounds = np.minimum(starts[0] + cell * np.arange(count + 1), run.stop)
    middles = (bounds[:-1] + bounds[1:]) / 2
    number = (np.searchsorted(edges, middles, side="right") - 1).clip(0, len(starts) - 1)
    place = ((middles - starts[number]) / cell).astype(int).clip(0, cells.shape[1] - 1)
    return bounds, (chances[number] * relative[number, place]).astype(np.float32)
