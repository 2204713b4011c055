"""Common parts of the front-ends: triangular filters on the mel scale 1127 ln(1 + f / 700), and framing in pieces."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ...core import torchaudio as _torchaudio

FRAMES = 512  # frames per piece: their spectra fit into the cache, which is four times as fast as a whole batch


def mel_filterbank(bands: int, n_fft: int, sample_rate: int, low_hz: float, high_hz: float) -> Tensor:
    """Filters ``[n_fft // 2 + 1, bands]``, float32, peak near 1.

    The same values as ``tf.signal.linear_to_mel_weight_matrix``. The filters of librosa and torchaudio differ: their
    triangles are linear in Hz.
    """
    kaldi = _torchaudio.load("torchaudio.compliance.kaldi")
    filters, _ = kaldi.get_mel_banks(bands, n_fft, float(sample_rate), low_hz, high_hz, 100.0, -500.0, 1.0)
    # Kaldi omits the Nyquist bin, which no filter reaches.
    return nn.functional.pad(filters, (0, 1)).T.contiguous()


def reflected(waveform: Tensor, side: int) -> Tensor:
    """``[B, T]`` -> ``[B, T + 2 side]``: both ends extended by reflection, to centre the frames."""
    return nn.functional.pad(waveform.unsqueeze(1), (side, side), mode="reflect").squeeze(1)


def over_frames(function: Callable[[Tensor], Tensor], waveform: Tensor, window: int, hop: int) -> Tensor:
    """``function([frames, window]) -> [frames, bands]`` over the frames of ``[B, T]``, stacked to ``[B, F, bands]``.

    Autocast is off: bfloat16 is not precise enough for the logarithm of a spectrum.
    """
    if torch.compiler.is_exporting():  # a graph for any batch size cannot loop over the batch
        return function(waveform.unfold(-1, window, hop))
    rows = (waveform[row].unfold(-1, window, hop).split(FRAMES) for row in range(len(waveform)))
    with torch.autocast(waveform.device.type, enabled=False):
        return torch.stack([torch.cat([function(part) for part in parts]) for parts in rows])
