"""Figures of a whole window at its native rate: flat tops, equal samples, quantisation and mains hum."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

EDGES = (0.99, 0.97, 0.94, 0.9, 0.8, 0.65, 0.5)  # shares of the largest sample of one sign
MAINS_HZ = (50.0, 60.0)
LINES, LOW_LINES = 20, 5  # harmonics that are measured; the lowest of them, which most hum has
DEVIATIONS = np.linspace(-0.01, 0.01, 21)  # relative, of mains frequency and of the speed of a tape or record
COMB_S, COMB_LEAST_S = 1.0, 0.2  # length of a frame; windows shorter than the second value have figures of 0
COMB_RATE, COMB_FFT = 4000, 16384  # lowest rate in Hz after decimation; length of the zero-padded FFT
CONTRAST_DB = (-10.0, 40.0)  # range that the contrast of a line is limited to
QUANTISED, LEVELS = 4096, 2047  # samples that are counted; levels per sign that are distinguished
RUNS = 12  # runs of equal samples are measured up to 2 ** RUNS samples
SILENT = 1e-4  # amplitude of silence, as a share of the RMS of the window
EQUAL = 1e-3  # samples that differ by less than this share of the RMS first difference count as equal
CLIP_FIGURES = 2 * len(EDGES) + 5 * len(MAINS_HZ) + 1 + 3


def clip_detail(x: Tensor, sample_rate: int) -> Tensor:
    """``[B, T]`` with unit RMS (or silent) -> ``[B, CLIP_FIGURES]``.

    In order: the share of samples beyond each of EDGES, positive and then negative. For 50 and 60 Hz, the contrast of
    the hum lines (1 = 10 dB; mean over time and minimum, of the LOW_LINES and of all LINES) and the deviation of their
    frequency (in %). Quantisation: log2 of the number of levels (1 = 10 bits; not more than about 10 bits are
    distinguished, as every quiet 16-bit recording has few levels). The longest run of silence, the longest other run of
    equal samples, and the share of samples in such runs of 4 or more.
    """
    return torch.cat([_edges(x), _edges(-x), *_comb(x, sample_rate), _levels(x), _runs(x)], dim=1)


def _edges(x: Tensor) -> Tensor:
    """``[B, len(EDGES)]``: share of samples beyond each edge, on the scale of :func:`share`."""
    top = x.amax(1, keepdim=True).clamp(min=1e-6)
    return torch.stack([share(x.clone().gt_(edge * top)) for edge in EDGES], dim=1)


def share(hits: Tensor) -> Tensor:
    """Share of ones over the last axis on a logarithmic scale: -1 for one in 10^4 or fewer, 1 for all.

    ``hits`` holds ones and zeros. Comparisons in place give them as floating-point numbers, in a third of the time that
    PyTorch takes for booleans.
    """
    return 1 + torch.log10((hits.sum(-1) / hits.shape[-1]).clamp(min=1e-4)) / 2


def _comb(x: Tensor, sample_rate: int) -> list[Tensor]:
    """The five figures ``[B, 5]`` of the hum lines for each mains frequency, see :func:`clip_detail`."""
    if x.shape[1] < COMB_LEAST_S * sample_rate:
        return [x.new_zeros(len(x), 5) for _ in MAINS_HZ]
    step, kernel = _decimator(sample_rate)
    low = x if step == 1 else nn.functional.conv1d(x[:, None], torch.from_numpy(kernel).to(x.device), stride=step)[:, 0]
    rate = sample_rate / step
    size = min(round(COMB_S * rate), low.shape[1], COMB_FFT)
    frames = low.unfold(1, size, max(1, size // 2))
    window = torch.hann_window(size, device=x.device)
    spectrum = torch.view_as_real(torch.fft.rfft(frames * (window / window.sum()), COMB_FFT))
    power = spectrum[..., 0].square() + spectrum[..., 1].square()
    level = 10 * torch.log10(power.clamp(min=1e-10))  # [B, frames, bins]
    return [_lines(level, rate / COMB_FFT, hz) for hz in MAINS_HZ]


def _lines(level: Tensor, bin_hz: float, mains_hz: float) -> Tensor:
    """Spectra ``[B, frames, bins]`` in dB -> ``[B, 5]``: contrast of the lines to the median between them."""
    lines, gaps = (torch.from_numpy(bins).to(level.device) for bins in _places(bin_hz, mains_hz))
    between = level[..., gaps].sort(dim=-1).values[..., gaps.shape[1] // 2]
    floor = (between[..., 1:] + between[..., :-1]) / 2  # [B, frames, lines]
    contrast = (level[..., lines] - floor[..., None, :]).clamp(*CONTRAST_DB) / 10
    total = contrast.mean((1, 3))  # [B, deviations]
    best = total.argmax(1)
    chosen = best[:, None, None, None].expand(-1, contrast.shape[1], 1, contrast.shape[3])
    at_best = contrast.gather(2, chosen)[:, :, 0]  # [B, frames, lines]
    low, every = at_best[..., :LOW_LINES].mean(2), at_best.mean(2)
    deviation = torch.from_numpy(100 * DEVIATIONS).to(level)[best]
    return torch.stack([low.mean(1), low.amin(1), every.mean(1), every.amin(1), deviation], dim=1)


@lru_cache(maxsize=64)
def _decimator(sample_rate: int) -> tuple[int, np.ndarray]:
    """Decimation factor, and kernel ``[1, 1, taps]`` of the low-pass before it, which is flat to about 1.2 kHz."""
    step = max(1, sample_rate // COMB_RATE)
    t = np.arange(-4 * step, 4 * step + 1)
    kernel = np.sinc(t / step) * np.cos(np.pi * t / (8 * step + 2)) ** 2
    return step, (kernel / kernel.sum()).astype(np.float32)[None, None]


@lru_cache(maxsize=128)
def _places(bin_hz: float, mains_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Bins of the lines for each deviation ``[deviations, lines]``, and of the gaps between ``[lines + 1, 16]``."""
    count = min(LINES, int(0.49 * bin_hz * COMB_FFT / mains_hz) - 1)
    lines = (1 + DEVIATIONS)[:, None] * np.arange(1, count + 1) * mains_hz
    gaps = (np.arange(count + 1)[:, None] + np.linspace(0.35, 0.65, 16)) * mains_hz
    return np.rint(lines / bin_hz).astype(np.int64), np.rint(gaps / bin_hz).astype(np.int64)


def _levels(x: Tensor) -> Tensor:
    """``[B, 1]``: log2 of the number of different amplitudes among samples of the loudest quarter of the window."""
    block = max(1, x.shape[1] // 64)
    blocks = x[:, : x.shape[1] // block * block].unflatten(1, (-1, block))
    loudest = blocks.square().mean(2).topk(max(1, blocks.shape[1] // 4), dim=1).indices
    picked = blocks.gather(1, loudest[..., None].expand(-1, -1, block)).flatten(1)
    picked = picked[:, :: max(1, picked.shape[1] // QUANTISED)][:, :QUANTISED]
    whole = (picked / picked.abs().amax(1, keepdim=True).clamp(min=1e-6) * LEVELS).round().sort(dim=1).values
    return torch.log2(1 + (whole.diff(dim=1) > 0).float().sum(1, keepdim=True)) / 10


def _runs(x: Tensor) -> Tensor:
    """``[B, 3]``: log2 of the longest silent run and of the longest other run of equal samples, and their share."""
    if x.shape[1] < 4:
        return x.new_zeros(len(x), 3)
    steps = x[:, 1:] - x[:, :-1]
    limit = EQUAL * steps.square().mean(1, keepdim=True).clamp(min=1e-20).sqrt()
    still, quiet = steps.abs().le_(limit).to(torch.uint8), x.abs().le_(SILENT).to(torch.uint8)
    silent = quiet[:, 1:] & quiet[:, :-1]
    flat = still & (1 - silent)
    threes = flat[:, :-2] & flat[:, 1:-1] & flat[:, 2:]
    return torch.stack([_longest(silent), _longest(flat), share(threes)], dim=1)


def _longest(hits: Tensor) -> Tensor:
    """log2 of the longest run of ones, rounded down, divided by RUNS; 0 without a run: uint8 [B, T] -> [B]."""
    reached: list[Tensor] = []  # whether there is a run of 2, 4, 8 ... ones
    length = 1
    while length < hits.shape[1] and len(reached) < RUNS:
        hits = hits[:, :-length] & hits[:, length:]
        length *= 2
        reached.append(hits.amax(1))
    return torch.stack(reached).sum(0).float() / RUNS
