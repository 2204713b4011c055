"""A timeline with marks of every kind, of a recording whose name is hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from contrastive_artifacts.scan.measured import Bandwidth, Finding, Mains, Measured, Relation
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
    findings = (
        Finding(RATE // 2, RATE // 2 + 5, "digital clipping", 5.0, "samples", 1),
        Finding(2 * RATE, 3 * RATE, "digital silence", 1.0, "s"),
    )
    measured = Measured(
        findings=findings,
        true_peak_dbtp=0.31,
        sample_peak_dbfs=-0.1,
        loudness_lufs=-23.0,
        loudness_range_lu=None,
        dc=(0.01, 0.0),
        relations=(Relation("delayed", (0, 1), 0.5, 7.0, 158.7),),
        bandwidth=Bandwidth(16_000.0, 50.0, 24_000.0, "lossy coding"),
        mains=Mains(50, -60.0, 30.0, 0),
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
        measured=measured,
        timecode=Timecode.of(25, "10:00:00:00"),
    )
