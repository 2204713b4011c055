"""What resampling blurs: flat tops, steps, digital silence and the top of the spectrum, at a recording's own rate.

The figures of :mod:`.resampled` and more of the kind, for a waveform of any rate. Frames last 16 ms at every rate, so
that the same stretch of time has the same number of them, whatever the rate. In addition to :mod:`.resampled`:

* the share of the energy at the top of the spectrum, which band limits and hiss move in opposite directions; above
  parts of the Nyquist frequency, because a probe fitted at 44.1 kHz on shares above fixed frequencies takes everything
  at 16 kHz for free of hiss;
* the residual of a linear predictor of order 14: what a frame's own spectrum does not explain, so that a click stands
  out of speech and tones (Vaseghi and Rayner, "Detection and suppression of impulsive noise in speech communication
  systems", IEE Proc. I 137(1), 1990; Godsill and Rayner, "Digital Audio Restoration", Springer 1998, chapter 5);
* of the whole clip: lines of mains hum, quantisation and runs of equal samples, see :mod:`.clip`.

All figures are taken of the waveform at unit RMS: a gain changes none of them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor, nn

from .clip import CLIP_FIGURES, clip_detail, share
from .figures import FRAME_S, DetailFigures, deviation

ORDER = 14  # of the linear predictor
WHITE = 1e-5  # noise that the predictor takes for granted, as a share of the frame's energy: -50 dB
HIGH = (0.2, 0.4, 0.55, 0.75, 0.9)  # of the Nyquist frequency: 4.4 to 19.8 kHz at 44.1 kHz
HIGH_FLOOR = 1e-8  # share of the energy that counts as none: -80 dB
FRAME_FIGURES = 7 + len(HIGH) + 4
FLOOR = 1e-6  # against the clip's RMS: -120 dB


class NativeDetail(nn.Module):
    """The figures as an encoder takes them: computed from its own input where it is given none."""

    features = FRAME_FIGURES
    size = CLIP_FIGURES + 5 * FRAME_FIGURES
    frames_per_s = 1 / FRAME_S

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate

    def figures(self, waveform: Tensor) -> DetailFigures[Tensor]:
        return native_detail(waveform, self.sample_rate)

    def pooled(self, figures: DetailFigures[Tensor]) -> Tensor:
        """``[B, size]``: the clip's figures, then mean, deviation, minimum, maximum, largest step over the frames."""
        frames, clip = figures.frames.float(), figures.clip.float()
        steps = frames.diff(dim=1).abs().amax(1)
        return torch.cat([clip, frames.mean(1), deviation(frames, 1), frames.amin(1), frames.amax(1), steps], dim=1)


def native_detail(waveform: Tensor, sample_rate: int) -> DetailFigures[Tensor]:
    """Figures of ``[B, T]`` at ``sample_rate`` Hz (1 kHz or more; meant for 8-192 kHz).

    They are of the order of 1 and finite for finite input, digital silence included. N is the number of whole frames,
    2 at least: what is shorter is completed with zeros.

    Per frame: the seven figures of :class:`.resampled.Detail`; log10 share of energy above each of HIGH, halved; of the
    predictor's residual the kurtosis, the crest factor, the peak against the clip's median residual, and the level
    against the frame's own (all log10).
    """
    if torch.compiler.is_exporting():  # a graph for any batch has no loop over it
        return _figures(waveform.float(), sample_rate)
    with torch.autocast(waveform.device.type, enabled=False):  # half precision is too coarse for a predictor
        rows = [_figures(row, sample_rate) for row in waveform.float().split(1)]  # each fits into the cache
    return DetailFigures(torch.cat([row.frames for row in rows]), torch.cat([row.clip for row in rows]))


def numpy_detail(waveforms: np.ndarray, sample_rate: int) -> DetailFigures[np.ndarray]:
    """The same of float32 ``[B, T]``, B >= 1, as float32 arrays."""
    with torch.inference_mode():
        return DetailFigures(*(part.numpy() for part in native_detail(torch.from_numpy(waveforms), sample_rate)))


def _figures(waveform: Tensor, sample_rate: int) -> DetailFigures[Tensor]:
    hop = FRAME_S * sample_rate
    length = int(hop)
    samples = max(waveform.shape[1], round(2 * hop) + 1)
    count = int((samples + 0.5) / hop + 1e-9)
    x = nn.functional.pad(unit_rms(waveform), (0, samples - waveform.shape[1]))
    before = 2 * x[:, :1] - x[:, 1 : ORDER + 1].flip(1)  # a continuation backwards: the beginning is no click
    history = torch.cat([before, x], dim=1)
    frames = _cut(history, count, hop, length + ORDER)
    seen = [_shape(frames[..., ORDER:], x), _bends(frames[..., ORDER - 2 :]), _spectrum(frames)]
    return DetailFigures(torch.cat(seen, dim=2), clip_detail(x[:, : waveform.shape[1]], sample_rate))


def unit_rms(waveform: Tensor) -> Tensor:
    """``[B, T]`` scaled to an RMS of 1; silence stays silent. By the peak first: no square can overflow."""
    scaled = waveform / waveform.abs().amax(1, keepdim=True).clamp(min=1e-30)
    return scaled / scaled.square().mean(1, keepdim=True).clamp(min=1e-12).sqrt()


def _cut(x: Tensor, count: int, hop: float, length: int) -> Tensor:
    """Frames ``[B, count, length]``; frame n begins at sample ``int(n * hop)``."""
    if hop.is_integer():
        return x.unfold(1, length, int(hop))[:, :count]
    starts = torch.tensor([int(n * hop) for n in range(count)], device=x.device)
    return x[:, starts[:, None] + torch.arange(length, device=x.device)]


def _shape(frames: Tensor, x: Tensor) -> Tensor:
    """Level, crest factor, and shares near the frame's peak, the clip's peak and digital silence: ``[B, N, 5]``."""
    size = frames.abs()
    peak, level, top = size.amax(2), _rms(frames), x.abs().amax(1)[:, None, None]
    return torch.stack(
        [
            torch.log10(level + 1e-4),
            torch.log10(peak.clamp(min=FLOOR) / level),
            share(size >= 0.95 * peak[..., None]),
            share(size >= 0.99 * top),
            (size <= 1e-4).sum(2) / size.shape[2],
        ],
        dim=2,
    )


def _bends(frames: Tensor) -> Tensor:
    """Crest factor of the second difference, and its peak against the clip's median: ``[B, N, 2]``."""
    bends = frames[..., 2:] - 2 * frames[..., 1:-1] + frames[..., :-2]
    peak, level = bends.abs().amax(2), _rms(bends)
    return torch.stack([torch.log10(peak.clamp(min=FLOOR) / level), _above_median(peak, level)], dim=2)


def _spectrum(frames: Tensor) -> Tensor:
    """Shares above HIGH and figures of the predictor's residual: ``[B, N, 9]`` of frames with ORDER more before."""
    own = frames[..., ORDER:]
    length = own.shape[-1]
    n_fft, *constants = _bank(length)
    window, bank = (torch.from_numpy(constant).to(own.device) for constant in constants)
    spectrum = torch.view_as_real(torch.fft.rfft(own * window, n_fft))
    power = spectrum[..., 0].square() + spectrum[..., 1].square()
    sums = power.double() @ bank  # a predictor of strong resonances is lost in single precision
    lags, high = sums[..., : ORDER + 1], sums[..., ORDER + 1 :]
    shares = torch.log10((high / lags[..., :1].clamp(min=FLOOR**2 * length)).to(own).clamp(min=HIGH_FLOOR)) / 2
    predictor = _levinson(lags, FLOOR**2 * length).to(own)
    residual = own
    for k in range(1, ORDER + 1):
        residual = residual + predictor[..., k : k + 1] * frames[..., ORDER - k : ORDER - k + length]
    squared = residual.square()
    second, fourth = squared.mean(2), squared.square().mean(2)
    peak, level = (part.clamp(min=FLOOR**2).sqrt() for part in (squared.amax(2), second))
    kurtosis = (fourth / level.square().square()).clamp(min=1.0)
    told = [
        torch.log10(kurtosis),
        torch.log10(peak / level),
        _above_median(peak, level),
        torch.log10(level / _rms(own)).clamp(-3, 1),
    ]
    return torch.cat([shares, torch.stack(told, dim=2)], dim=2)


@lru_cache(maxsize=64)
def _bank(length: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Length of the FFT, window, and ``[bins, ORDER + 1 + bands]``: power spectrum -> autocorrelation and energies.

    NumPy, because a tensor belongs to the mode (inference, export) that it was made in, and this is kept.
    """
    n_fft = next_fast_len(length + ORDER, real=True)
    n_fft += n_fft % 2
    bins = np.arange(n_fft // 2 + 1)[:, None]
    lags = np.cos(2 * np.pi / n_fft * bins * np.arange(ORDER + 1))
    above = 2 * bins / n_fft >= np.array(HIGH)
    twice = np.where((bins == 0) | (bins == n_fft // 2), 1, 2)
    bank = np.concatenate([lags, above], axis=1) * twice / n_fft
    return n_fft, np.hanning(length).astype(np.float32), bank


def _levinson(lags: Tensor, floor: float) -> Tensor:
    """Prediction error filter ``[..., P + 1]``, first tap 1, of an autocorrelation ``[..., P + 1]``.

    The Levinson-Durbin recursion (Durbin 1960), with white noise added so that it is stable for any input.
    """
    left = (lags[..., :1] * (1 + WHITE)).clamp(min=floor)
    taps = torch.ones_like(left)
    for order in range(1, lags.shape[-1]):
        reflection = -(taps * lags[..., 1 : order + 1].flip(-1)).sum(-1, keepdim=True) / left
        reflection = reflection.clamp(-0.99999, 0.99999)
        longer = nn.functional.pad(taps, (0, 1))
        taps = longer + reflection * longer.flip(-1)
        left = left * (1 - reflection.square())
    return taps


def _rms(frames: Tensor) -> Tensor:
    """RMS over the last axis, not below FLOOR, so that its gradient is finite.

    Here as elsewhere floors are not added: exporters drop what they take for the addition of zero.
    """
    return frames.square().mean(-1).clamp(min=FLOOR**2).sqrt()


def _above_median(peak: Tensor, level: Tensor) -> Tensor:
    """log10 of peaks ``[B, N]`` against the median of the levels ``[B, N]``."""
    middle = (level.shape[1] - 1) // 2  # sorting instead of median(), which ONNX does not have
    return torch.log10(peak / level.sort(dim=1).values[:, middle : middle + 1] + 1e-3).clamp(max=4)
