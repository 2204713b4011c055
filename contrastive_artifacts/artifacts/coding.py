"""Coding: lossy codecs, by the real encoders, in process."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, cast

import av
import numpy as np
import soundfile
from scipy import signal

from .. import audio, seeding
from ..errors import ParameterError
from .base import Artifact, Params, geometric, whole
from .fields import Choice, Field, Number, Whole

_REFINE_S = 0.00025  # how far a decoder's delay may hang on the signal (Opus switches between two coders)


@dataclass(frozen=True)
class Coder:
    """How one codec is driven.

    Attributes:
        encoder, container, format: FFmpeg's names; an empty encoder stands for libsndfile's Vorbis.
        ladder: rows (kbps up to which, sample rate coded at), as encoders choose it for mono.
    """

    encoder: str
    container: str
    format: str
    ladder: tuple[tuple[float, int], ...]


_LADDER = ((12, 8000), (20, 12000), (28, 16000), (40, 24000), (52, 32000), (1e9, 44100))
CODERS: Mapping[str, Coder] = {
    "mp3": Coder("libmp3lame", "mp3", "fltp", _LADDER),
    "aac": Coder("aac", "mp4", "fltp", _LADDER),
    "opus": Coder("libopus", "ogg", "flt", ((1e9, 48000),)),
    # Vorbis is steered by quality; at the lowest one these rates gave about 20, 30, 48 and 54 kbps on noise.
    "vorbis": Coder("", "ogg", "flt", ((22, 8000), (34, 12000), (50, 32000), (1e9, 44100))),
}


@dataclass(frozen=True)
class Codec(Artifact):
    """Lossy coding at low rates: ``generations`` times through a real encoder and decoder, aligned to the sample.

    Every channel is coded by itself as mono. The sample rate falls with the bit rate as encoders do it. The delay of
    each codec is measured on noise, taken out, and then refined on the clip itself by cross-correlation. For Vorbis
    ``kbps`` is nominal, in four steps: it cannot code below some 20 kbps, and lower values are as that one.
    """

    name: ClassVar[str] = "codec"
    family: ClassVar[str] = "coding"
    synonyms: ClassVar[tuple[str, ...]] = ("lossy coding", "compression artifacts", "mp3", "low bit rate")
    scale: ClassVar[str] = "bit rate per channel, 64 .. 8 kbps, 1-3 generations"
    fields: ClassVar[Mapping[str, Field]] = {
        "codec": Choice(tuple(CODERS)),
        "kbps": Number(8, 64, "kbit/s"),
        "generations": Whole(1, 3),
    }

    def sample(self, severity: float, rng: np.random.Generator) -> Params:
        codec, generations = tuple(CODERS)[int(rng.integers(len(CODERS)))], int(rng.integers(1, 4))
        return {"codec": codec, "kbps": geometric(severity, 64, 8), "generations": generations}

    def _render(self, waveform: np.ndarray, sample_rate: int, params: Params) -> tuple[np.ndarray, np.ndarray]:
        name, kbps = params["codec"], max(8, round(params["kbps"]))
        peak = audio.peak(waveform)
        gain = np.float32(min(1.0, 0.9 / peak)) if peak > 0 else np.float32(1.0)  # encoders clip at full scale
        out = waveform * gain
        for _ in range(params["generations"]):
            coded = np.stack([_generation(channel, sample_rate, name, kbps) for channel in out])
            lag = _small_lag(waveform, coded, max(1, round(_REFINE_S * sample_rate)))
            out = _shift(coded, lag, waveform.shape[-1])
        return out / gain, whole(waveform)


def _generation(channel: np.ndarray, sample_rate: int, name: str, kbps: int) -> np.ndarray:
    """One channel ``[T]`` through resampling, encoder, decoder and back, less the codec's delay: ``[T]``."""
    wanted = next(rate for limit, rate in CODERS[name].ladder if kbps <= limit)
    known = sorted({rate for _, rate in CODERS[name].ladder})
    rate = min(wanted, next((r for r in known if r >= sample_rate), known[-1]))
    coded = code(audio.resample(channel, sample_rate, rate), rate, name, kbps)
    aligned = _shift(coded[None], _delay(name, rate, kbps), -(-len(channel) * rate // sample_rate) + 64)
    return _shift(audio.resample(aligned, rate, sample_rate), 0, len(channel))[0]


def code(samples: np.ndarray, sample_rate: int, name: str, kbps: int) -> np.ndarray:
    """Mono float32 ``[T]`` -> what the decoder gives at the same rate, with its delay, at least ``[T]``.

    Raises:
        ParameterError: FFmpeg or libsndfile lack the encoder.
    """
    coder = CODERS[name]
    samples = np.append(samples, np.zeros(4096, dtype=np.float32))  # so that the last frames come out too
    stream = io.BytesIO()
    try:
        if not coder.encoder:
            quality = 0.2 if kbps > 52 else 0.0
            soundfile.write(stream, samples, sample_rate, format="OGG", subtype="VORBIS", compression_level=1 - quality)
            stream.seek(0)
            return soundfile.read(stream, dtype="float32")[0]
        _encode(samples, sample_rate, coder, kbps, stream)
    except (av.error.FFmpegError, ValueError, soundfile.SoundFileError) as error:
        missing = f"The {name} encoder ({coder.encoder or 'libsndfile Vorbis'}) does not work here: {error}."
        raise ParameterError(
            f"{missing} Install a build of PyAV / soundfile that has it, or choose another codec."
        ) from error
    stream.seek(0)
    with av.open(stream, "r") as source:
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in source.decode(audio=0)]).astype(np.float32)


def _encode(samples: np.ndarray, sample_rate: int, coder: Coder, kbps: int, stream: io.BytesIO) -> None:
    with av.open(stream, "w", format=coder.container) as sink:
        track = cast(av.AudioStream, sink.add_stream(coder.encoder, rate=sample_rate))
        track.bit_rate = 1000 * kbps
        track.codec_context.layout = "mono"
        track.codec_context.format = coder.format
        track.codec_context.thread_count = 1  # more threads would only make short clips slower
        track.codec_context.open()
        whole = av.AudioFrame.from_ndarray(samples[None], format=coder.format, layout="mono")
        whole.sample_rate, whole.pts = sample_rate, 0
        frames = av.AudioFifo()
        frames.write(whole)
        while (frame := frames.read(track.codec_context.frame_size or 1024, partial=True)) is not None:
            sink.mux(track.encode(frame))
        sink.mux(track.encode(None))


@lru_cache(maxsize=1024)
def _delay(name: str, rate: int, kbps: int) -> int:
    """Samples by which this codec is late (FFmpeg takes out some of the delays and not others): measured on noise."""
    noise = seeding.generator("codec delay").standard_normal(rate // 2)
    noise = (0.1 * signal.lfilter([0.2], [1, -0.8], noise)).astype(np.float32)
    coded = code(noise, rate, name, kbps)[: len(noise) + 4096]
    return int(np.argmax(signal.correlate(coded, noise, mode="full", method="fft"))) - (len(noise) - 1)


def _small_lag(clean: np.ndarray, coded: np.ndarray, most: int) -> int:
    """The lag in [-most, most] at which ``coded [C, T]`` fits best; 0 unless another is better."""
    samples = clean.shape[-1]
    most = min(most, samples // 4)
    lags = range(-most, most + 1)
    fit = [
        float(np.sum(clean[:, max(0, -k) : samples - max(0, k)] * coded[:, max(0, k) : samples + min(0, k)]))
        for k in lags
    ]
    best = int(np.argmax(fit))
    return lags[best] if fit[best] > fit[most] else 0


def _shift(waveform: np.ndarray, lag: int, samples: int) -> np.ndarray:
    """``[C, *]`` moved ``lag`` samples earlier, cut or zero-padded to ``[C, samples]``."""
    out = np.zeros((len(waveform), samples), dtype=np.float32)
    start, source = max(0, -lag), waveform[:, max(0, lag) :]
    width = max(0, min(samples - start, source.shape[-1]))
    out[:, start : start + width] = source[:, :width]
    return out
