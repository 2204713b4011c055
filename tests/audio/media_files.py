"""A tone with a click in every format that is read."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import soundfile

RATE = 48_000
CLICK = 30_007
FORMATS = {  # file -> (codec for PyAV or None for libsndfile, has a picture, lossless)
    "a.wav": (None, False, True),
    "a.flac": (None, False, True),
    "a.ogg": (None, False, False),
    "a.mp3": (None, False, False),
    "a.opus": ("libopus", False, False),
    "a.m4a": ("aac", False, False),
    "a.mp4": ("aac", True, False),
    "a.mkv": ("flac", True, True),
    "opus.mkv": ("libopus", True, False),
    "a.mov": ("pcm_s24le", True, True),
    "a.avi": ("pcm_s16le", True, True),
    "a.mpg": ("mp2", True, False),
    "a.mpeg": ("ac3", True, False),
    "a.ts": ("aac", True, False),
}


def tone(seconds: float = 1.5, rate: int = RATE, channels: int = 2) -> np.ndarray:
    """1 kHz at 0.4, half as loud in each further channel, with a click of one sample."""
    t = np.arange(round(seconds * rate)) / rate
    waveform = np.stack([0.4 / 2**c * np.sin(2 * np.pi * 1000 * t) for c in range(channels)]).astype(np.float32)
    if waveform.shape[1] > CLICK:
        waveform[:, CLICK] = 0.9
    return waveform


def encode(path: Path, waveform: np.ndarray, codec: str | None, picture: bool = False, rate: int = RATE) -> Path:
    if codec is None:
        soundfile.write(path, waveform.T, rate)
        return path
    layout = {1: "mono", 2: "stereo"}[len(waveform)]
    frame = av.AudioFrame.from_ndarray(waveform, format="fltp", layout=layout)
    frame.sample_rate, frame.pts = rate, 0
    with av.open(str(path), "w") as container:
        if picture:
            video = container.add_stream(
                "mpeg2video" if path.suffix in (".mpg", ".mpeg", ".ts", ".mxf") else "mpeg4", rate=25
            )
            video.width = video.height = 64
            video.pix_fmt = "yuv420p"
        stream = container.add_stream(codec, rate=rate, layout=layout)
        if codec.startswith("wma"):
            stream.bit_rate = 128_000  # has no default
        if picture:
            for index in range(waveform.shape[1] * 25 // rate):
                image = av.VideoFrame.from_ndarray(np.full((64, 64, 3), index, np.uint8), format="rgb24")
                image.pts = index
                container.mux(video.encode(image))
            container.mux(video.encode(None))
        size = stream.codec_context.frame_size or 1024
        shaped = av.AudioResampler(stream.codec_context.format.name, layout, rate, frame_size=size)
        for part in [*shaped.resample(frame), *shaped.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path
