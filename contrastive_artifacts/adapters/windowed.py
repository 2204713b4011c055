"""One vector every few milliseconds: the encoder's own windows, centred on the moments that are asked for."""

from __future__ import annotations

import torch
from torch import Tensor

from ..models.encoder import Encoder

BATCH = 64  # windows at a time


def centred(encoder: Encoder, waveform: Tensor, hop_s: float) -> Tensor:
    """h ``[B, N, D]`` of ``[B, T]`` at the encoder's rate: window ``n`` is centred at ``n * hop_s``; N hops fit into T.

    What a window reaches beyond the ends is filled with the mirrored ends: zeros would be heard as a dropout.
    """
    rate, samples = encoder.sample_rate, waveform.shape[1]
    window = round(encoder.settings.window_s * rate)
    count = max(1, int(samples / (hop_s * rate) + 1e-9))
    starts = torch.round(torch.arange(count, dtype=torch.float64) * (hop_s * rate)).long()  # rounded once: no drift
    around = mirrored(waveform, window // 2, window)
    windows = torch.stack([around[:, start : start + window] for start in starts.tolist()], dim=1)
    vectors = [encoder(part).h for part in windows.flatten(0, 1).split(BATCH)]
    return torch.cat(vectors).unflatten(0, windows.shape[:2])


def mirrored(waveform: Tensor, before: int, after: int) -> Tensor:
    """``[B, T]`` -> ``[B, before + T + after]``, reflected at both ends as often as it takes."""
    samples = waveform.shape[1]
    period = max(1, 2 * (samples - 1))
    place = torch.arange(-before, samples + after) % period
    return waveform[:, torch.minimum(place, period - place)]
