"""Copies of a channel: equal, inverted, late, gone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts import audio
from contrastive_artifacts.scan.measured.relations import Relation, Relations
from contrastive_artifacts.scan.measured.text import relation_text

RATE = 48_000


def relations(samples: np.ndarray) -> tuple[Relation, ...]:
    meter = Relations(len(samples), RATE)
    for start in range(0, samples.shape[1], RATE // 2):
        meter.add(samples[:, start : start + RATE // 2].astype(np.float32))
    return meter.relations()


def sound(channels: int = 1, seed: int = 5) -> np.ndarray:
    """Noise with a falling spectrum, as music has it."""
    noise = np.random.default_rng(seed).normal(0, 0.02, (channels, 10 * RATE))
    return signal.lfilter([1], [1, -0.95], noise, axis=1)


def test_unrelated_channels_have_no_relation_and_mono_has_none() -> None:
    assert relations(sound(2)) == ()
    assert relations(sound(1)) == ()


def test_a_dialogue_in_the_centre_of_stereo_is_no_copy() -> None:
    assert relations(sound() + 0.1 * sound(2, 6)) == ()


@pytest.mark.parametrize(("gain", "kind"), [(1, "identical"), (-1, "inverted")])
def test_a_copy_and_an_inverted_copy(gain: int, kind: str) -> None:
    one = sound()
    assert relations(np.concatenate([one, gain * one])) == (Relation(kind, (0, 1), 1.0),)
    half = np.concatenate([one, sound(seed=7)])
    half[1, : 5 * RATE] = gain * half[0, : 5 * RATE]
    assert relations(half) == (Relation(kind, (0, 1), 0.5),)


@pytest.mark.parametrize("delay", [7, 400, -31])
def test_a_copy_that_is_late_or_early(delay: int) -> None:
    one = sound()
    (relation,) = relations(np.concatenate([one, np.roll(one, delay, axis=1)]))
    assert (relation.kind, relation.share) == ("delayed", 1.0)
    assert relation.delay_samples == pytest.approx(delay, abs=0.05)
    assert relation.delay_us == pytest.approx(delay / RATE * 1e6, abs=1.1)


def test_azimuth_of_a_part_of_a_sample_between_tracks_with_noise_of_their_own() -> None:
    one = sound()
    late = np.roll(audio.resample(one, RATE, 10 * RATE), 17, axis=1)  # 1.7 samples
    tracks = np.concatenate([one, 0.8 * audio.resample(late, 10 * RATE, RATE)]) + 1e-3 * sound(2, 8)
    (relation,) = relations(tracks)
    assert relation.delay_samples == pytest.approx(1.7, abs=0.15)


def test_an_inverted_copy_that_is_late() -> None:
    one = sound()
    (relation,) = relations(np.concatenate([one, -np.roll(one, 12, axis=1)]))
    assert (relation.kind, relation.delay_samples) == ("delayed and inverted", pytest.approx(12, abs=0.05))


def test_a_missing_channel_is_named_and_silence_does_not_count() -> None:
    samples = np.concatenate([sound(), np.zeros((1, 10 * RATE))])
    samples[0, : 5 * RATE] = 0
    assert relations(samples) == (Relation("missing", (1,), 1.0),)
    assert relations(np.zeros((2, 10 * RATE))) == ()


def test_pairs_of_surround_sound() -> None:
    film = sound(6)
    film[5] = film[4]
    film[3] = 0  # no low-frequency effects
    assert relations(film) == (Relation("identical", (4, 5), 1.0),)


def test_who_is_late_is_said_in_words() -> None:
    assert relation_text(Relation("delayed", (0, 1), 0.5, -7.0, -145.8)).startswith(
        "channel 1 is channel 2 delayed by 7 samples (145.8 us), 50 %"
    )
    assert relation_text(Relation("missing", (1,), 1.0)) == "channel 2 is missing, 100 % of the time"
