"""Recordings of a tone from 4 to 6 s, as a sound file and as a film, and their timelines."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from contrastive_artifacts import audio
from contrastive_artifacts.scan.overview import OverviewMeter
from contrastive_artifacts.scan.timeline import Segment, Timeline

RATE = 48000
SECONDS = 12
FRAMES_PER_S = 10
NAMES = ("hum", "hiss", "clicks")


def tone() -> np.ndarray:
    """float32 [2, T]: noise at the left and, twice as loud, at the right, with a loud tone at the left."""
    noise = np.random.default_rng(0).normal(0, 0.01, SECONDS * RATE).astype(np.float32)
    waveform = np.stack([noise, 2 * noise])
    waveform[0, 4 * RATE : 6 * RATE] += 0.5 * np.sin(2 * np.pi * 1000 * np.arange(2 * RATE) / RATE).astype(np.float32)
    return waveform


def sound_file(folder: Path) -> Path:
    audio.write(folder / "reel.wav", tone(), RATE)
    return folder / "reel.wav"


def film(folder: Path) -> Path:
    """A film whose frames become lighter with time."""
    path = folder / "film.webm"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libvpx", rate=FRAMES_PER_S)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        stream = container.add_stream("libopus", rate=RATE, layout="stereo")
        for number in range(SECONDS * FRAMES_PER_S):
            image = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 2 * number, np.uint8), format="rgb24")
            image.pts = number
            container.mux(video.encode(image))
        container.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(tone(), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = RATE, 0
        resampler = av.AudioResampler(stream.codec_context.format.name, "stereo", RATE, frame_size=960)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


def timeline_of(path: Path) -> Timeline:
    """Four findings, of which the second and the third lie in one place."""
    samples, rate = audio.read(path)
    meter = OverviewMeter(rate)
    meter.add(samples)
    at = [(1, 2, "clicks", 0), (4, 6, "hum", None), (4, 6, "hiss", None), (8, 9, "hum", 1)]
    segments = tuple(
        Segment(start * rate, stop * rate, label, 0.5, 0.9, channel=channel) for start, stop, label, channel in at
    )
    return Timeline(path, rate, samples.shape[1], segments, NAMES, overview=meter.overview())
