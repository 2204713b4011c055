"""Measures against sounds whose faults are known by construction."""

from __future__ import annotations

import dataclasses
import hashlib
import tracemalloc

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import AudioError, ParameterError
from contrastive_artifacts.data.corpora import Clip, Corpus
from contrastive_artifacts.data.curation.blocks import BLOCK, Blocks, Carry, Runs, of_clip, of_waveform
from contrastive_artifacts.data.curation.limits import LIMITS, judge, make_limits
from contrastive_artifacts.data.curation.measures import FLOOR_DB, measure, measure_blocks

RATE = 44100
TIME = np.arange(4 * RATE) / RATE


def noise(seconds: float = 4.0, rate: int = RATE, level: float = 0.1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, round(seconds * rate)).astype(np.float32)


def clipped_runs(x: np.ndarray) -> int:
    return round(measure(x[None], RATE).clipped_per_s * x.size / RATE)


def clicks(x: np.ndarray) -> int:
    return round(measure(x[None], RATE).clicks_per_s * x.size / RATE)


def sine(hz: float, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * TIME + 0.3)).astype(np.float32)


@pytest.mark.parametrize("hz", [50, 220, 1000])
@pytest.mark.parametrize("ceiling", [0.2, 0.35])
def test_each_clipped_crest_is_counted(hz, ceiling):
    clipped = np.clip(sine(hz), -ceiling, ceiling)
    assert clipped_runs(clipped) == 2 * hz * 4
    assert measure(clipped[None], RATE).clipped_per_s == pytest.approx(2 * hz)


@pytest.mark.parametrize("hz", [30, 100, 440, 2000])
def test_round_crests_are_not_clipped(hz):
    assert clipped_runs(sine(hz)) == 0
    assert clipped_runs(noise()) == 0


def test_clipping_that_codecs_bent_is_found():
    slow = np.convolve(noise(level=1.0), np.ones(64) / 8, mode="same")
    bent = np.clip(slow, -0.7, 0.7) + noise(level=1e-3, seed=1)  # no two samples of a plateau are equal
    assert clipped_runs(bent.astype(np.float32)) > 500
    assert clipped_runs((slow + noise(level=1e-3, seed=1)).astype(np.float32)) <= 1


def test_zeros_silence_and_quiet_shares_are_exact():
    x = noise(1.0)
    x[: RATE // 4] = 0  # digital silence
    x[RATE // 2 : RATE // 2 + 441] = 0  # 10 ms: too short to be silence
    x[3 * RATE // 4 :] *= 1e-4  # under -70 dBFS, not zero
    measures = measure(x[None], RATE)
    assert measures.zero_share == pytest.approx((RATE // 4 + 441) / RATE)
    assert measures.silence_share == pytest.approx((RATE // 4) / RATE)
    assert measures.quiet_share == pytest.approx(0.5, abs=0.03)


def test_silence_counts_only_where_all_channels_are_silent():
    x = np.stack([noise(1.0), np.zeros(RATE, np.float32)])
    measures = measure(x, RATE)
    assert (measures.zero_share, measures.silence_share) == (0.5, 0.0)


def test_offset_floor_and_peak_in_decibels():
    x = noise(4.0, level=1e-3)
    x[RATE : 2 * RATE] += sine(440, 0.25)[:RATE]
    measures = measure((x + np.float32(0.01))[None], RATE)
    assert measures.dc_db == pytest.approx(-40, abs=0.2)
    assert measure(x[None], RATE).floor_db == pytest.approx(-60, abs=0.5)
    assert measures.peak_db == pytest.approx(20 * np.log10(0.263), abs=0.2)


@pytest.mark.parametrize(("cut", "rate"), [(7000, 44100), (16000, 44100), (4000, 48000), (3400, 16000)])
def test_the_end_of_the_band_is_measured(cut, rate):
    x = audio.resample(audio.resample(noise(4, rate), rate, 2 * cut), 2 * cut, rate)[: 4 * rate]
    measures = measure(x[None], rate)
    assert measures.bandwidth_hz == pytest.approx(cut, rel=0.05)
    assert measures.edge_hz == pytest.approx(cut, rel=0.05)
    assert measures.lost_band == pytest.approx(1 - 2 * cut / rate, abs=0.05)
    (text,) = (flag.text for flag in judge(measures, LIMITS) if flag.reason == "band_limited")
    assert text == f"nothing above {measures.edge_hz:,.0f} Hz, of {rate // 2:,} Hz"


def test_a_steep_fall_with_sound_above_it_is_no_lost_band():
    below = audio.resample(audio.resample(noise(), RATE, 8000), 8000, RATE)[: len(noise())]
    measures = measure((below + noise(level=1e-4))[None], RATE)
    assert measures.edge_hz == pytest.approx(4000, rel=0.05)
    assert measures.edge_db > 20
    assert measures.lost_band == 0


def test_full_band_and_gentle_slopes_are_not_cut_off():
    assert measure(noise()[None], RATE).lost_band == 0
    brown = np.cumsum(noise())
    assert measure((0.1 * brown / np.abs(brown).max())[None], RATE).lost_band == 0
    bird = noise(level=1e-3) + sine(4500, 0.3) * (TIME % 1 < 0.2)  # steep above its song, but not all the time
    assert measure(bird.astype(np.float32)[None], RATE).lost_band == 0


@pytest.mark.parametrize("mains", [50, 60])
def test_hum_is_detected_and_its_level_measured(mains):
    """Lines of -40 dBFS altogether under noise of -46 dBFS with loud passages."""
    lines = sum(a * np.sin(2 * np.pi * mains * k * TIME) for k, a in ((1, 1.0), (2, 0.7), (3, 0.5)))
    lines = 0.01 * lines / np.sqrt(np.mean(lines**2))
    x = noise(level=0.005) + (sine(777, 0.2) * (TIME % 2 < 0.7)) + lines
    measures = measure(x.astype(np.float32)[None], RATE)
    assert measures.hum_hz == mains
    assert measures.hum_db > 18
    assert measures.hum_level_db == pytest.approx(-40, abs=0.5)
    assert "humming" in {flag.reason for flag in judge(measures, LIMITS)}
    assert measure((x - lines).astype(np.float32)[None], RATE).hum_db < 12


def test_a_note_that_passes_is_no_hum():
    x = noise(level=0.003)
    x[:RATE] += sine(100, 0.3)[:RATE]
    assert measure(x[None], RATE).hum_db < 12


def test_clicks_are_counted_and_onsets_are_not():
    x = noise(level=0.003)
    places = RATE // 3 + np.arange(9) * RATE // 3
    x[places] += 0.5
    assert clicks(x) == 9
    burst = noise(level=0.003)
    burst[RATE : RATE + RATE // 10] += noise(0.1, level=0.3)
    assert clicks(burst) <= 1
    assert clicks(noise()) == 0


@pytest.mark.parametrize("rate", [8000, 44100, 192000])
@pytest.mark.parametrize("samples", [1, 7, 441, 30000])
@pytest.mark.parametrize("value", [0.0, 0.3])
def test_every_figure_is_finite(rate, samples, value):
    measures = measure(np.full((2, samples), value, np.float32), rate)
    assert all(np.isfinite(v) for v in dataclasses.asdict(measures).values() if not isinstance(v, str))
    assert measures.peak_db == (FLOOR_DB if value == 0 else pytest.approx(-10.46, abs=0.01))


def test_nan_is_refused():
    with pytest.raises(AudioError, match="NaN"):
        measure(np.array([[0.0, np.nan]], np.float32), RATE)


def test_the_hash_is_of_rate_shape_and_samples():
    x = noise(0.1)[None]
    assert measure(x, RATE).sha256 == measure(x.copy(), RATE).sha256
    others = {measure(*wave).sha256 for wave in ((x, RATE), (x, RATE - 100), (x.reshape(2, -1), RATE), (-x, RATE))}
    assert len(others) == 4
    plain = hashlib.sha256(repr((RATE, x.shape)).encode() + x.tobytes()).hexdigest()
    assert measure(x, RATE).sha256 == plain, "decisions of listeners are stored under it"


def test_channels_out_of_phase_are_measured_and_a_reason():
    x = noise(4.0)
    measures = measure(np.stack([x, np.where(TIME < 3, -x, x)]), RATE)
    assert measures.out_of_phase_share == pytest.approx(0.75)
    assert [flag.reason for flag in judge(measures, LIMITS)] == ["out_of_phase"]
    lines = np.stack([sine(50, 0.2) + x, -sine(50, 0.2) - x])  # the mean is silence; the other measures are not of it
    assert measure(lines, RATE).hum_db > 18
    for fine in (np.stack([x, x]), np.stack([x, noise(4.0, seed=1)]), x[None]):
        assert measure(fine, RATE).out_of_phase_share == 0


def faults(rate: int, seconds: float) -> np.ndarray:
    """Clipped noise with hum, clicks and silence in three channels."""
    x = np.random.default_rng(1).normal(0, 0.3, (3, round(seconds * rate))).astype(np.float32)
    x += np.float32(0.2) * np.sin(2 * np.pi * 60 * np.arange(x.shape[1]) / rate, dtype=np.float32)
    x[:, : rate // 2] *= 1e-3
    x[:, rate // 5 :: rate // 5] += 0.9
    x[:, rate // 3 : rate // 2] = 0
    return np.clip(x, -0.5, 0.7)


@pytest.mark.parametrize(("rate", "seconds"), [(44100, 3.0), (8000, 0.6), (11025, 0.05), (192000, 0.01)])
@pytest.mark.parametrize("length", [1, 97, 2048, 40001])
def test_measures_do_not_depend_on_the_length_of_the_blocks(rate, seconds, length):
    if length == 1:
        seconds = min(seconds, 0.05)
    x = faults(rate, max(seconds, 0.01))
    whole = dataclasses.asdict(measure(x, rate))
    parts = dataclasses.asdict(measure_blocks(of_waveform(x, rate, length)))
    assert parts == {
        key: value if isinstance(value, str) else pytest.approx(value, rel=1e-9) for key, value in whole.items()
    }


def test_memory_does_not_grow_with_the_length_of_a_clip():
    block = faults(16000, 16.0)[:2]

    def peak(blocks: int) -> int:
        tracemalloc.start()
        measures = measure_blocks(Blocks(16000, 2, lambda: (block for _ in range(blocks))))
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert measures.seconds == 16.0 * blocks
        return used

    assert peak(24) - peak(8) < 0.05 * 16 * block.nbytes


def test_a_long_file_is_measured_as_its_samples(tmp_path):
    x = faults(48000, 23.0)[:2]
    assert x.shape[1] > BLOCK
    audio.write(tmp_path / "long.wav", x, 48000)
    blocks = of_clip(
        Corpus("c", [Clip("long", "long", path=tmp_path / "long.wav")]), Clip("l", "l", path=tmp_path / "long.wav")
    )
    assert len(list(blocks)) == 2
    assert measure_blocks(blocks).sha256 == measure(x, 48000).sha256
    np.testing.assert_array_equal(blocks.head(22.5), x[:, : round(22.5 * 48000)])
    np.testing.assert_array_equal(blocks.head(99), x)


def test_pieces_and_runs_of_blocks():
    carry = Carry(4, overlap=3)
    pieces = [carry.add(np.arange(start, start + 5)).tolist() for start in range(0, 15, 5)]
    assert pieces == [[], list(range(7)), list(range(4, 15))]
    assert carry.rest.tolist() == [12, 13, 14]
    runs = Runs()
    found = [runs.add(np.array(list(part)) == "x") for part in ("..x", "xx", "x.xx.", ".", "x")] + [runs.end()]
    assert [(s, e) for starts, stops in found for s, e in zip(starts.tolist(), stops.tolist(), strict=True)] == [
        *((2, 6), (7, 9), (11, 12)),
    ]


def test_limits_flag_from_soft_on_and_reject_from_hard_on():
    clean = measure(noise()[None], RATE)
    assert judge(clean, LIMITS) == []
    for value, urgency in ((0.49, None), (0.5, 0.0), (5.0, 1.0), (1e9, 10.0)):
        flags = judge(dataclasses.replace(clean, clipped_per_s=value), LIMITS)
        assert [round(flag.urgency, 6) for flag in flags] == ([] if urgency is None else [urgency])
    quiet = judge(dataclasses.replace(clean, loudness_lufs=-60.0), LIMITS)  # the limit that counts downwards
    assert [flag.reason for flag in quiet] == ["quiet"]
    assert 0 < quiet[0].urgency < 1


def test_limits_are_changed_by_name():
    limits = make_limits({"clipped": {"soft": 1.0}, "humming": None})
    assert limits["clipped"].soft == 1.0
    assert limits["clipped"].hard == LIMITS["clipped"].hard
    assert "humming" not in limits
    for wrong in ({"cliped": None}, {"clipped": {"sof": 1}}, {"clipped": {"soft": 5.0}}):
        with pytest.raises(ParameterError):
            make_limits(wrong)
