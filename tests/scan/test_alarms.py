"""Thresholds for a rate of false alarms: on chances whose rate is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.special import expit, logit

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.probes import SetProbe
from contrastive_artifacts.scan.alarms import CleanLevels, CleanScan, per_hour
from contrastive_artifacts.scan.lanes import median_width, smoothed
from contrastive_artifacts.scan.peaks import local_peaks

CLASSES = ("clean", "hum", "clicks")


def clean(hours: float, seed: int, unknown: frozenset[str] = frozenset()) -> CleanScan:
    """Windows every 2.5 s with normal log odds around -3, before the median of three."""
    count = int(hours * 1440)
    odds = np.random.default_rng(seed).normal(-3, 1, (count, 3))
    return CleanScan(smoothed(expit(odds), 3), hours * 3600, unknown)


def damaged(hum: float = 0.0, clicks: float = 0.0) -> dict[str, np.ndarray]:
    """Chances of windows that hold a fault, with log odds around a mean."""
    odds = np.random.default_rng(9).normal(0, 1.5, 4000)
    return {"hum": expit(odds + hum), "clicks": expit(odds + clicks)}


def probe_with(levels) -> SetProbe:
    zeros = np.zeros((3, 4), np.float32)
    return SetProbe(CLASSES, zeros, zeros[:, 0], zeros, zeros[:, 0], "f", levels)


@pytest.mark.parametrize("rate", [2.0, 20.0, 60.0])
def test_other_recordings_raise_as_many_false_segments_as_asked(rate):
    levels = CleanLevels.of([clean(10, seed) for seed in range(4)], damaged()).thresholds(rates=(rate,))
    raised = sum(per_hour(probe_with(levels), [clean(10, seed) for seed in range(10, 20)], rate).values())
    assert rate / 1.6 < raised < rate * 1.6


def test_a_rate_below_the_length_of_the_recordings_is_extended():
    short, long = [clean(0.5, seed) for seed in range(2)], [clean(0.5, seed) for seed in range(100)]
    from_short, from_long = (CleanLevels.of(scans, damaged()).thresholds(rates=(0.5,))[0.5] for scans in (short, long))
    np.testing.assert_allclose(logit(from_short[1:]), logit(from_long[1:]), atol=1.0)


def test_more_alarms_mean_lower_thresholds():
    levels = CleanLevels.of([clean(2, 0)], damaged()).thresholds()
    rows = [levels[rate] for rate in sorted(levels)]
    assert all((a[1:] >= b[1:]).all() and (a[1:] > b[1:]).any() for a, b in pairwise(rows))


def test_a_fault_that_is_surely_heard_leaves_false_segments_to_others():
    scans = [clean(10, seed) for seed in range(4)]
    alike, unlike = (CleanLevels.of(scans, damaged(hum=shift)).thresholds(rates=(20.0,))[20.0] for shift in (0.0, 12.0))
    assert unlike[1] > alike[1]
    assert unlike[2] < alike[2]
    raised = per_hour(probe_with({20.0: unlike}), [clean(10, seed) for seed in range(10, 20)], 20.0)
    assert raised["hum"] < raised["clicks"]
    assert 20 / 1.6 < sum(raised.values()) < 20 * 1.6


def test_what_a_recording_may_hold_does_not_count_against_it():
    loud = CleanScan(np.tile([0.1, 0.999, 0.1], (500, 1)), 1250.0, frozenset({"hum"}))
    with_loud, without = (
        CleanLevels.of([clean(2, 0), *more], damaged()).thresholds(rates=(6.0,)) for more in ([loud], [])
    )
    assert with_loud[6.0][1] == without[6.0][1]
    raised = per_hour(probe_with(with_loud), [loud], 6.0)
    assert raised == {"clicks": 0}


def test_one_segment_is_one_peak():
    assert local_peaks(np.array([0.0, 1.0, 5.0, 4.0, 1.0, 0.0, 3.0])).tolist() == [5.0, 3.0]


def test_nothing_to_measure_is_refused():
    with pytest.raises(ParameterError, match="clean recordings"):
        CleanLevels.of([], damaged()).thresholds()
    with pytest.raises(ParameterError, match="above 0"):
        CleanLevels.of([clean(1, 0)], damaged()).thresholds(rates=(0.0,))


def test_a_median_passes_what_lies_in_one_place_of_a_recording():
    assert [median_width(5000, hop) for hop in (1000, 1250, 2500, 4000, 5000)] == [5, 5, 3, 1, 1]
    for hop in (1000, 1250, 2500, 4000, 5000):
        hit = np.zeros((40, 1))
        hit[10 : 10 + 5000 // hop] = 0.9  # the windows that hold one sample
        assert smoothed(hit, median_width(5000, hop)).max() == 0.9


def test_thresholds_hold_on_material_unlike_that_they_are_set_on():
    """Materials differ in their level of log odds: set on some of them, thresholds keep to a rate on others."""
    rng = np.random.default_rng(3)

    def kinds(count: int) -> list[CleanScan]:
        scans = []
        for kind in range(count):
            odds = rng.normal(-3, 1, (7200, 3)) + rng.normal(0, 1)
            scans.append(CleanScan(smoothed(expit(odds), 3), 5 * 3600, material=f"kind {kind}"))
        return scans

    known, others = kinds(12), kinds(60)
    together = [CleanScan(scan.probabilities, scan.seconds) for scan in known]
    raised = [
        sum(per_hour(probe_with(CleanLevels.of(scans, damaged()).thresholds(rates=(20.0,))), others, 20.0).values())
        for scans in (known, together)
    ]
    assert raised[0] < raised[1]
    assert raised[0] < 20 * 1.3


def test_a_fault_that_one_material_raises_more_leaves_false_segments_to_the_others():
    """Hum is likelier in one of three materials, so other recordings may raise it more than these say."""
    scans = []
    for seed, hum in enumerate((-3, -3, 0)):
        odds = np.random.default_rng(seed).normal([-3, hum, -3], 1, (7200, 3))
        scans.append(CleanScan(smoothed(expit(odds), 3), 5 * 3600, material=f"kind {seed}"))
    together = [CleanScan(scan.probabilities, scan.seconds) for scan in scans]
    apart, joined = (CleanLevels.of(of, damaged()).thresholds(rates=(20.0,))[20.0] for of in (scans, together))
    hum, clicks = 1, 2
    assert apart[hum] > joined[hum]
    assert logit(apart[clicks]) - logit(joined[clicks]) < logit(apart[hum]) - logit(joined[hum])


def test_each_material_is_counted_at_the_thresholds_of_the_others():
    """Of three materials one is louder: at thresholds of the two others it raises more than was allowed."""
    scans = [
        CleanScan(smoothed(expit(np.random.default_rng(seed).normal(odds, 1, (7200, 3))), 3), 5 * 3600, material=name)
        for seed, (name, odds) in enumerate((("speech", -3), ("music", -3), ("loud", -1)))
    ]
    raised = {
        name: per_hour for _, name, hours, per_hour in CleanLevels.of(scans, damaged()).left_out_rates(rates=(60.0,))
    }
    assert raised["loud"] > 60 > max(raised["speech"], raised["music"])
    assert CleanLevels.of(scans[:1], damaged()).left_out_rates() == []
