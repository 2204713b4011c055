"""The artifacts there are. To add one: its class in a file of its own, and one line here."""

from __future__ import annotations

from ..registry import Registry
from .additive import Hiss, Hum
from .aliasing import Aliasing
from .bandlimit import Bandlimit
from .base import Artifact
from .channels import ChannelLoss, FalseStereo, Polarity
from .coding import Codec
from .comb import Azimuth, Comb
from .crackle import Crackle
from .crossover import Crossover
from .echo import Echo, PrintThrough
from .gain_step import GainStep
from .impulsive import Clicks
from .interference import Interference
from .missing import Dropout
from .noise_reduction import NoiseReduction
from .nonlinear import Clipping
from .packet_loss import PacketLoss
from .periodic_clicks import PeriodicClicks
from .pumping import Pumping
from .quantization import Quantization
from .reverb import Reverb
from .rumble import Rumble
from .saturation import Saturation
from .skip import Skip
from .sonicmaster import EQUALIZERS, MASTERING, SPACES
from .speed_error import SpeedError
from .splice import Splice
from .stutter import Stutter
from .tape_dropout import TapeDropout
from .thump import Thump
from .timebase import WowFlutter
from .whistle import Whistle

ARTIFACTS: Registry[Artifact] = Registry("artifact")
for _artifact in (
    *(Hiss(), Hum(), Rumble(), Interference(), Whistle()),
    *(Clicks(), Crackle(), Thump(), PeriodicClicks()),
    *(Clipping(), Saturation(), Crossover(), Quantization(), Aliasing()),
    *(Dropout(), TapeDropout(), Skip(), Stutter(), Splice(), PacketLoss()),
    *(WowFlutter(), SpeedError()),
    *(Bandlimit(), Reverb(), Echo(), PrintThrough(), Comb(), NoiseReduction()),
    *(Pumping(), GainStep()),
    Codec(),
    *(Polarity(), ChannelLoss(), FalseStereo(), Azimuth()),
    *EQUALIZERS,
    *MASTERING,
    *SPACES,
):
    ARTIFACTS.register(_artifact.name, _artifact)

CLEAN = "clean"
DEFAULT: tuple[str, ...] = ("hiss", "hum", "clicks", "clipping", "dropout", "wow_flutter")
"""One artifact per generating mechanism: what the released encoder tells apart, besides clean."""
