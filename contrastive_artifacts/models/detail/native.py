"""Detail figures, version 2: computed at the native rate of a recording, as resampling would blur the details.

They are those of :mod:`.resampled` and further ones, for any sample rate. A frame is 16 ms long at every rate, so the
number of frames depends on the duration only. In addition to :mod:`.resampled` there are:

* the share of the energy at the top of the spectrum, which a band limit lowers and hiss raises. It is measured above
  parts of the Nyquist frequency and not above fixed frequencies: with those, a probe fitted at 44.1 kHz would find no
  hiss in any recording at 16 kHz;
* the residual of a linear predictor of order 14, which is what the spectrum of a frame does not explain, so that clicks
  are visible in speech and tones (Vaseghi and Rayner, "Detection and suppression of impulsive noise in speech
  communication systems", IEE Proc. I 137(1), 1990; Godsill and Rayner, "Digital Audio Restoration", Springer 1998,
  chapter 5);
* for the whole window: mains hum, quantisation and runs of equal samples, see :mod:`.clip`.

The waveform is scaled to unit RMS first, so a gain does not change the figures.
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
WHITE = 1e-5  # white noise that is added for the predictor, as a share of the energy of the frame: -50 dB
HIGH = (0.2, 0.4, 0.55, 0.75, 0.9)  # shares of the Nyquist frequency: 4.4 to 19.8 kHz at 44.1 kHz
HIGH_FLOOR = 1e-8  # lowest share of the energy: -80 dB
FRAME_FIGURES = 7 + len(HIGH) + 4
FLOOR = 1e-6  # lowest level, relative to the RMS of the window: -120 dB


class NativeDetail(nn.Module):
    """The figures as a part of an encoder, which computes them from its own input where none are given."""

    features = FRAME_FIGURES
    size = CLIP_FIGURES + 5 * FRAME_FIGURES
    frames_per_s = 1 / FRAME_S

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate

    def figures(self, waveform: Tensor) -> DetailFigures[Tensor]:
        """Figures of windows ``[B, T]`` at the encoder's rate."""
        return native_detail(waveform, self.sample_rate)

    @staticmethod
    def pooled(figures: DetailFigures[Tensor]) -> Tensor:
        """``[B, size]``: figures of the window; mean, deviation, minimum, maximum and largest step of the frames."""
        frames, clip = figures.frames.float(), figures.clip.float()
        steps = frames.diff(dim=1).abs().amax(1)
        return torch.cat([clip, frames.mean(1), deviation(frames, 1), frames.amin(1), frames.amax(1), steps], dim=1)


def native_detail(waveform: Tensor, sample_rate: int) -> DetailFigures[Tensor]:
    """Figures of windows ``[B, T]`` at ``sample_rate`` Hz (1 kHz or more; designed for 8-192 kHz).

    Values are of the order of 1, and finite for all finite input, digital silence included. N is the number of whole
    frames, at least 2; shorter windows are padded with zeros.

    Per frame: the seven figures of :class:`.resampled.Detail`; half the log10 of the share of energy above each of
    HIGH; and, of the residual of the predictor, the log10 of its kurtosis, its crest factor, its peak relative to the
    median residual of the window, and its level relative to that of the frame.
    """
    if torch.compiler.is_exporting():  # a graph for any batch size cannot loop over the batch
        return _figures(waveform.float(), sample_rate)
    with torch.autocast(waveform.device.type, enabled=False):  # half precision is not enough for a predictor
        rows = [_figures(row, sample_rate) for row in waveform.float().split(1)]  # each fits into the cache
    return DetailFigures(torch.cat([row.frames for row in rows]), torch.cat([row.clip for row in rows]))


def numpy_detail(waveforms: np.ndarray, sample_rate: int) -> DetailFigures[np.ndarray]:
    """:func:`native_detail` for NumPy: float32 ``[B, T]``, B >= 1, to float32 arrays."""
    with torch.inference_mode():
        return DetailFigures(*(part.numpy() for part in native_detail(torch.from_numpy(waveforms), sample_rate)))


def _figures(waveform: Tensor, sample_rate: int) -> DetailFigures[Tensor]:
    hop = FRAME_S * sample_rate
    length = int(hop)
    samples = max(waveform.shape[1], round(2 * hop) + 1)
    count = int((samples + 0.5) / hop + 1e-9)
    x = nn.functional.pad(unit_rms(waveform), (0, samples - waveform.shape[1]))
    before = 2 * x[:, :1] - x[:, 1 : ORDER + 1].flip(1)  # extrapolated, so that the first sample is not a click
    history = torch.cat([before, x], dim=1)
    frames = _cut(history, count, hop, length + ORDER)
    figures = [_shape(frames[..., ORDER:], x), _second_difference(frames[..., ORDER - 2 :]), _spectrum(frames)]
    return DetailFigures(torch.cat(figures, dim=2), clip_detail(x[:, : waveform.shape[1]], sample_rate))


def unit_rms(waveform: Tensor) -> Tensor:
    """``[B, T]`` scaled to an RMS of 1; silence stays silent. Divides by the peak first, so squares cannot overflow."""
    scaled = waveform / waveform.abs().amax(1, keepdim=True).clamp(min=1e-30)
    return scaled / scaled.square().mean(1, keepdim=True).clamp(min=1e-12).sqrt()


def _cut(x: Tensor, count: int, hop: float, length: int) -> Tensor:
    """Frames ``[B, count, length]``; frame n begins at sample ``int(n * hop)``."""
    if hop.is_integer():
        return x.unfold(1, length, int(hop))[:, :count]
    starts = torch.tensor([int(n * hop) for n in range(count)], device=x.device)
    return x.unfold(1, length, 1)[:, starts]


def _shape(frames: Tensor, x: Tensor) -> Tensor:
    """Level, crest factor, and shares of samples near the peak of the frame, the peak of the window and zero."""
    size = frames.abs()
    peak, level, top = size.amax(2), _rms(frames), x.abs().amax(1)[:, None, None]
    return torch.stack(
        [
            torch.log10(level + 1e-4),
            torch.log10(peak.clamp(min=FLOOR) / level),
            share(size.clone().ge_(0.95 * peak[..., None])),
            share(size.clone().ge_(0.99 * top)),
            size.clone().le_(1e-4).mean(2),
        ],
        dim=2,
    )


def _second_difference(frames: Tensor) -> Tensor:
    """Crest factor of the second difference, and its peak relative to the median of the window: ``[B, N, 2]``."""
    second = frames[..., 2:] - 2 * frames[..., 1:-1] + frames[..., :-2]
    peak, level = second.abs().amax(2), _rms(second)
    return torch.stack([torch.log10(peak.clamp(min=FLOOR) / level), _above_median(peak, level)], dim=2)


def _spectrum(frames: Tensor) -> Tensor:
    """Shares of energy above HIGH and figures of the residual, of frames with ORDER more samples: ``[B, N, 9]``."""
    frame = frames[..., ORDER:]
    length = frame.shape[-1]
    n_fft, *constants = _bank(length)
    window, bank = (torch.from_numpy(constant).to(frame.device) for constant in constants)
    spectrum = torch.view_as_real(torch.fft.rfft(frame * window, n_fft))
    power = spectrum[..., 0].square() + spectrum[..., 1].square()
    sums = power.double() @ bank  # single precision is not enough for strong resonances
    lags, high = sums[..., : ORDER + 1], sums[..., ORDER + 1 :]
    shares = torch.log10((high / lags[..., :1].clamp(min=FLOOR**2 * length)).to(frame).clamp(min=HIGH_FLOOR)) / 2
    predictor = _levinson(lags, FLOOR**2 * length).to(frame)
    residual = frame.clone()
    for k in range(1, ORDER + 1):
        residual += predictor[..., k : k + 1] * frames[..., ORDER - k : ORDER - k + length]
    squared = residual.square()
    second, fourth = squared.mean(2), squared.square().mean(2)
    peak, level = (part.clamp(min=FLOOR**2).sqrt() for part in (squared.amax(2), second))
    kurtosis = (fourth / level.square().square()).clamp(min=1.0)
    of_residual = [
        torch.log10(kurtosis),
        torch.log10(peak / level),
        _above_median(peak, level),
        torch.log10(level / _rms(frame)).clamp(-3, 1),
    ]
    return torch.cat([shares, torch.stack(of_residual, dim=2)], dim=2)


@lru_cache(maxsize=64)
def _bank(length: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Length of the FFT, window function, and ``[bins, ORDER + 1 + bands]`` for autocorrelation and energies.

    NumPy arrays, as a cached tensor could be used only in the mode (inference, export) that it was created in.
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
    error = (lags[..., :1] * (1 + WHITE)).clamp(min=floor)
    taps = torch.ones_like(error)
    for order in range(1, lags.shape[-1]):
        reflection = -(taps * lags[..., 1 : order + 1].flip(-1)).sum(-1, keepdim=True) / error
        reflection = reflection.clamp(-0.99999, 0.99999)
        longer = nn.functional.pad(taps, (0, 1))
        taps = longer + reflection * longer.flip(-1)
        error = error * (1 - reflection.square())
    return taps


def _rms(frames: Tensor) -> Tensor:
    """RMS over the last axis, at least FLOOR, so that its gradient is finite.

    Clamped, here and elsewhere, in place of adding FLOOR: exporters remove the addition of very small numbers.
    """
    return frames.square().mean(-1).clamp(min=FLOOR**2).sqrt()


def _above_median(peak: Tensor, level: Tensor) -> Tensor:
    """log10 of peaks ``[B, N]`` relative to the median of the levels ``[B, N]``."""
    middle = (level.shape[1] - 1) // 2  # by sorting, as ONNX has no median()
    return torch.log10(peak / level.sort(dim=1).values[:, middle : middle + 1] + 1e-3).clamp(max=4)
