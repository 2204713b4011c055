"""Narrow-band sound among views: telephone codecs in files of 8 kHz, and files that once had such a rate.

Drawn like all others, telephone codecs at their own sample rate are .3 % of the views, and an encoder does not learn
them (1 of 40), though a linear probe on the traces of coders has an area of .99 from a hundred of them.
"""

from __future__ import annotations

import itertools

from ... import artifacts
from ...artifacts import Preset
from ...artifacts.dsp.coders import CODERS
from ...core import seeding

TELEPHONE_HZ = 10_000  # highest sample rate that stands for a telephone
NARROW_HZ = 13_000  # the highest sample rate whose band is missed in a wider file: it ends at 6 kHz
TELEPHONE_CODECS = tuple(name for name, coder in CODERS.items() if coder.unlimited is None)


def telephone_seed(preset: Preset, severity: tuple[float, float], seed: int) -> int:
    """The first seed from ``seed`` on for which the preset, which has "codec", draws a telephone codec."""
    for turn in itertools.count():
        candidate = seeding.derive(seed, "telephone", turn)
        for place, (name, level) in enumerate(preset.draw(candidate, severity=severity)):
            if name == "codec":
                step = artifacts.draw(name, level, seeding.derive(candidate, "chain", place))
                if step["parameters"]["codec"] in TELEPHONE_CODECS:
                    return candidate
    raise AssertionError  # the loop has no end
