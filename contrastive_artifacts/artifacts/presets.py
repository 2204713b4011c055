"""Sets of artifacts that occur together in a medium or a data set, and random compounds of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..core import seeding
from ..core.errors import ParameterError
from ..core.registry import Registry
from .base import FAMILIES, linear
from .catalog import ARTIFACTS, CLEAN, DEFAULT

Chain = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Preset:
    """Artifacts that occur together.

    Attributes:
        names: the artifacts.
        about: what the preset stands for, with its source.
        groups: artifact -> its group, by default its family; a compound has at most one artifact of each group.
        counts: weights of one, two, three ... artifacts in a compound.
    """

    names: tuple[str, ...]
    about: str
    groups: Mapping[str, str] = field(default_factory=dict)
    counts: tuple[float, ...] = (0.7, 0.2, 0.1)

    def draw(self, seed: int, channels: int = 1, severity: tuple[float, float] = (0.0, 1.0)) -> Chain:
        """Draws a compound: (name, severity) in the order of the recording chain, for :func:`compose`.

        The first artifact is drawn uniformly; the next ones from the groups that have not been drawn.

        Args:
            seed: equal seeds give equal compounds.
            channels: of the clip; artifacts that need more channels are left out, and recorded rooms where there are
                no recordings (see :mod:`.responses`).
            severity: the range from which each severity is drawn, uniformly.

        Raises:
            ParameterError: no artifact of the preset can be rendered.
        """
        rng = seeding.generator(seed, "compound")
        candidates = [name for name in self.names if ARTIFACTS[name].fits(channels)]
        if not candidates:
            raise ParameterError(f"None of {', '.join(self.names)} can be rendered into {channels} channel(s).")
        count = 1 + int(np.searchsorted(np.cumsum(self.counts)[:-1], rng.random() * sum(self.counts), side="right"))
        chain: list[tuple[str, float]] = []
        while candidates and len(chain) < count:
            name = candidates[int(rng.integers(len(candidates)))]
            chain.append((name, linear(float(rng.random()), *severity)))
            candidates = [other for other in candidates if self.group(other) != self.group(name)]
        return tuple(sorted(chain, key=lambda step: FAMILIES.index(ARTIFACTS[step[0]].family)))

    def group(self, name: str) -> str:
        return self.groups.get(name, ARTIFACTS[name].family)


_MEDIA = {  # name: (about, artifacts)
    "vinyl": (
        "Shellac and vinyl: dusty and worn grooves, rumble of the turntable, groove pre-echo, inner-groove distortion.",
        "crackle clicks periodic_clicks rumble hiss hum wow_flutter speed_error print_through bandlimit saturation "
        "skip",
    ),
    "tape": (
        "Reel and cassette: hiss, print-through, lost oxide, splices, worn or tilted heads, mistracked Dolby.",
        "hiss hum wow_flutter speed_error print_through azimuth tape_dropout splice saturation bandlimit "
        "noise_reduction gain_step",
    ),
    "film_optical": (
        "Optical film sound: grain noise, dust, scratches, sprocket and frame-rate faults, Academy curve, splices.",
        "hiss crackle clicks thump periodic_clicks hum wow_flutter speed_error bandlimit saturation clipping splice "
        "dropout",
    ),
    "broadcast": (
        "Radio and television: interference, line tones, multipath, limiting, level shifts, channel errors.",
        "hiss hum interference whistle clicks bandlimit comb clipping crossover pumping gain_step dropout codec "
        "polarity channel_loss false_stereo",
    ),
    "voip": (
        "Calls over networks: lost packets, speech codecs, echo, too much noise reduction and gain control.",
        "packet_loss codec bandlimit echo reverb noise_reduction pumping gain_step clipping hiss hum interference "
        "stutter",
    ),
    "streaming": (
        "Digital production and delivery: lossy coding, overs, bad conversion, gaps and repeats, channel errors.",
        "codec clipping quantization aliasing dropout stutter skip pumping gain_step noise_reduction polarity "
        "channel_loss false_stereo",
    ),
}
_SONICMASTER = {  # group: its artifacts
    "equalization": "eq_curve eq_microphone eq_bright eq_dark eq_airy eq_boom eq_clarity eq_mud eq_warm eq_vocal",
    "dynamics": "compression punch",
    "reverb": "room_small room_big room_mixed room_recorded",
    "amplitude": "overdrive volume",
    "stereo": "mono_sum",
}


def _sonicmaster() -> Preset:
    groups = {name: group for group, names in _SONICMASTER.items() for name in names.split()}
    about = "Music mastering: the 19 degradations of SonicMaster (arXiv 2508.03448), one, two or three as 4 : 2 : 1."
    return Preset(tuple(groups), about, groups, counts=(4, 2, 1))


def _all() -> Preset:
    return Preset(tuple(name for name in ARTIFACTS if name not in _sonicmaster().names), "The whole taxonomy.")


PRESETS: Registry[Preset] = Registry("preset")
PRESETS.register("default6", Preset(DEFAULT, "One artifact for each generating mechanism, and two additive ones."))
for _name, (_about, _names) in _MEDIA.items():
    PRESETS.register(_name, Preset(tuple(_names.split()), _about))
PRESETS.register("sonicmaster", _sonicmaster())
PRESETS.register("all", _all())
PRESETS.register("every", Preset(tuple(ARTIFACTS), "The taxonomy and the degradations of SonicMaster."))


def states(which: str | Sequence[str]) -> tuple[str, ...]:
    """The labels of an encoder: clean first, then the artifacts of a preset or of a list.

    >>> states("default6")[:3], states(["hum", "clean"])
    (('clean', 'hiss', 'hum'), ('clean', 'hum'))

    Raises:
        UnknownNameError: no such preset or artifact; the message lists close matches.
        ParameterError: the list names no artifact, or one of them twice.
    """
    names = PRESETS[which].names if isinstance(which, str) else tuple(n for n in which if n != CLEAN)
    for name in names:
        ARTIFACTS[name]
    if not names or len(set(names)) < len(names):
        raise ParameterError(f"The artifacts are {list(which)!r}; name one or more, each once, or a preset.")
    return (CLEAN, *names)
