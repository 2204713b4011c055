"""Digital silence within, before and after the programme."""

from __future__ import annotations

import numpy as np

from contrastive_artifacts.scan.measured.finding import Finding
from contrastive_artifacts.scan.measured.silence import Silence

RATE = 8000


def silence(samples: np.ndarray, gaps: tuple[tuple[int, int], ...] = ()) -> list[Finding]:
    meter = Silence(RATE)
    for start in range(0, samples.shape[1], 999):
        meter.add(samples[:, start : start + 999])
    meter.end()
    return meter.findings(gaps)


def sound(*spans: tuple[int, int]) -> np.ndarray:
    samples = np.full((2, 5 * RATE), 0.1, np.float32)
    for start, stop in spans:
        samples[:, start:stop] = 0
    return samples


def test_silence_is_found_at_its_samples() -> None:
    assert silence(sound((0, 900), (12_345, 13_145), (39_000, 40_000))) == [
        Finding(0, 900, "leader silence", 0.1125, "s"),
        Finding(12_345, 13_145, "digital silence", 0.1, "s"),
        Finding(39_000, 40_000, "trailer silence", 0.125, "s"),
    ]


def test_10_ms_are_too_short_and_one_channel_is_no_silence() -> None:
    samples = sound((10_000, 10_080))
    samples[0, 20_000:30_000] = 0
    assert silence(samples) == []


def test_a_recording_of_silence_is_neither_leader_nor_trailer() -> None:
    (finding,) = silence(np.zeros((1, 5 * RATE), np.float32))
    assert (finding.start, finding.stop, finding.kind) == (0, 5 * RATE, "digital silence")


def test_gaps_of_the_file_are_left_out() -> None:
    samples = sound((0, 4000), (16_000, 24_000))
    findings = silence(samples, ((0, 2000), (17_000, 20_000), (23_900, 24_000)))
    assert [(f.start, f.stop, f.kind) for f in findings] == [
        (2000, 4000, "leader silence"),
        (16_000, 17_000, "digital silence"),
        (20_000, 23_900, "digital silence"),
    ]
