"""Rooms: simulated shoeboxes (small, big, with mixed walls), and recorded responses."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ....audio import db_to_gain
from ....core import seeding
from ...base import Artifact, Params, draw_seed, geometric, linear, log_uniform, whole
from ...dsp import responses
from ...dsp.decay import DIRECT_S, norm
from ...dsp.filters import convolve
from ...dsp.rooms import Shoebox
from ...fields import SEED, Field, Number, Rows

_APART_M = 0.1  # radius of the ring of microphones for more than one channel


class _Room(Artifact):
    """A source and microphones in a shoebox room; the direct sound is not changed, at sample 0.

    ``absorption`` is the mean over the six walls. The distance of the source is that at which the diffuse field is
    10 .. -6 dB below the direct sound by Eyring's theory. Each channel is a microphone on a ring of 10 cm radius.
    """

    family: ClassVar[str] = "spectral"
    scale: ClassVar[str] = "absorption .30 .. .05 with a direct-to-reverberant ratio of about +10 .. -6 dB"
    sides: ClassVar[tuple[float, float]]

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        size = rng.uniform(*self.sides, 3)
        seed, flip = draw_seed(rng), rng.random(3) < 0.5
        place, aim = rng.uniform(0.25, 0.45, 3), rng.uniform(0.2, 1, 3) * (1, 1, 0.3)
        params: Params = {"seed": seed, "room_m": [size.tolist()], "absorption": geometric(severity, 0.30, 0.05)}
        params |= self._walls(rng)
        away = self._shoebox(params).critical_distance * db_to_gain(-linear(severity, 10, -6))
        source = place * size + away * aim / np.linalg.norm(aim)
        for name, point in (("microphone_m", place * size), ("source_m", source)):
            params[name] = [np.where(flip, size - point, point).tolist()]
        return params

    def _walls(self, rng: np.random.Generator) -> Params:
        """More parameters, of the walls."""
        return {}

    def _shoebox(self, params: Params) -> Shoebox:
        ratio = np.array(params["walls"][0]) if "walls" in params else np.ones(6)
        walls = np.minimum(params["absorption"] * ratio / ratio.mean(), 0.95)
        return Shoebox(tuple(params["room_m"][0]), tuple(walls.tolist()))

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        room, centre, source = self._shoebox(params), np.array(params["microphone_m"][0]), params["source_m"][0]
        out = np.empty_like(waveform)
        for index in range(len(waveform)):
            angle = 2 * np.pi * index / len(waveform)
            ring = _APART_M * np.array([np.cos(angle), np.sin(angle), 0.0]) if len(waveform) > 1 else np.zeros(3)
            rng = seeding.generator(params["seed"], "room", index)
            response = room.reflections(source, centre + ring, sample_rate, waveform.shape[-1], rng)
            channel = waveform[index : index + 1]
            out[index] = channel + convolve(channel, response)
        return out, whole(waveform)


def _fields(shortest: float, longest: float) -> dict[str, Field]:
    point = {axis: Number(0, longest, "m") for axis in ("x", "y", "z")}
    sides = {side: Number(shortest, longest, "m") for side in ("length", "width", "height")}
    return {
        "seed": SEED,
        "room_m": Rows(sides, 1),
        "absorption": Number(0.05, 0.30),
        "microphone_m": Rows(point, 1),
        "source_m": Rows(point, 1),
    }


@dataclass(frozen=True)
class RoomSmall(_Room):
    """A room of 3-7 m by the image-source method; the direct sound is not changed, at sample 0."""

    name: ClassVar[str] = "room_small"
    synonyms: ClassVar[tuple[str, ...]] = ("small room", "shoebox room", "boxy room")
    sides: ClassVar[tuple[float, float]] = (3.0, 7.0)
    fields: ClassVar[Mapping[str, Field]] = _fields(*sides)


@dataclass(frozen=True)
class RoomBig(_Room):
    """A hall of 7-15 m by the image-source method; the direct sound is not changed, at sample 0."""

    name: ClassVar[str] = "room_big"
    synonyms: ClassVar[tuple[str, ...]] = ("big room", "hall", "large room")
    sides: ClassVar[tuple[float, float]] = (7.0, 15.0)
    fields: ClassVar[Mapping[str, Field]] = _fields(*sides)


@dataclass(frozen=True)
class RoomMixed(_Room):
    """A room of 3-10 m by the image-source method, whose walls absorb in the ratios of ``walls``, up to 0.95 each."""

    name: ClassVar[str] = "room_mixed"
    synonyms: ClassVar[tuple[str, ...]] = ("mixed walls", "room of mixed materials")
    sides: ClassVar[tuple[float, float]] = (3.0, 10.0)
    fields: ClassVar[Mapping[str, Field]] = {
        **_fields(*sides),
        "walls": Rows({wall: Number(0.25, 4) for wall in ("x0", "x1", "y0", "y1", "floor", "ceiling")}, 1),
    }

    def _walls(self, rng: np.random.Generator) -> Params:
        return {"walls": [[log_uniform(rng, 0.25, 4) for _ in range(6)]]}


@dataclass(frozen=True)
class RoomRecorded(Artifact):
    """The reverberation of a recorded room response, added to the direct sound of the clip.

    The part of the response later than 2.5 ms after its direct sound is scaled to the direct-to-reverberant ratio
    ``drr_db`` over all of its channels. Channel c of the clip is convolved with channel c modulo the number of channels
    of the response. Responses are files of the user (:mod:`contrastive_artifacts.artifacts.dsp.responses`);
    ``response`` is the start of the SHA-256 of the file.
    """

    name: ClassVar[str] = "room_recorded"
    family: ClassVar[str] = "spectral"
    synonyms: ClassVar[tuple[str, ...]] = ("recorded room", "measured impulse response", "convolution reverb")
    scale: ClassVar[str] = "direct-to-reverberant ratio +10 .. -5 dB"
    fields: ClassVar[Mapping[str, Field]] = {
        "response": responses.ResponseId(),
        "drr_db": Number(-5, 10, "dB"),
    }

    def fits(self, channels: int) -> bool:
        return bool(os.environ.get(responses.VARIABLE))

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        identities = list(responses.listing())
        return {"response": identities[int(rng.integers(len(identities)))], "drr_db": linear(severity, 10, -5)}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        room = responses.load(params["response"], sample_rate).copy()
        room[:, : int(np.ceil(DIRECT_S * sample_rate))] = 0.0
        room *= np.float32(db_to_gain(-params["drr_db"]) * np.sqrt(len(room)) / norm(room))
        return waveform + convolve(waveform, room), whole(waveform)


SPACES: tuple[Artifact, ...] = (RoomSmall(), RoomBig(), RoomMixed(), RoomRecorded())
