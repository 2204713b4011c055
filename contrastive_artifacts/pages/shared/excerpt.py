"""The beginning of a sound as a page stores it: spectrogram and sound, all at one level."""

from __future__ import annotations

import base64

import numpy as np

from ... import audio
from ...audio.preview import encode_preview
from .thumbnail import thumbnail

_LEVEL = 0.1  # active RMS of every sound on the page: about -20 dBFS
_SECONDS = 10.0  # that are stored


def excerpt(waveform: np.ndarray, sample_rate: int) -> dict[str, str]:
    """The first ten seconds of a waveform [C, T] for ``shared/cells.js``.

    Returns:
        ``picture`` (see :func:`.thumbnail.thumbnail`) and ``sound`` in base64, and the ``mime`` type of the sound.
    """
    start = waveform[:, : max(1, round(_SECONDS * sample_rate))]
    start = start * np.float32(_LEVEL / max(audio.active_rms(start, sample_rate), 1e-5))
    sound, mime = encode_preview(start, sample_rate, seconds=_SECONDS)
    return {
        "picture": base64.b64encode(thumbnail(start.mean(axis=0), sample_rate)).decode(),
        "mime": mime,
        "sound": base64.b64encode(sound).decode(),
    }
