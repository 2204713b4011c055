"""Decoded frames of FFmpeg as float32 ``[C, n]`` at one sample rate and channel layout."""

from __future__ import annotations

import av
import numpy as np


class Uniform:
    """Converts frames to float32 ``[C, n]``, all at one sample rate and the channel layout of the first frame."""

    def __init__(self, sample_rate: int, layout: av.AudioLayout | None = None) -> None:
        self._rate = sample_rate
        self._layout = layout
        self._converter: av.AudioResampler | None = None
        self._kind: tuple[str, str, int] | None = None

    def __call__(self, frame: av.AudioFrame) -> list[np.ndarray]:
        if self._layout is None:
            self._layout = frame.layout
        if frame.sample_rate == self._rate and frame.layout.name == self._layout.name:
            return [to_float(frame)] if frame.samples else []
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._converter is None or kind != self._kind:
            self._converter = av.AudioResampler(format="fltp", layout=self._layout, rate=self._rate)
            self._kind = kind
        frame.pts = None  # with time stamps the converter would insert or remove samples
        return [to_float(part) for part in self._converter.resample(frame) if part.samples]


def to_float(frame: av.AudioFrame) -> np.ndarray:
    if frame.format.name in ("s64", "s64p"):  # no numpy conversion in PyAV
        frame = av.AudioResampler(format="dblp", layout=frame.layout, rate=frame.sample_rate).resample(frame)[0]
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, len(frame.layout.channels)).T
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):  # beyond float32: becomes infinite, which the caller reports with its position
            return samples.astype(np.float32)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128.0) / 128.0
    return samples.astype(np.float32) / np.float32(2.0 ** (8 * samples.dtype.itemsize - 1))
