"""Measures of a clip that should be clean. All are physical: no model, no fitted parameters."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from ... import audio
from .blocks import Blocks, of_waveform
from .clicks import Clicks
from .clipping import Clipping
from .crests import Crests
from .hum import HumMeter
from .levels import FLOOR_DB as FLOOR_DB
from .levels import Levels, Phase
from .spectrum import BandMeter

VERSION = 4  # of the definitions below; measures of another version are computed again


@dataclass(frozen=True)
class Measures:
    """Measures of one clip.

    Attributes:
        seconds, rate, channels: Length, sample rate in Hz, number of channels.
        loudness_lufs: Integrated loudness (BS.1770-4); -160 for silence.
        peak_db: Largest sample, dBFS.
        clipped_per_s: Flat-topped runs per second, see :class:`.clipping.Clipping`; of the worst channel.
        crest_crowding: Standard deviations by which flat crests crowd at one level, see :class:`.crests.Crests`.
        zero_share: Share of samples that are exactly zero.
        silence_share: Share of time in digital silence: all channels exactly zero for 20 ms or longer (padding, gaps).
        quiet_share: Share of 20 ms blocks below -70 dBFS, digital silence included.
        floor_db: Noise floor: tenth percentile of the levels of the 20 ms blocks that are not digital silence, dBFS.
        dc_db: Largest absolute mean of a channel outside of digital silence, dBFS.
        clicks_per_s: Isolated clicks per second, see :class:`.clicks.Clicks`.
        out_of_phase_share: Share of the seconds in which the channels cancel in their mean, see :func:`audio.cancels`.
        bandwidth_hz, edge_hz, edge_db, lost_band: see :class:`.spectrum.Band`.
        hum_db, hum_hz, hum_level_db: see :class:`.hum.Hum`.
        sha256: Hash of sample rate, shape and float32 samples: equal for exact copies in any container.
    """

    seconds: float
    rate: int
    channels: int
    loudness_lufs: float
    peak_db: float
    clipped_per_s: float
    crest_crowding: float
    zero_share: float
    silence_share: float
    quiet_share: float
    floor_db: float
    dc_db: float
    clicks_per_s: float
    out_of_phase_share: float
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
    return measure_blocks(of_waveform(audio.as_waveform(waveform, sample_rate), sample_rate))


def measure_blocks(blocks: Blocks) -> Measures:
    """:func:`measure` of a clip that is given block by block, without NaN; goes over it three times.

    A clip of more than two channels is gone over once more for each further one: the hash takes channel after channel.

    Raises:
        AudioError: the blocks cannot be read.
    """
    rate, channels = blocks.rate, blocks.channels
    levels, loudness, phase = Levels(channels, rate), audio.Loudness(channels, rate), Phase(rate)
    mixture = audio.Mixture(channels)
    for block in blocks:
        for meter in (levels, loudness, phase, mixture):
            meter.add(block)
    samples = levels.samples
    seconds = samples / rate
    clipping, crests = Clipping(levels.high, levels.low), Crests(levels.high, levels.low, rate)
    clicks = Clicks(rate)
    band_meter, hum_meter = BandMeter(samples, rate), HumMeter(samples, rate)
    digest = hashlib.sha256(repr((rate, (channels, samples))).encode())
    for block in blocks:
        clipping.add(block)
        crests.add(block)
        mono = mixture.mono(block)
        for mono_meter in (clicks, band_meter, hum_meter):
            mono_meter.add(mono)
        _update(digest, block, 0)
    for block in blocks:
        band_meter.add_again(mixture.mono(block))
        _update(digest, block, 1)
    for channel in range(2, channels):
        for block in blocks:
            _update(digest, block, channel)
    band, hum = band_meter.band(), hum_meter.hum()
    return Measures(
        seconds=seconds,
        rate=rate,
        channels=channels,
        loudness_lufs=max(loudness.lufs(), FLOOR_DB),
        **levels.figures(),
        out_of_phase_share=phase.share(),
        clipped_per_s=clipping.most() / seconds,
        crest_crowding=crests.most(),
        clicks_per_s=clicks.count() / seconds,
        bandwidth_hz=band.bandwidth_hz,
        edge_hz=band.edge_hz,
        edge_db=band.edge_db,
        lost_band=band.lost,
        hum_db=hum.prominence_db,
        hum_hz=hum.mains_hz,
        hum_level_db=hum.level_db,
        sha256=digest.hexdigest(),
    )


def _update(digest: hashlib._Hash, block: np.ndarray, channel: int) -> None:
    """Adds the samples of one channel to a hash, if there is such a channel."""
    if channel < len(block):
        digest.update(np.ascontiguousarray(block[channel], dtype="<f4").data)
