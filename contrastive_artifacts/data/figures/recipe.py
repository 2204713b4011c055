"""What is rendered of each crop: a clean view, and views of random sets of faults."""

from __future__ import annotations

from dataclasses import dataclass

from ... import artifacts
from ...artifacts import ARTIFACTS, Preset, taxonomy
from ...core.errors import ParameterError
from ...models.slow import LEAST_S
from ..views.settings import check_damage

UNSCALED = ("stutter",)  # mixed with the clean sound it is an echo and not a weaker stutter


@dataclass(frozen=True)
class Recipe:
    """How the views of a cache of figures are made.

    A crop gives one clean view and ``damaged`` others, so all of them share the source and the place.

    Args:
        names: The faults, in the order of the label columns.
        window_s: Length of a view in seconds, in [1.5, 60].
        context_s: Longest length in seconds of the crop that a view is cut from after rendering, window_s to 60: the
            slow figures of the view are those of the whole crop.
        damaged: Views per crop beside the clean one.
        counts: Weights of one, two, three ... faults in a view; the faults are of unlike mechanisms.
        severity: Range ``[low, high]`` within [0, 1]; severities are drawn from it uniformly.
        barely: Share of the damaged views that hold one fault 12 dB below severity 0; they are labelled clean.
        spliced: Share of the damaged views whose faults are confined to a span.
        span: Range ``[low, high]`` within (0, 1] of the length of such a span, as a share of the view.
        delivered: Share of the views that are resampled, coded or rounded afterwards, see :func:`.delivery.deliver`.
        telephone: Share of the damaged views at sample rates of telephones that hold a telephone codec.
        upsampled: Share of the crops whose clip was resampled to a rate of NARROW_HZ or less that are resampled back
            after rendering, and so are band limited. Where clips are not varied, there are none.
        varied: Clips are varied as those of training: another speed, a lower sample rate, a second clip mixed in.
        seed: Seed of everything that is drawn.

    Raises:
        ParameterError: a value lies outside its range.
        UnknownNameError: a fault is no artifact.
    """

    names: tuple[str, ...] = taxonomy.detectable("all")
    window_s: float = 5.0
    context_s: float = 10.0
    damaged: int = 10
    counts: tuple[float, ...] = (0.6, 0.25, 0.15)
    severity: tuple[float, float] = (0.0, 1.0)
    barely: float = 0.08
    spliced: float = 0.25
    span: tuple[float, float] = (0.15, 0.6)
    delivered: float = 0.7
    telephone: float = 0.2
    upsampled: float = 0.4
    varied: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        artifacts.states(self.names)  # refuses unknown and repeated names
        if not LEAST_S <= self.window_s <= 60:
            raise ParameterError(f"window_s must lie in [{LEAST_S}, 60] s; got {self.window_s}.")
        if not self.window_s <= self.context_s <= 60:
            raise ParameterError(f"context_s must lie in [window_s={self.window_s}, 60] s; got {self.context_s}.")
        if self.damaged < 1:
            raise ParameterError(f"damaged={self.damaged}: give 1 or more views for each crop.")
        if not self.counts or min(self.counts) < 0 or not sum(self.counts) > 0:
            raise ParameterError(f"counts={list(self.counts)}: give weights of one, two ... faults, 0 or more.")
        for name in ("barely", "delivered", "telephone", "upsampled"):
            if not 0 <= getattr(self, name) <= 1:
                raise ParameterError(f"{name} must lie in [0, 1]; got {getattr(self, name)}.")
        if self.barely and not self.scalable:
            raise ParameterError(f"None of {', '.join(self.names)} can be rendered below severity 0; give barely=0.")
        check_damage(self.severity, self.spliced, self.span)

    @property
    def preset(self) -> Preset:
        """Draws the faults of a view."""
        return Preset(self.names, "The faults of a cache of figures.", counts=self.counts)

    @property
    def scalable(self) -> tuple[str, ...]:
        """Faults that get weaker when they are mixed with the clean sound: not those that move the sound in time."""
        records = (ARTIFACTS[name] for name in self.names)
        return tuple(
            record.name
            for record in records
            if record.fits(1) and record.family != "timebase" and not record.displaces and record.name not in UNSCALED
        )

    @property
    def rows(self) -> int:
        """Views per crop."""
        return 1 + self.damaged
