"""Missing: packet loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...core import seeding
from ..base import Artifact, Params, draw_seed, geometric, log_uniform, merge, pick
from ..dsp.levels import active_blocks
from ..fields import SEED, Choice, Field, Number

_FRAME_S = 0.02
_ACTIVE_DB = 30.0
_LONGEST = 10  # frames
_PITCH_S = (0.005, 0.015)
_SEARCH_RATE = 8000  # Hz, of the coarse pitch search


@dataclass(frozen=True)
class PacketLoss(Artifact):
    """Lost packets of a call or stream: frames of 20 ms are missing, in bursts, the same in all channels.

    Losses follow the two-state Markov chain of Gilbert (Bell System Technical Journal, 1960; that of Elliott, 1963, if
    every frame of the bad state is lost), with bursts of ``burst_frames`` on average and 10 at most. ``share`` of the
    frames that hold sound are lost, at least one; a frame that is lost at one share is lost at every larger one.
    ``concealment`` is what replaces them: ``zero``; ``repeat``, the last received frame, repeated; ``decay``, the same
    at full level for 10 ms and then reduced by 20 % of it every 10 ms, to zero after 60 ms (the fade of ITU-T G.711
    Appendix I); or ``pitch``, the last pitch period of 5-15 ms, repeated with that fade and estimated by correlation as
    there (without its longer loops of two and three periods). Frames lost before the first received one are zero.
    Received frames are not changed.
    """

    name: ClassVar[str] = "packet_loss"
    family: ClassVar[str] = "missing"
    synonyms: ClassVar[tuple[str, ...]] = ("frame loss", "frame erasure", "lost packets", "network dropout")
    scale: ClassVar[str] = "share of the frames of 20 ms that is lost, 5 .. 25 %, in bursts of up to 10"
    fields: ClassVar[Mapping[str, Field]] = {
        "seed": SEED,
        "share": Number(0.05, 0.25),
        "burst_frames": Number(1.5, 4, "frames"),
        "concealment": Choice(("zero", "repeat", "decay", "pitch")),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        return {
            "seed": draw_seed(rng),
            "share": geometric(severity, 0.05, 0.25),
            "burst_frames": log_uniform(rng, 1.5, 4),
            "concealment": pick(rng, {"zero": 0.35, "repeat": 0.25, "decay": 0.2, "pitch": 0.2}),
        }

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        samples = waveform.shape[-1]
        frame = max(1, round(_FRAME_S * sample_rate))
        lost = lost_frames(waveform, frame, params)
        which = np.flatnonzero(lost)
        out = waveform.copy()
        _conceal(out, frame, lost, sample_rate, params["concealment"])
        return out, merge(which * frame, np.minimum((which + 1) * frame, samples))


def lost_frames(waveform: np.ndarray, frame: int, params: Params) -> np.ndarray:
    """Which frames of ``frame`` samples of ``[C, T]`` are lost, bool ``[N]``; the last frame may be shorter."""
    active = active_blocks(waveform, frame, below_db=_ACTIVE_DB)
    level = _thresholds(len(active), params["burst_frames"], seeding.generator(params["seed"], "packet_loss"))
    order = np.argsort(level, kind="stable")  # stable: equal thresholds of one burst in order of time
    sounding = np.cumsum(active[order])
    lost = np.zeros(len(active), dtype=bool)
    lost[order[: 1 + np.searchsorted(sounding, max(1, round(params["share"] * sounding[-1])))]] = True
    return lost


def _thresholds(frames: int, burst: float, rng: np.random.Generator) -> np.ndarray:
    """The threshold of each frame ``[N]``: it is lost if the probability that a burst starts is above it.

    One draw per frame drives the chain: below that probability the state becomes bad, above 1 - 1 / ``burst`` good, and
    otherwise it stays. The threshold is therefore the smallest draw since the state last became good.
    """
    draw = rng.random(frames)
    good = draw >= 1.0 - 1.0 / burst
    step = np.arange(frames)
    # 0 where the state becomes good; bursts end after 10 frames, as if it did.
    since = (step - np.maximum.accumulate(np.where(good, step, -1))) % (_LONGEST + 1)
    level = np.where(since == 0, 1.0 + draw, draw)
    for past in range(1, _LONGEST):
        reach = np.flatnonzero(since > past)
        level[reach] = np.minimum(level[reach], draw[reach - past])
    return level


def _conceal(out: np.ndarray, frame: int, lost: np.ndarray, sample_rate: int, concealment: str) -> None:
    """Replaces the ``lost`` frames of ``out`` ``[C, T]`` in place."""
    edge = np.flatnonzero(np.diff(lost.astype(np.int8), prepend=0, append=0))
    fade = np.clip(1.2 - np.arange(4 * frame) / (0.05 * sample_rate), 0, 1).astype(np.float32)
    for first, last in zip(edge[::2].tolist(), edge[1::2].tolist(), strict=True):
        gap = out[:, first * frame : last * frame]
        gap[:] = 0
        if concealment == "zero" or first == 0:
            continue
        past = out[:, max(0, first - 2) * frame : first * frame]
        loop = _pitch_period(past, sample_rate) if concealment == "pitch" else past[:, -frame:]
        length = gap.shape[1] if concealment == "repeat" else min(gap.shape[1], len(fade))
        gap[:, :length] = np.tile(loop, -(-length // loop.shape[1]))[:, :length]
        if concealment != "repeat":
            gap[:, :length] *= fade[:length]


def _pitch_period(past: np.ndarray, sample_rate: int) -> np.ndarray:
    """The last pitch period of ``[C, up to 40 ms]``, with a cross-fade at its end, so that it can loop."""
    shortest, longest = round(_PITCH_S[0] * sample_rate), round(_PITCH_S[1] * sample_rate)
    step = max(1, sample_rate // _SEARCH_RATE)
    if past.shape[1] < 2 * longest:
        return past  # too short to search: the start of the clip
    mono = past.mean(axis=0)
    coarse = mono[len(mono) % step :].reshape(-1, step).mean(axis=1)
    rough = step * _best_lag(coarse, shortest // step, longest // step)
    period = _best_lag(mono, max(shortest, rough - step), min(longest, rough + step)) if step > 1 else rough
    loop, blend = past[:, -period:].copy(), period // 4
    rise = ((np.arange(blend) + 0.5) / blend).astype(np.float32)
    loop[:, -blend:] += rise * (past[:, -period - blend : -period] - loop[:, -blend:])
    return loop


def _best_lag(wave: np.ndarray, shortest: int, longest: int) -> int:
    """The lag from ``shortest`` to ``longest`` at which the end of ``wave`` correlates best with what is before it."""
    size = min(longest, len(wave) - longest)
    before = wave[-size - longest : len(wave) - shortest]
    correlation = np.correlate(before, wave[-size:], mode="valid")
    power = np.cumsum(np.square(before, dtype=np.float64))
    energy = power[size - 1 :] - np.append(0.0, power[: len(before) - size])
    return longest - int(np.argmax(correlation / np.sqrt(energy + 1e-12)))
