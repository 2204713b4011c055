"""Positions of rows as the maps show them."""

from __future__ import annotations

import numpy as np

_EDGES = (1.0, 99.0)  # percentiles of the positions that fill the map
_FEW = 100  # rows of which all fill it
_RIM = 0.08  # width of the edge in which all rows outside of these percentiles lie, in half widths of the map


def fitted(points: np.ndarray, quiet: np.ndarray) -> np.ndarray:
    """Positions [N, 2] as they are shown: within [-1, 1], and most of the map belongs to most of the rows.

    The 1st to the 99th percentile of either axis fill the map; what lies beyond is drawn to its edge, in its direction
    and order. Rows of silence, ``quiet`` [N], lie in a disc of their own below the others.
    """
    sounding = points[~quiet] if not quiet.all() else points
    edges = (0.0, 100.0) if len(sounding) < _FEW else _EDGES
    low, high = (np.percentile(sounding, q, axis=0) for q in edges) if len(sounding) else (np.zeros(2), np.zeros(2))
    extent = float((high - low).max()) / 2
    extent = extent if extent > 1e-9 else 1.0
    half = (high - low) / 2 / extent
    centred = (points - (low + high) / 2) / extent
    beyond = np.maximum(np.abs(centred) - half, 0.0)
    rim = np.sign(centred) * (half + _RIM * beyond / (beyond + 0.5))
    shown = np.where(beyond > 0, rim, centred)
    number = int(np.count_nonzero(quiet))
    if 0 < number < len(points):
        turn, radius = np.arange(number) * np.pi * (3 - np.sqrt(5)), 0.06 * np.sqrt((np.arange(number) + 0.5) / number)
        disc = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
        shown[quiet] = np.array([-half[0], -half[1] - _RIM - 0.15]) + disc
    return scaled(shown)


def scaled(points: np.ndarray) -> np.ndarray:
    """Positions [N, 2] within [-1, 1], float32, with one scale for both axes."""
    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(2), np.zeros(2))
    extent = float((high - low).max()) / 2
    return ((points - (low + high) / 2) / (extent if extent > 1e-9 else 1.0)).astype(np.float32)
