"""The artifacts there are. To add one: its class in a file of its own, and one line here."""

from __future__ import annotations

from ..registry import Registry
from .additive import Hiss, Hum
from .base import Artifact
from .coding import Codec
from .impulsive import Clicks
from .missing import Dropout
from .nonlinear import Clipping
from .spectral import Bandlimit, Reverb
from .timebase import WowFlutter

ARTIFACTS: Registry[Artifact] = Registry("artifact")
for _artifact in (Hiss(), Hum(), Clicks(), Clipping(), Dropout(), WowFlutter(), Codec(), Bandlimit(), Reverb()):
    ARTIFACTS.register(_artifact.name, _artifact)

CLEAN = "clean"
DEFAULT: tuple[str, ...] = ("hiss", "hum", "clicks", "clipping", "dropout", "wow_flutter")
"""One artifact per generating mechanism: what the released encoder tells apart, besides clean."""
