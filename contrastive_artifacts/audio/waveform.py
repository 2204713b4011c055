"""Waveforms: numpy float32 ``[C, T]``, full scale 1.0; conversion, resampling, writing."""

from __future__ import annotations

import math
import operator
import sys
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import soundfile
import soxr

from ..core import files
from ..core.errors import AudioError, ParameterError
from .info import MAX_CHANNELS
from .info import RATES as RATES
from .level import peak

RESAMPLER = f"soxr-HQ/{soxr.__version__}"  # goes into fingerprints: another resampler gives other embeddings
LOUDEST = 1e12  # largest sample value; sums of squares of larger ones leave the range of float32
_DEFAULT_SUBTYPE = {".wav": "FLOAT", ".flac": "PCM_24"}


def as_waveform(samples: Any, sample_rate: int, what: str = "waveform") -> np.ndarray:
    """Converts samples of a caller to a waveform of this package.

    Args:
        samples: numpy array, torch tensor or sequence, ``[T]`` or ``[C, T]``. Integers are scaled by their full scale
            (int16 by 32768; unsigned ones are centred first).
        sample_rate: Hz, 1000 to 768000.
        what: Name of the samples in messages.

    Returns:
        float32 ``[C, T]``; shares memory with ``samples`` when that is float32 already.

    Raises:
        AudioError: NaN or infinite values or such beyond 1e12 (with their count and the first position), no samples,
            more than 8 channels, another number of dimensions, a number type without a full scale, or a sample rate out
            of range.
        ParameterError: a sample rate that is not a whole number.
    """
    if not _is_whole(sample_rate):
        raise ParameterError(f"The sample rate of the {what} is {sample_rate!r}; give it in Hz, as a whole number.")
    if not RATES[0] <= sample_rate <= RATES[1]:
        raise AudioError(f"The sample rate of the {what} is {sample_rate} Hz; it must lie in {RATES[0]}..{RATES[1]}.")
    waveform = _float32(_numpy(samples), what)
    if waveform.ndim not in (1, 2):
        raise AudioError(f"The {what} has shape {waveform.shape}; give [T] or [C, T].")
    waveform = np.atleast_2d(waveform)
    if not waveform.size:
        raise AudioError(f"The {what} has shape {waveform.shape}: there are no samples in it.")
    if waveform.shape[0] > MAX_CHANNELS:
        hint = "It looks transposed: " if waveform.shape[1] <= MAX_CHANNELS else ""
        raise AudioError(
            f"The {what} has {waveform.shape[0]} channels of {waveform.shape[1]} samples. {hint}give [C, T] with at "
            f"most {MAX_CHANNELS} channels."
        )
    if fault := unusable(waveform):
        raise AudioError(f"The {what} has {fault}; replace them first.")
    return waveform


def unusable(waveform: np.ndarray, position: int = 0) -> str | None:
    """Says how many values are NaN, infinite or beyond :data:`LOUDEST`, and where; None if there are none.

    Args:
        waveform: float32 ``[C, T]``.
        position: Index of its first sample, for the message.
    """
    # The sum of squares, in one pass, exceeds each square; it is NaN with NaN.
    if waveform.flags.c_contiguous:
        flat = waveform.reshape(-1)
        with np.errstate(over="ignore", invalid="ignore"):
            if np.dot(flat, flat) < LOUDEST:
                return None
    if waveform.min() >= -LOUDEST and waveform.max() <= LOUDEST:  # false with NaN
        return None
    usable = np.isfinite(waveform)
    kind = "NaN or infinite values"
    if usable.all():
        usable, kind = np.abs(waveform) <= LOUDEST, f"values beyond {LOUDEST:g} (full scale is 1.0)"
    first = position + int(np.argmin(usable.all(axis=0)))
    return f"{usable.size - int(usable.sum())} {kind}, the first at sample {first}"


def resample(waveform: np.ndarray, rate_in: int, rate_out: int) -> np.ndarray:
    """Band-limited resampling (soxr, high quality), without delay.

    Args:
        waveform: float ``[..., T]``, T >= 1.
        rate_in: Hz.
        rate_out: Hz.

    Returns:
        float32 ``[..., ceil(T * rate_out / rate_in)]``, always a new array.
    """
    for rate in (rate_in, rate_out):
        if not RATES[0] <= rate <= RATES[1]:
            raise ParameterError(f"A rate of {rate} Hz cannot be resampled; it must lie in {RATES[0]}..{RATES[1]}.")
    waveform = np.asarray(waveform, dtype=np.float32)
    length = waveform.shape[-1]
    if not length:
        raise AudioError(f"There is nothing to resample in shape {waveform.shape}.")
    if rate_in == rate_out:
        return waveform.copy()
    length_out = -(-length * rate_out // rate_in)
    # soxr rounds the length; zeros appended to the input make the output long enough for every rounding.
    tail = 2 + -(-rate_in // rate_out)
    flat = np.concatenate([waveform.reshape(-1, length), np.zeros((waveform[..., 0].size, tail), np.float32)], axis=1)
    out = np.stack([soxr.resample(channel, rate_in, rate_out, quality="HQ")[:length_out] for channel in flat])
    return out.reshape(*waveform.shape[:-1], length_out)


def write(path: str | Path, waveform: np.ndarray, sample_rate: int, subtype: str | None = None) -> None:
    """Writes a wave or FLAC file, complete or not at all; the same samples give the same bytes.

    Args:
        path: Ends in ``.wav`` or ``.flac``.
        waveform: ``[T]`` or ``[C, T]``, see :func:`as_waveform`.
        sample_rate: Hz.
        subtype: A libsndfile name ("PCM_16"); default is 32-bit float for wave, 24-bit for FLAC.

    Raises:
        AudioError: another suffix, a subtype that the format does not have, or a peak above full scale in an integer
            format (samples are never clipped).
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _DEFAULT_SUBTYPE:
        raise AudioError(f"{path} cannot be written; choose a name that ends in .wav or .flac.")
    subtype = subtype or _DEFAULT_SUBTYPE[suffix]
    kind = suffix[1:].upper()
    if not soundfile.check_format(kind, subtype):
        known = ", ".join(soundfile.available_subtypes(kind))
        raise AudioError(f"{path}: {kind} has no subtype {subtype!r}; it has {known}.")
    waveform = as_waveform(waveform, sample_rate, f"waveform for {path}")
    loudest = peak(waveform)
    if loudest > 1.0 and subtype not in ("FLOAT", "DOUBLE"):
        raise AudioError(
            f"{path}: the peak is {loudest:.3f} and {subtype} ends at 1.0; lower the gain by "
            f"{20 * np.log10(loudest):.2f} dB or more, or write a .wav with subtype FLOAT."
        )
    with files.atomic_path(path) as temporary:
        if (kind, subtype) == ("WAV", "FLOAT"):  # libsndfile would put the time of day into the header
            scipy.io.wavfile.write(temporary, int(sample_rate), waveform.T)
            return
        try:
            soundfile.write(temporary, waveform.T, sample_rate, subtype=subtype, format=kind)
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{path} cannot be written at {sample_rate} Hz as {kind} {subtype}: {error}") from error


def _is_whole(number: Any) -> bool:
    if isinstance(number, float | np.floating):
        return not math.isfinite(number) or float(number).is_integer()
    try:
        operator.index(number)
    except TypeError:
        return False
    return not isinstance(number, bool)


def _numpy(samples: Any) -> np.ndarray:
    torch = sys.modules.get("torch")  # samples can only be a tensor if torch is loaded already; not imported here
    if torch is not None and isinstance(samples, torch.Tensor):
        samples = samples.detach().cpu()
        samples = samples.float() if samples.is_floating_point() else samples
        return np.asarray(samples.numpy())
    return np.asarray(samples)


def _float32(samples: np.ndarray, what: str) -> np.ndarray:
    kind, width = samples.dtype.kind, samples.dtype.itemsize
    if kind == "f":
        with np.errstate(over="ignore"):  # beyond float32: becomes infinite, which the caller reports
            return samples.astype(np.float32, copy=False)
    if kind not in "iu" or width > 4:
        raise AudioError(
            f"The {what} is of type {samples.dtype}, which has no agreed full scale; give float (full scale 1.0), "
            "int16 or int32."
        )
    full_scale = 2.0 ** (8 * width - 1)
    return ((samples.astype(np.float64) - (full_scale if kind == "u" else 0.0)) / full_scale).astype(np.float32)
