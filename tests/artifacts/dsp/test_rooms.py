"""Shoebox rooms against geometry, explicit loops and the theory of decay."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts.artifacts.dsp import rooms
from contrastive_artifacts.artifacts.dsp.rooms import SPEED_OF_SOUND, Shoebox
from contrastive_artifacts.core.errors import ParameterError

RATE = 44100
ROOM = Shoebox((5.0, 4.0, 3.0), (0.1, 0.2, 0.3, 0.15, 0.25, 0.05))
SOURCE, MICROPHONE = (1.2, 1.7, 1.4), (3.1, 2.2, 1.1)


def respond(room: Shoebox, seconds: float, source: tuple = SOURCE, microphone: tuple = MICROPHONE) -> np.ndarray:
    rng = np.random.default_rng(3)
    return room.reflections(source, microphone, RATE, round(seconds * RATE), rng).astype(np.float64)


def schroeder_t60(tail: np.ndarray) -> float:
    """T30: the line through -5 .. -35 dB of the backward integral, times two (ISO 3382)."""
    decay = np.cumsum(tail[::-1] ** 2)[::-1]
    level = 10 * np.log10(decay / decay[0] + 1e-20)
    span = (level < -5) & (level > -35)
    return -60 / np.polyfit(np.flatnonzero(span) / RATE, level[span], 1)[0]


def mirrored(order: int) -> list[tuple[float, float]]:
    """(distance, gain) of image sources, by reflecting points at walls up to ``order`` times in each axis."""
    axes = []
    for axis, side in enumerate(ROOM.size):
        near, far = (np.sqrt(1 - a) for a in ROOM.absorption[2 * axis : 2 * axis + 2])
        images = [(SOURCE[axis], 1.0)]
        for walls in ((0.0, near, side, far), (side, far, 0.0, near)):
            at, gain = SOURCE[axis], 1.0
            for step in range(order):
                wall, loss = walls[:2] if step % 2 == 0 else walls[2:]
                at, gain = 2 * wall - at, gain * loss
                images.append((at, gain))
        axes.append([(at - MICROPHONE[axis], gain) for at, gain in images])
    combined = []
    for x, y, z in itertools.product(*axes):
        distance = np.sqrt(x[0] ** 2 + y[0] ** 2 + z[0] ** 2)
        combined.append((distance, x[1] * y[1] * z[1] / distance))
    return combined


def test_images_equal_reflections_at_the_walls() -> None:
    reach = 12.0
    expected = np.array([image for image in mirrored(10) if image[0] <= reach])
    distance, gain = ROOM.images(SOURCE, MICROPHONE, reach)
    for column, ours in enumerate((distance, gain, distance * gain)):
        theirs = expected[:, column] if column < 2 else expected.prod(axis=1)
        np.testing.assert_allclose(np.sort(ours), np.sort(theirs), rtol=1e-9)


def test_the_first_reflection_has_its_delay_and_level() -> None:
    """A reflecting floor and absorbing walls: one reflection, of known time and level."""
    room = Shoebox((40.0, 40.0, 40.0), (0.999, 0.999, 0.999, 0.999, 0.0, 0.999))
    source, microphone = (20.0, 20.0, 2.0), (24.0, 20.0, 2.0)
    response = respond(room, 0.05, source, microphone)
    bounce = np.sqrt(4.0**2 + 4.0**2)
    delay = (bounce - 4.0) / SPEED_OF_SOUND * RATE
    fine = signal.resample(response[:400], 400 * 32)
    assert np.argmax(fine) / 32 == pytest.approx(delay, abs=0.1)
    energy = 10 * np.log10(np.sum(response[: int(delay) + 40] ** 2))
    assert energy == pytest.approx(20 * np.log10(4.0 / bounce), abs=0.5)


def test_the_energy_is_that_of_the_images() -> None:
    """The energy of the response, against that of all images without a statistical tail."""
    room = Shoebox((6.0, 5.0, 4.0), (0.3,) * 6)
    distance, gain = room.images(SOURCE, MICROPHONE, 250.0)
    direct = distance.min()
    late = distance > direct
    delay = (distance[late] - direct) / SPEED_OF_SOUND * RATE
    exact = np.zeros(int(delay.max()) + 2)
    np.add.at(exact, np.round(delay).astype(int), gain[late] * direct)
    exact = signal.sosfilt(signal.butter(2, 50, "highpass", fs=RATE, output="sos"), exact)
    ours = respond(room, 1.0)
    assert 10 * np.log10(np.sum(ours**2) / np.sum(exact**2)) == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("absorption", [0.05, 0.12, 0.3])
@pytest.mark.parametrize("size", [(3.5, 4.0, 3.0), (6.0, 5.0, 4.0), (14.0, 11.0, 9.0)])
def test_decay_time_is_eyrings(absorption: float, size: tuple) -> None:
    room = Shoebox(size, (absorption,) * 6)
    surface = 2 * (size[0] * size[1] + size[1] * size[2] + size[0] * size[2])
    eyring = 0.161 * np.prod(size) / (-surface * np.log(1 - absorption))
    assert room.t60 == pytest.approx(eyring, rel=0.01)
    tail = respond(room, 1.1 * eyring, tuple(0.3 * np.array(size)), tuple(0.62 * np.array(size)))
    assert schroeder_t60(tail) == pytest.approx(eyring, rel=0.15)


def test_the_tail_continues_the_decay_of_the_images(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Shoebox((6.0, 5.0, 4.0), (0.15,) * 6)
    whole = respond(room, 0.6)
    monkeypatch.setattr(rooms, "MOST_IMAGES", 1500)
    capped = respond(room, 0.6)
    start = int(0.2 * RATE)
    assert not np.allclose(whole[start:], capped[start:])
    assert 10 * np.log10(np.sum(whole**2) / np.sum(capped**2)) == pytest.approx(0, abs=0.5)
    assert schroeder_t60(capped) == pytest.approx(schroeder_t60(whole), rel=0.15)
    early = int(0.05 * RATE)
    np.testing.assert_allclose(whole[:early], capped[:early], atol=1e-6)


def test_a_shorter_response_is_the_start_of_a_longer_one() -> None:
    np.testing.assert_allclose(respond(ROOM, 0.02), respond(ROOM, 0.6)[: round(0.02 * RATE)], atol=1e-6)


def test_positions_outside_the_room_are_errors() -> None:
    with pytest.raises(ParameterError, match="source"):
        respond(ROOM, 0.1, source=(5.5, 1.0, 1.0))
    with pytest.raises(ParameterError, match="microphone"):
        respond(ROOM, 0.1, microphone=(1.0, 0.0, 1.0))
