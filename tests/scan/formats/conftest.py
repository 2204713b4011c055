"""A timeline with marks of every kind, of a recording whose name is hostile."""

from __future__ import annotations

from pathlib import Path

import pytest
from measures import measures_at

from contrastive_artifacts.scan.timecode import Timecode
from contrastive_artifacts.scan.timeline import Segment, Timeline

RATE = 48000
NAME = "\x01film <1> & \udcff\"2' ]]> \ufffe\t;=+.wav"


@pytest.fixture
def timeline() -> Timeline:
    segments = (
        Segment(0, RATE, "hum", 0.25, 0.9),
        Segment(RATE // 2, 2 * RATE, "tape_squeal", None, 0.9),  # a label that users added
        Segment(3 * RATE + 480, 4 * RATE, "clicks", 1.0, 0.75, channel=1),
    )
    return Timeline(
        path=Path("dir") / NAME,
        sample_rate=RATE,
        samples=5 * RATE,
        segments=segments,
        labels=("hiss", "hum", "clicks", "pumping"),
        no_data=((0, 100),),
        out_of_phase=((100, 900),),
        stream=1,
        streams=2,
        measured=measures_at(RATE),
        timecode=Timecode.of(25, "10:00:00:00"),
    )
