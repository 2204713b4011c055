"""What a view is: its states, length, sample rate and severities."""

from __future__ import annotations

from dataclasses import dataclass

from ... import artifacts
from ...artifacts import CLEAN
from ...core.errors import ParameterError


@dataclass(frozen=True)
class ViewSettings:
    """How views are made.

    Args:
        states: Labels in the order of their indices; the first is ``"clean"``, the others are names of artifacts.
        duration_s: Length of a view in seconds, in (0, 60].
        sample_rate: Sample rate of the finished view in Hz: the encoder's.
        severity: Range ``[low, high]`` within [0, 1]; severities are drawn from it uniformly.
        spliced: Share of the damaged views whose artifact is confined to a span, in [0, 1].
        span: Range ``[low, high]`` within (0, 1] of the length of such a span, as a share of the view.
        native: Views also hold their waveform at the clip's own rate, and batches the detail figures computed from it;
            an encoder with ``settings.detail`` 2 needs them.

    Raises:
        ParameterError: a value lies outside its range.
        UnknownNameError: a state is no artifact.
    """

    states: tuple[str, ...]
    duration_s: float
    sample_rate: int
    severity: tuple[float, float] = (0.0, 1.0)
    spliced: float = 0.0
    span: tuple[float, float] = (0.15, 0.6)
    native: bool = False

    def __post_init__(self) -> None:
        if not self.states or self.states[0] != CLEAN or len(set(self.states)) != len(self.states):
            raise ParameterError(f"states must begin with 'clean' and hold no name twice; got {list(self.states)}.")
        for name in self.states[1:]:
            artifacts.artifact(name)  # an unknown name fails here, with its close matches
        if not 0 < self.duration_s <= 60:
            raise ParameterError(f"duration_s must lie in (0, 60] s; got {self.duration_s}.")
        check_damage(self.severity, self.spliced, self.span)


def check_damage(severity: tuple[float, float], spliced: float, span: tuple[float, float]) -> None:
    """Checks the values of :class:`ViewSettings` that may differ between the stages of a training.

    Raises:
        ParameterError: a value lies outside its range.
    """
    if not 0 <= severity[0] <= severity[1] <= 1:
        raise ParameterError(f"severity must be a range within [0, 1]; got {severity}.")
    if not 0 <= spliced <= 1 or not 0 < span[0] <= span[1] <= 1:
        raise ParameterError(f"spliced must lie in [0, 1] and span be a range within (0, 1]; got {spliced} and {span}.")
