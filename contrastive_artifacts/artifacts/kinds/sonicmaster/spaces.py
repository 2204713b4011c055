"""Shoebox rooms, small, big and with mixed walls, and rooms that were recorded."""

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

_APART_M = 0.1  # radius of the ring of microphones when there is more than one channel


class _Room(Artifact):
    """A source and microphones in a shoebox; the direct sound stays as it is, at sample 0.

    ``absorption`` is the mean over the six walls. The source stands where the diffuse field of Eyring's theory lies
    ``10 .. -6`` dB below its direct sound. Several channels are as many microphones on a ring of 10 cm.
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
    """A room of 3-7 m, as of an image-source model, with the direct sound as it was, at sample 0."""

    name: ClassVar[str] = "room_small"
    synonyms: ClassVar[tuple[str, ...]] = ("small room", "shoebox room", "boxy room")
    sides: ClassVar[tuple[float, float]] = (3.0, 7.0)
    fields: ClassVar[Mapping[str, Field]] = _fields(*sides)


@dataclass(frozen=True)
class RoomBig(_Room):
    """A hall of 7-15 m, as of an image-source model, with the direct sound as it was, at sample 0."""

    name: ClassVar[str] = "room_big"
    synonyms: ClassVar[tuple[str, ...]] = ("big room", "hall", "large room")
    sides: ClassVar[tuple[float, float]] = (7.0, 15.0)
    fields: ClassVar[Mapping[str, Field]] = _fields(*sides)


@dataclass(frozen=True)
class RoomMixed(_Room):
    """A room of 3-10 m whose walls absorb in the ratios of ``walls``, up to .95 each, as of an image-source model."""

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
    """A recorded response of a room behind the clip's own direct sound.

    What comes later than 2.5 ms after the response's direct sound is added at ``drr_db``, the direct-to-reverberant
    ratio over all of its channels; channels of the clip beyond those of the response start from its first one again.
    The responses are the user's, see :mod:`contrastive_artifacts.artifacts.dsp.responses`; ``response`` is the start of
    the file's SHA-256.
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
        known = list(responses.listing())
        return {"response": known[int(rng.integers(len(known)))], "drr_db": linear(severity, 10, -5)}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        room = responses.load(params["response"], sample_rate).copy()
        room[:, : int(np.ceil(DIRECT_S * sample_rate))] = 0.0
        room *= np.float32(db_to_gain(-params["drr_db"]) * np.sqrt(len(room)) / norm(room))
        return waveform + convolve(waveform, room), whole(waveform)


SPACES: tuple[Artifact, ...] = (RoomSmall(), RoomBig(), RoomMixed(), RoomRecorded())
