"""Triangular mel filters that are linear on the mel scale 1127 ln(1 + f / 700), as Kaldi and TensorFlow make them."""

from __future__ import annotations

from torch import Tensor, nn

from .. import _torchaudio


def mel_filterbank(bands: int, n_fft: int, sample_rate: int, low_hz: float, high_hz: float) -> Tensor:
    """Filters ``[n_fft // 2 + 1, bands]``, float32, peak near 1.

    ``tf.signal.linear_to_mel_weight_matrix`` gives the same numbers; librosa's and torchaudio's own banks do not, their
    triangles are linear in Hz.
    """
    kaldi = _torchaudio.load("torchaudio.compliance.kaldi")
    filters, _ = kaldi.get_mel_banks(bands, n_fft, float(sample_rate), low_hz, high_hz, 100.0, -500.0, 1.0)
    # Kaldi leaves the Nyquist bin out, because no filter may reach it.
    return nn.functional.pad(filters, (0, 1)).T.contiguous()
