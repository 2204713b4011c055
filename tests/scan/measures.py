"""What was measured in a recording of five seconds, for the tests of timelines and their files."""

from __future__ import annotations

from contrastive_artifacts.scan.measured import Bandwidth, Finding, Mains, Measured, Relation


def measures_at(rate: int) -> Measured:
    """Findings and facts of every kind, at a rate in Hz."""
    return Measured(
        findings=(
            Finding(rate // 2, rate // 2 + 5, "digital clipping", 5.0, "samples", 1),
            Finding(2 * rate, 3 * rate, "digital silence", 1.0, "s"),
        ),
        true_peak_dbtp=0.31,
        sample_peak_dbfs=-0.1,
        loudness_lufs=-23.0,
        loudness_range_lu=None,
        dc=(0.01, 0.0),
        relations=(Relation("delayed", (0, 1), 0.5, 7.0, 158.7),),
        bandwidth=Bandwidth(16_000.0, 50.0, rate / 2, "lossy coding"),
        mains=Mains(50, -60.0, 30.0, 0),
    )
