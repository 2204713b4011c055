"""What log-mel front-ends share: triangular filters on the mel scale 1127 ln(1 + f / 700), and work in small pieces."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ...core import torchaudio as _torchaudio

FRAMES = 512  # at once: their spectra stay in the processor's cache, which is about four times as fast as a whole batch


def mel_filterbank(bands: int, n_fft: int, sample_rate: int, low_hz: float, high_hz: float) -> Tensor:
    """Filters ``[n_fft // 2 + 1, bands]``, float32, peak near 1.

    ``tf.signal.linear_to_mel_weight_matrix`` gives the same numbers; librosa's and torchaudio's own banks do not, their
    triangles are linear in Hz.
    """
    kaldi = _torchaudio.load("torchaudio.compliance.kaldi")
    filters, _ = kaldi.get_mel_banks(bands, n_fft, float(sample_rate), low_hz, high_hz, 100.0, -500.0, 1.0)
    # Kaldi leaves the Nyquist bin out, because no filter may reach it.
    return nn.functional.pad(filters, (0, 1)).T.contiguous()


def over_frames(function: Callable[[Tensor], Tensor], waveform: Tensor, window: int, hop: int) -> Tensor:
    """``function([frames, window]) -> [frames, bands]`` over the frames of ``[B, T]``, stacked to ``[B, F, bands]``.

    Stays in the waveform's precision under autocast: the logarithm of a bfloat16 spectrum would be too coarse.
    """
    if torch.compiler.is_exporting():  # a graph for any batch has no loop over it
        return function(waveform.unfold(-1, window, hop))
    rows = (waveform[row].unfold(-1, window, hop).split(FRAMES) for row in range(len(waveform)))
    with torch.autocast(waveform.device.type, enabled=False):
        return torch.stack([torch.cat([function(part) for part in parts]) for parts in rows])
