"""Measures of a clip that should be clean. All are physical: no model, no fitted parameters."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from ... import audio
from .spectrum import band, hum

VERSION = 1  # of the definitions below; measures of another version are computed again
FLOOR_DB = -160.0  # level of silence, so that every value is finite

_NEAR_PEAK = 0.98
_RUN = 4  # samples
_CORNER = 0.25  # slope before a plateau times its length, relative to the peak; .08 for a sine of any frequency
_BLOCK_S = 0.02
_QUIET_DB = -70.0
_CLICK = 25.0  # times the median second difference around it
_CLICK_S = 0.0005
_CLICK_BLOCK_S = 0.01


@dataclass(frozen=True)
class Measures:
    """Measures of one clip.

    Attributes:
        seconds, rate, channels: Length, sample rate in Hz, number of channels.
        loudness_lufs: Integrated loudness (BS.1770-4); -160 for silence.
        peak_db: Largest sample, dBFS.
        clipped_per_s: Flat-topped runs per second, see :func:`clipped_runs`; of the worst channel.
        zero_share: Share of samples that are exactly zero.
        silence_share: Share of time in digital silence: all channels exactly zero for 20 ms or longer (padding, gaps).
        quiet_share: Share of 20 ms blocks below -70 dBFS, digital silence included.
        floor_db: Noise floor: tenth percentile of the levels of the 20 ms blocks that are not digital silence, dBFS.
        dc_db: Largest absolute mean of a channel outside of digital silence, dBFS.
        clicks_per_s: Isolated clicks per second, see :func:`clicks`.
        bandwidth_hz, edge_hz, edge_db, lost_band: see :class:`.spectrum.Band`.
        hum_db, hum_hz, hum_level_db: see :class:`.spectrum.Hum`.
        sha256: Hash of samples, shape and sample rate: equal for exact copies in any container.
    """

    seconds: float
    rate: int
    channels: int
    loudness_lufs: float
    peak_db: float
    clipped_per_s: float
    zero_share: float
    silence_share: float
    quiet_share: float
    floor_db: float
    dc_db: float
    clicks_per_s: float
    bandwidth_hz: float
    edge_hz: float
    edge_db: float
    lost_band: float
    hum_db: float
    hum_hz: int
    hum_level_db: float
    sha256: str


def measure(waveform: np.ndarray, sample_rate: int) -> Measures:
    """Measures a clip.

    Args:
        waveform: float32 ``[C, T]``, full scale 1.0.
        sample_rate: Hz.

    Raises:
        AudioError: NaN, no samples, or a shape that is no audio.
    """
    waveform = audio.as_waveform(waveform, sample_rate)
    mono = audio.downmix(waveform)
    seconds = waveform.shape[1] / sample_rate
    zero = waveform == 0
    silent = _long_runs(zero.all(axis=0), max(1, round(_BLOCK_S * sample_rate)))
    levels = _block_levels(waveform, max(1, round(_BLOCK_S * sample_rate)))
    sounding = levels[levels > FLOOR_DB]
    loudness = audio.loudness(waveform, sample_rate)
    clip_band, clip_hum = band(mono, sample_rate), hum(mono, sample_rate)
    return Measures(
        seconds=seconds,
        rate=int(sample_rate),
        channels=waveform.shape[0],
        loudness_lufs=max(loudness, FLOOR_DB),
        peak_db=audio.gain_to_db(audio.peak(waveform), FLOOR_DB),
        clipped_per_s=max(clipped_runs(channel) for channel in waveform) / seconds,
        zero_share=float(zero.mean()),
        silence_share=float(silent.mean()),
        quiet_share=float((levels < _QUIET_DB).mean()),
        floor_db=float(np.percentile(sounding, 10)) if sounding.size else FLOOR_DB,
        dc_db=FLOOR_DB if silent.all() else audio.gain_to_db(_offset(waveform, silent), FLOOR_DB),
        clicks_per_s=clicks(mono, sample_rate) / seconds,
        bandwidth_hz=clip_band.bandwidth_hz,
        edge_hz=clip_band.edge_hz,
        edge_db=clip_band.edge_db,
        lost_band=clip_band.lost,
        hum_db=clip_hum.prominence_db,
        hum_hz=clip_hum.mains_hz,
        hum_level_db=clip_hum.level_db,
        sha256=samples_hash(waveform, sample_rate),
    )


def clipped_runs(channel: np.ndarray) -> int:
    """Number of flat-topped runs in ``[T]``: plateaus at the peak that begin or end with a corner.

    A run is four or more samples in a row within 2 % of the largest sample of its sign (not equal to it, because lossy
    coding bends plateaus). The corner distinguishes a plateau from the round crest of a low tone: the slope before or
    after the run times its length, relative to the peak, is .08 for any sine and more than .25 for a sine clipped by
    2 dB or more. Square waves, as in chip music, count as clipped.
    """
    count = 0
    for sign in (1.0, -1.0):
        side = channel * np.float32(sign)
        top = float(side.max())
        if top <= 0:
            continue
        starts, stops = _runs(side >= _NEAR_PEAK * top)
        long = (stops - starts >= _RUN) & (stops - starts < side.size)
        starts, stops = starts[long], stops[long]
        before = np.where(starts > 0, side[starts] - side[np.maximum(starts - 1, 0)], 0)
        after = np.where(stops < side.size, side[stops - 1] - side[np.minimum(stops, side.size - 1)], 0)
        count += int((np.maximum(before, after) * (stops - starts) >= _CORNER * top).sum())
    return count


def clicks(mono: np.ndarray, sample_rate: int) -> int:
    """Number of isolated clicks in ``[T]``: outliers of the second difference, at most .5 ms long.

    An outlier exceeds 25 times the median of its block of 10 ms and of the blocks before and after. A crackling fire or
    a ticking clock contains clicks by nature.
    """
    if mono.size < 8:
        return 0
    bend = np.abs(np.diff(mono, n=2))
    length = max(8, round(_CLICK_BLOCK_S * sample_rate))
    blocks = -(-bend.size // length)
    padded = np.pad(bend, (0, blocks * length - bend.size), mode="edge").reshape(blocks, length)
    usual = np.median(padded, axis=1)
    around = np.maximum(usual, np.maximum(np.r_[usual[1:], 0], np.r_[0, usual[:-1]]))
    limit = np.repeat(_CLICK * np.maximum(around, 1e-4), length)[: bend.size]
    places = np.flatnonzero(bend > limit)
    if not places.size:
        return 0
    first = np.r_[True, np.diff(places) > round(0.002 * sample_rate)]  # closer outliers belong to one click
    begin = places[first]
    end = places[np.r_[np.flatnonzero(first)[1:] - 1, places.size - 1]]
    return int((end - begin <= max(2, round(_CLICK_S * sample_rate))).sum())


def samples_hash(waveform: np.ndarray, sample_rate: int) -> str:
    """SHA-256 of sample rate, shape and float32 samples of ``[C, T]``, in hex."""
    digest = hashlib.sha256(repr((int(sample_rate), waveform.shape)).encode())
    digest.update(np.ascontiguousarray(waveform, dtype="<f4").data)
    return digest.hexdigest()


def _offset(waveform: np.ndarray, silent: np.ndarray) -> float:
    return float(np.abs(waveform.sum(axis=1, dtype=np.float64)).max() / (~silent).sum())


def _block_levels(waveform: np.ndarray, length: int) -> np.ndarray:
    """Level in dBFS of each block of ``length`` samples, mean over channels; exactly the floor for digital silence."""
    starts = np.arange(0, waveform.shape[1], length)
    power = sum(np.add.reduceat(np.square(channel, dtype=np.float64), starts) for channel in waveform)
    power = power / (np.diff(starts, append=waveform.shape[1]) * len(waveform))
    return np.maximum(10 * np.log10(power + 1e-300), FLOOR_DB)


def _runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts and stops of the runs of True."""
    edges = np.flatnonzero(np.diff(mask.view(np.int8), prepend=0, append=0))
    return edges[::2], edges[1::2]


def _long_runs(mask: np.ndarray, least: int) -> np.ndarray:
    """The mask without runs shorter than ``least``; if the whole mask is shorter, only a run over all of it stays."""
    starts, stops = _runs(mask)
    long = stops - starts >= min(least, mask.size)
    change = np.zeros(mask.size + 1, np.int8)
    change[starts[long]] = 1
    change[stops[long]] = -1
    return np.cumsum(change[:-1], dtype=np.int8).astype(bool)
