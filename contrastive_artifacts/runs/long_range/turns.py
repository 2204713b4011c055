"""The revolution rate of a record from a series of scores of its windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import Ridge

from ...core.errors import ParameterError
from ...probes.linear import standardisation

RANGE_HZ = (0.4, 2.5)
_GRID = 4000
_PAD = 32


def revolution_rate(series: np.ndarray, hop_s: float, range_hz: tuple[float, float] = RANGE_HZ) -> float:
    """The rate in Hz at which a series of scores repeats.

    A comb over its amplitude spectrum: mean amplitude at the multiples of a rate, less the largest mean at the other
    multiples of its half, third or fifth. The subtraction excludes two or three times the rate of a train of short
    events, the mean over all multiples excludes half the rate.

    Args:
        series: [N] scores, one every ``hop_s`` seconds.
        range_hz: Searched rates; two turns of the lowest must fit in the series, the highest be below half the hop
            rate.

    Raises:
        ParameterError: the series is too short or too coarse for the range.
    """
    top = 0.5 / hop_s
    if len(series) * hop_s * range_hz[0] < 2 or range_hz[1] > top:
        raise ParameterError(
            f"{len(series)} scores every {hop_s} s cannot show rates of {range_hz} Hz; give two turns or more, and "
            "four scores a turn."
        )
    x = (series - series.mean()) * np.hanning(len(series))
    amplitude = np.abs(np.fft.rfft(x, _PAD * len(x)))
    bins = np.arange(len(amplitude)) / (_PAD * len(x) * hop_s)
    rates = np.geomspace(*range_hz, _GRID)
    between = [_comb(amplitude, bins, rates, [k / q for k in range(1, q)], top) for q in (2, 3, 5)]
    score = _comb(amplitude, bins, rates, [1.0], top) - np.max(between, axis=0)
    return float(rates[int(score.argmax())])


def _comb(
    amplitude: np.ndarray, bins: np.ndarray, rates: np.ndarray, offsets: Sequence[float], top: float
) -> np.ndarray:
    """Mean amplitude at all ``(k + offset) * rate`` up to ``top``, k = 0, 1, ..., for each rate."""
    total, count = np.zeros(len(rates)), np.zeros(len(rates))
    for k in range(int(top / rates[0]) + 1):
        for offset in offsets:
            place = (k + offset) * rates
            inside = place <= top
            total += np.where(inside, np.interp(place, bins, amplitude), 0.0)
            count += inside
    return total / np.maximum(count, 1)


def series_probe(
    x: Sequence[np.ndarray], clicks_s: Sequence[Sequence[float]], hop_s: float, window_s: float
) -> tuple[np.ndarray, float]:
    """Weights [D] and bias of a score for clicks in the middle of a patch, by ridge regression.

    Args:
        x: Series ``[N, D]`` of patches; patch n covers ``[n * hop_s, n * hop_s + window_s)``.
        clicks_s: Times of the clicks of each series.
    """
    stacked = np.concatenate(x).astype(np.float64)
    target = np.concatenate([_density(len(rows), c, hop_s, window_s) for rows, c in zip(x, clicks_s, strict=True)])
    mean, scale = standardisation(stacked)
    model = Ridge(alpha=0.1 * len(stacked)).fit((stacked - mean) / scale, target)
    weights = model.coef_ / scale
    return weights, float(model.intercept_ - weights @ mean)


def _density(count: int, clicks_s: Sequence[float], hop_s: float, window_s: float) -> np.ndarray:
    """Number of clicks in each patch [N], weighted by a raised cosine around its middle."""
    middles = np.arange(count) * hop_s + window_s / 2
    away = np.abs(middles[:, None] - np.asarray(clicks_s)[None]) / (window_s / 2)
    return (0.5 + 0.5 * np.cos(np.pi * np.clip(away, 0, 1))).sum(axis=1)
