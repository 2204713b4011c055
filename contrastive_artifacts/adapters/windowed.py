"""A vector every few milliseconds: the encoder's own windows, centred on the moments that a benchmark asks for."""

from __future__ import annotations

import torch
from torch import Tensor

from ..embedding import PretrainedEncoder

BATCH = 64  # windows at a time


def centred(encoder: PretrainedEncoder, waveforms: Tensor, sample_rate: int, hop_s: float) -> Tensor:
    """h ``[B, N, D]`` of ``[B, T]`` at any rate: window n is centred at ``n * hop_s``; N whole hops fit into T.

    Each window is embedded as :meth:`.PretrainedEncoder.embed_windows` does it: an encoder with a context module, or
    with figures at the recording's own rate, uses them here too. Windows that reach beyond the ends are filled by
    reflection, because zeros would sound like a dropout. Computed on the CPU, returned on the device of ``waveforms``.
    """
    samples = waveforms.shape[1]
    window = round(encoder.window_s * sample_rate)
    count = max(1, int(samples / (hop_s * sample_rate) + 1e-9))
    starts = torch.round(
        torch.arange(count, dtype=torch.float64) * (hop_s * sample_rate)
    ).long()  # rounded once: no drift
    padded = mirrored(waveforms.detach().cpu().float(), window // 2, window).numpy()
    places = [(row, start) for row in range(len(padded)) for start in starts.tolist()]
    vectors = []
    for first in range(0, len(places), BATCH):
        windows = [padded[row, start : start + window] for row, start in places[first : first + BATCH]]
        vectors.append(torch.from_numpy(encoder.embed_windows(windows, sample_rate)))
    return torch.cat(vectors).unflatten(0, (len(padded), count)).to(waveforms.device)


def mirrored(waveforms: Tensor, before: int, after: int) -> Tensor:
    """``[B, T]`` -> ``[B, before + T + after]``, reflected at both ends as often as it takes."""
    samples = waveforms.shape[1]
    period = max(1, 2 * (samples - 1))
    place = torch.arange(-before, samples + after) % period
    return waveforms[:, torch.minimum(place, period - place)]
