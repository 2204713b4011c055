"""Short audio previews, small enough that one page can hold thousands of them."""

from __future__ import annotations

import io

import numpy as np
import soundfile

from ..core.errors import ParameterError
from .level import peak
from .mixing import mono
from .waveform import as_waveform, resample

# Sample rates of MPEG-1 and MPEG-2 layer III; a waveform of another rate is resampled to the next higher one.
_MP3_RATES = (16000, 22050, 24000, 32000, 44100, 48000)
_FADE_S = 0.005
_PEAK = 0.97


def encode_preview(waveform: np.ndarray, sample_rate: int, seconds: float = 4.0) -> tuple[bytes, str]:
    """Encodes the beginning of a waveform in a format that Chromium, Firefox and Safari play.

    The format is MP3 at variable bit rate (about 65 kbit/s for full-band mono, 35 for a tone), or 16-bit FLAC if
    libsndfile was built without MPEG support.

    Args:
        waveform: float32 ``[C, T]`` or ``[T]``. More than two channels are mixed to one. If the peak exceeds .97, the
            whole preview is scaled down: clipping would add an artifact that the clip does not have.
        sample_rate: In Hz.
        seconds: Longest preview; a longer clip is cut there, with a fade-out of 5 ms.

    Returns:
        The bytes and their MIME type.

    Raises:
        AudioError: the waveform holds NaN, is empty or has a shape that is not audio.
        ParameterError: ``seconds`` is not positive.
    """
    if not seconds > 0:
        raise ParameterError(f"A preview of {seconds} s holds no samples; give a positive length.")
    clip = as_waveform(waveform, sample_rate, what="preview")
    if clip.shape[0] > 2:
        clip = mono(clip)[None]
    length = max(1, round(seconds * sample_rate))
    if clip.shape[1] > length:
        fade = max(1, min(length, round(_FADE_S * sample_rate)))
        clip = clip[:, :length].copy()
        clip[:, -fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    rate = next((r for r in _MP3_RATES if r >= sample_rate), _MP3_RATES[-1])
    clip = resample(clip, sample_rate, rate)
    loudest = peak(clip)
    if loudest > _PEAK:
        clip = clip * np.float32(_PEAK / loudest)
    buffer = io.BytesIO()
    if "MPEG_LAYER_III" in _subtypes():
        quality = {"bitrate_mode": "VARIABLE", "compression_level": 0.4}
        soundfile.write(buffer, clip.T, rate, format="MP3", subtype="MPEG_LAYER_III", **quality)
        return buffer.getvalue(), "audio/mpeg"
    soundfile.write(buffer, clip.T, rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue(), "audio/flac"


def _subtypes() -> dict[str, str]:
    return soundfile.available_subtypes("MP3") if "MP3" in soundfile.available_formats() else {}
