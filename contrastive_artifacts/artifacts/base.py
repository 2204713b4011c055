"""The artifact contract: ``sample(severity, rng)`` draws JSON parameters, ``apply`` is a pure function of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..core.errors import AudioError, ParameterError
from .fields import Field, check_fields

Params = dict[str, Any]

FAMILIES = (
    "spectral", "dynamics", "nonlinear", "timebase", "additive", "impulsive", "missing", "stereo", "coding",
)  # fmt: skip
"""Mechanisms that cause artifacts, in the order of the recording chain: from the room to the file."""


@dataclass(frozen=True)
class RenderedView:
    """A rendered waveform, and what is needed to render it again.

    Attributes:
        waveform: the same kind (NumPy or torch) and shape (``[T]`` or ``[C, T]``) as the input, float32.
        sample_rate: Hz, the same as that of the input.
        params: JSON; :func:`replay` with it on the clean input gives the same samples.
        segments: int64 ``[K, 2]``, the touched samples as sorted, non-overlapping ``[start, stop)``.
    """

    waveform: Any
    sample_rate: int
    params: Params
    segments: np.ndarray


@dataclass(frozen=True)
class Artifact(ABC):
    """One type of fault. A subclass sets the class variables and defines :meth:`sample` and :meth:`_render`.

    Attributes:
        name: the name in the registry.
        family: the mechanism that causes it, one of :data:`FAMILIES`; a compound has at most one artifact of each.
        synonyms: other names of it; a leading AVAA, EBU or ML is the vocabulary that a name comes from.
        scale: what severity 0 (just noticeable) .. 1 maps to, with units.
        fields: every parameter with its allowed range.
        least_channels: how many channels the input must have (2 for faults between channels).
        displaces: whether the sound outside the touched segments is earlier or later than in the clean clip.
    """

    name: ClassVar[str]
    family: ClassVar[str]
    synonyms: ClassVar[tuple[str, ...]]
    scale: ClassVar[str]
    fields: ClassVar[Mapping[str, Field]]
    least_channels: ClassVar[int] = 1
    displaces: ClassVar[bool] = False

    @abstractmethod
    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        """Draws JSON parameters.

        Random draws do not depend on the severity: with an equal ``rng``, a higher severity is the same fault but
        stronger.
        """

    def fits(self, channels: int) -> bool:
        """Whether it can be rendered into a clip of that many channels, on this machine."""
        return channels >= self.least_channels

    def render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        """Renders the artifact and reports where.

        Args:
            waveform: float32 ``[C, T]``, full scale 1.0; not changed.
            sample_rate: Hz.
            params: as returned by :meth:`sample`.

        Returns:
            A new float32 ``[C, T]``, not limited to full scale, and the touched samples as sorted ``[start, stop)``,
            int64 ``[K, 2]``.

        Raises:
            ParameterError: a parameter is missing, unknown or out of range.
            AudioError: the clip has fewer channels than the artifact needs.
        """
        check_fields(params, self.fields, self.name)
        return self.render_drawn(waveform, sample_rate, params)

    def render_drawn(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        """:meth:`render` without the check of params, for those that :meth:`sample` has just returned.

        Raises:
            AudioError: the clip has fewer channels than the artifact needs.
        """
        if len(waveform) < self.least_channels:
            raise AudioError(
                f"{self.name} is a fault between channels and needs {self.least_channels} or more; "
                f"this clip has {len(waveform)}."
            )
        out, segments = self._render(waveform, sample_rate, params)
        return np.ascontiguousarray(out, dtype=np.float32), segments

    def apply(self, waveform: np.ndarray, sample_rate: int, params: Params) -> np.ndarray:
        """The waveform of :meth:`render`."""
        return self.render(waveform, sample_rate, params)[0]

    def segments(self, waveform: np.ndarray, sample_rate: int, params: Params) -> np.ndarray:
        """The touched samples of :meth:`render`."""
        return self.render(waveform, sample_rate, params)[1]

    @abstractmethod
    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        """Does what :meth:`render` does, for checked ``params``. A pure function of its arguments."""


def whole(waveform: np.ndarray) -> np.ndarray:
    """The segments of an artifact that touches the whole clip ``[C, T]``: int64 ``[1, 2]``."""
    return np.array([[0, waveform.shape[-1]]], dtype=np.int64)


def check_severity(severity: Any) -> float:
    """The severity as a float.

    Raises:
        ParameterError: it is not a number in [0, 1].
    """
    try:
        value = float(severity)
    except (TypeError, ValueError):
        value = float("nan")
    if isinstance(severity, bool | str) or not 0.0 <= value <= 1.0:
        raise ParameterError(f"severity is {severity!r}; give a number from 0 (just noticeable) to 1 (severe).")
    return value


def geometric(severity: float, mild: float, severe: float) -> float:
    """The value at ``severity`` on a logarithmic scale from ``mild`` (at 0) to ``severe`` (at 1)."""
    return float(mild * (severe / mild) ** severity)


def linear(severity: float, mild: float, severe: float) -> float:
    """The value at ``severity`` on a linear scale from ``mild`` (at 0) to ``severe`` (at 1)."""
    return float(mild + (severe - mild) * severity)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return geometric(float(rng.random()), low, high)


def pick(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """A random key; the probability of each is proportional to its weight."""
    shares = np.cumsum(np.fromiter(weights.values(), dtype=float))
    return list(weights)[int(np.searchsorted(shares, rng.random() * shares[-1], side="right"))]


def draw_seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def merge(starts: np.ndarray, stops: np.ndarray, gap: int = 0) -> np.ndarray:
    """Merges intervals that overlap or are at most ``gap`` samples apart.

    Args:
        starts, stops: int ``[N]``, sorted by start.
        gap: samples.

    Returns:
        int64 ``[K, 2]``, sorted.
    """
    if len(starts) == 0:
        return np.zeros((0, 2), dtype=np.int64)
    reach = np.maximum.accumulate(stops)
    fresh = np.flatnonzero(starts[1:] > reach[:-1] + gap) + 1
    first, last = np.append(0, fresh), np.append(fresh - 1, len(starts) - 1)
    return np.stack([starts[first], reach[last]], axis=1).astype(np.int64)
