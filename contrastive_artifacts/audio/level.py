"""Levels of a waveform: peak, RMS, RMS without pauses, and loudness by ITU-R BS.1770-4.

Loudness not by pyloudnorm, which refuses more than five channels and clips shorter than a gating block.
"""

from __future__ import annotations

import math

import numpy as np
import scipy

_BLOCK_S = 0.05
_BATCH = 1 << 15  # samples
_ACTIVE_RANGE = 1e-4  # power ratio: 40 dB below the loudest block
_GATE_S = 0.4
_STEPS = 4  # a gating block every 100 ms: 75 % overlap
_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0
_SHORT_TERM = 30  # steps: 3 s
_RANGE_GATE = -20.0
_RANGE_PERCENT = (10, 95)
_OFFSET = -0.691  # BS.1770-4: cancels the K-weighting's gain at 997 Hz
_SURROUND = 1.41
# Channel order as in wave and FLAC files: L R C LFE surrounds (BS.1770-4 leaves the LFE out).
_WEIGHTS = {
    4: (1.0, 1.0, _SURROUND, _SURROUND),
    5: (1.0, 1.0, 1.0, _SURROUND, _SURROUND),
    6: (1.0, 1.0, 1.0, 0.0, _SURROUND, _SURROUND),
    7: (1.0, 1.0, 1.0, 0.0, 1.0, _SURROUND, _SURROUND),
    8: (1.0, 1.0, 1.0, 0.0, 1.0, 1.0, _SURROUND, _SURROUND),
}


def db_to_gain(db: float) -> float:
    """The amplitude ratio of a level in dB.

    >>> db_to_gain(-20.0)
    0.1
    """
    return float(10.0 ** (db / 20.0))


def gain_to_db(gain: float, floor_db: float = -math.inf) -> float:
    """The level in dB of an amplitude ratio; ``floor_db`` where it is lower, zero included.

    >>> gain_to_db(0.1), gain_to_db(0.0, floor_db=-160.0)
    (-20.0, -160.0)
    """
    return max(floor_db, 20 * math.log10(gain)) if gain > 0 else floor_db


def peak(waveform: np.ndarray) -> float:
    """Largest absolute sample of ``[..., T]``; 1.0 is full scale."""
    return float(max(waveform.max(), -waveform.min()))


def rms(waveform: np.ndarray) -> float:
    """Root mean square over all samples and channels of ``[..., T]``; 0.707 for a full-scale sine."""
    return float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64))))


def active_rms(waveform: np.ndarray, sample_rate: int) -> float:
    """RMS over the 50 ms blocks within 40 dB of the loudest one, so that pauses do not count.

    Args:
        waveform: float ``[C, T]``; the power of a block is the mean over its channels.
        sample_rate: Hz.

    Returns:
        Amplitude, full scale 1.0; 0.0 for digital silence.
    """
    waveform = np.atleast_2d(waveform)
    samples, length = waveform.shape[-1], max(1, round(_BLOCK_S * sample_rate))
    full = samples // length
    energy = np.zeros(full + (samples % length > 0))
    batch = max(1, _BATCH // length)  # blocks whose samples in double precision fit into the processor's cache
    for channel in waveform:
        for first in range(0, full, batch):
            last = min(first + batch, full)
            blocks = channel[first * length : last * length].astype(np.float64).reshape(last - first, length)
            energy[first:last] += np.matmul(blocks[:, None, :], blocks[:, :, None])[:, 0, 0]
        if len(energy) > full:
            remainder = channel[full * length :].astype(np.float64)
            energy[full] += np.dot(remainder, remainder)
    energy /= len(waveform)
    lengths = np.full(len(energy), length)
    lengths[full:] = samples - full * length
    mean = energy / lengths
    active = mean >= _ACTIVE_RANGE * mean.max()
    return float(np.sqrt(energy[active].sum() / lengths[active].sum()))


def loudness(waveform: np.ndarray, sample_rate: int) -> float:
    """Gated integrated loudness in LUFS (ITU-R BS.1770-4); a mono full-scale 997 Hz sine reads -3.01.

    Args:
        waveform: float ``[C, T]``, channels in the order of wave files (L R C LFE surrounds; the LFE does not count).
        sample_rate: Hz; the K-weighting filters are derived for it from their analogue form.

    Returns:
        LUFS; ``-inf`` for silence and if every block is below the absolute gate of -70 LUFS. Audio shorter than one
        gating block of 400 ms is measured without gates.
    """
    waveform = np.atleast_2d(waveform)
    meter = Loudness(waveform.shape[0], sample_rate)
    meter.add(waveform)
    return meter.lufs()


class Loudness:
    """:func:`loudness` of a waveform that is given block by block; memory grows by 80 bytes a second."""

    def __init__(self, channels: int, sample_rate: int) -> None:
        self._weights = np.asarray(_WEIGHTS.get(channels, (1.0,) * channels))
        self._filter = _k_weighting(sample_rate)
        self._state = np.zeros((len(self._filter), channels, 2))
        self._step = round(_GATE_S / _STEPS * sample_rate)
        self._rest = np.zeros(0)  # power of samples that do not fill a step yet
        self._sums: list[np.ndarray] = []
        self._total, self._samples = 0.0, 0

    def add(self, waveform: np.ndarray) -> None:
        """Takes the next samples ``[C, n]``."""
        weighted, self._state = scipy.signal.sosfilt(self._filter, waveform.astype(np.float64), axis=-1, zi=self._state)
        power = self._weights @ np.square(weighted)
        self._total, self._samples = self._total + float(power.sum()), self._samples + power.size
        power = np.concatenate([self._rest, power])
        whole = power.size // self._step * self._step
        self._sums.append(power[:whole].reshape(-1, self._step).sum(axis=1))
        self._rest = power[whole:].copy()

    def lufs(self) -> float:
        """The loudness of the samples so far, as :func:`loudness`."""
        sums = np.concatenate(self._sums)
        if sums.size < _STEPS:
            return _lufs(self._total / self._samples)
        gated = np.convolve(sums, np.ones(_STEPS), mode="valid") / (_STEPS * self._step)
        gated = gated[gated > _power(_ABSOLUTE_GATE)]
        if not gated.size:
            return -np.inf
        return _lufs(float(gated[gated > gated.mean() * 10 ** (_RELATIVE_GATE / 10)].mean()))

    def range_lu(self) -> float | None:
        """Loudness range in LU (EBU Tech 3342): 10th to 95th percentile of short-term loudness, 3 s every 100 ms.

        Values below -70 LUFS and those 20 LU below the mean of the others do not count. None where none is left, and
        for less than 3 s.
        """
        sums = np.concatenate(self._sums)
        if sums.size < _SHORT_TERM:
            return None
        powers = np.convolve(sums, np.ones(_SHORT_TERM), mode="valid") / (_SHORT_TERM * self._step)
        powers = powers[powers > _power(_ABSOLUTE_GATE)]
        if not powers.size:
            return None
        powers = powers[powers >= powers.mean() * 10 ** (_RANGE_GATE / 10)]
        low, high = np.percentile(10 * np.log10(powers), _RANGE_PERCENT)
        return float(high - low)


def _k_weighting(sample_rate: int) -> np.ndarray:
    """Second-order sections of the K-weighting, from the analogue filters behind the 48 kHz table of BS.1770-4.

    The centre frequencies, gains and Qs are those of Brecht De Man, "Evaluation of Implementations of the EBU R128
    Loudness Measurement" (AES 145, 2018); at 48 kHz they give the table to six digits.
    """
    sections = []
    shelf_hz, gain_db, shelf_q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
    if shelf_hz < 0.45 * sample_rate:  # at lower rates the shelf lies above the band
        k = np.tan(np.pi * shelf_hz / sample_rate)
        high, band = 10 ** (gain_db / 20), 10 ** (gain_db / 20 * 0.4996667741545416)
        scale = 1 + k / shelf_q + k * k
        b = ((high + band * k / shelf_q + k * k), 2 * (k * k - high), (high - band * k / shelf_q + k * k))
        sections.append((*(c / scale for c in b), 1.0, 2 * (k * k - 1) / scale, (1 - k / shelf_q + k * k) / scale))
    pass_hz, pass_q = 38.13547087602444, 0.5003270373238773
    k = np.tan(np.pi * pass_hz / sample_rate)
    scale = 1 + k / pass_q + k * k
    sections.append((1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / scale, (1 - k / pass_q + k * k) / scale))
    return np.asarray(sections)


def _lufs(power: float) -> float:
    return _OFFSET + 10 * float(np.log10(power)) if power > 0 else -np.inf


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - _OFFSET) / 10))
