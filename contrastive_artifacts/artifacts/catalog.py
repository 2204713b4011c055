"""The registry of artifacts. To add one: a file in ``kinds`` with its class, and its import and its entry here."""

from __future__ import annotations

from ..core.registry import Registry
from .base import Artifact
from .kinds.aliasing import Aliasing
from .kinds.azimuth import Azimuth
from .kinds.bandlimit import Bandlimit
from .kinds.channel_loss import ChannelLoss
from .kinds.clicks import Clicks
from .kinds.clipping import Clipping
from .kinds.codec import Codec
from .kinds.comb import Comb
from .kinds.crackle import Crackle
from .kinds.crossover import Crossover
from .kinds.dropout import Dropout
from .kinds.echo import Echo
from .kinds.false_stereo import FalseStereo
from .kinds.gain_step import GainStep
from .kinds.hiss import Hiss
from .kinds.hum import Hum
from .kinds.interference import Interference
from .kinds.noise_reduction import NoiseReduction
from .kinds.packet_loss import PacketLoss
from .kinds.periodic_clicks import PeriodicClicks
from .kinds.polarity import Polarity
from .kinds.print_through import PrintThrough
from .kinds.pumping import Pumping
from .kinds.quantization import Quantization
from .kinds.reverb import Reverb
from .kinds.rumble import Rumble
from .kinds.saturation import Saturation
from .kinds.skip import Skip
from .kinds.sonicmaster import EQUALIZERS, MASTERING, SPACES
from .kinds.speed_error import SpeedError
from .kinds.splice import Splice
from .kinds.stutter import Stutter
from .kinds.tape_dropout import TapeDropout
from .kinds.thump import Thump
from .kinds.whistle import Whistle
from .kinds.wow_flutter import WowFlutter

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
"""The default set: common artifacts of different mechanisms."""
