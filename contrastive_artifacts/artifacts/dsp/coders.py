"""Lossy codecs: the real encoders and decoders, in process, from mono PCM to decoded mono PCM."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple, cast

import av
import lameenc
import numpy as np
import soundfile

from ...core.errors import ParameterError

RoundTrip = Callable[[np.ndarray, int, float], np.ndarray]
"""float32 ``[T]``, sample rate in Hz, kbit/s -> the decoded samples, late by the codec's delay, ``[>= T]``."""

_MPEG_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100)
_AMR_KBPS = (4.75, 5.15, 5.9, 6.7, 7.4, 7.95, 10.2, 12.2)
GSM_BITS = 1.625  # per sample: 33 bytes for 160 samples, at any sample rate
_LAME_QUALITY = 7  # the fastest that still has the psychoacoustic model
_FLUSH = 1152  # samples of silence at the end, so that no clip is shorter than a frame


class Unlimited(NamedTuple):
    """How an encoder codes sound of the full bandwidth, and the supported sample rates in Hz."""

    round_trip: RoundTrip
    rates: tuple[int, ...] = (*_MPEG_RATES, 48000)


@dataclass(frozen=True)
class Coder:
    """One codec, and the bandwidth that it is given at each bit rate.

    Attributes:
        round_trip: encodes and decodes.
        encoder: name of the encoder, for the error where it is missing.
        band: rows (kbit/s, highest frequency in Hz), rising, interpolated on logarithmic axes. The first and the last
            row are the ends of the bit rates that are used.
        rates: the supported sample rates in Hz; empty if all are.
        delays: rows (lowest kbit/s, delay of the decoded sound in samples at the coded sample rate), rising. Fractions
            come from filters without linear phase.
        unlimited: how it codes sound of the full bandwidth, of which the encoder leaves out what it chooses; None for
            telephone codecs.
    """

    round_trip: RoundTrip
    encoder: str
    band: tuple[tuple[float, float], ...]
    rates: tuple[int, ...]
    delays: tuple[tuple[float, float], ...]
    unlimited: Unlimited | None = None

    def clamp(self, kbps: float) -> float:
        """The nearest bit rate in the range of this codec."""
        return float(np.clip(kbps, self.band[0][0], self.band[-1][0]))

    def highest(self, kbps: float) -> float:
        """The highest frequency in Hz that is left in the input of the encoder at ``kbps``."""
        rows = np.log(np.array(self.band))
        return float(np.exp(np.interp(np.log(kbps), rows[:, 0], rows[:, 1])))

    def delay(self, kbps: float) -> float:
        """The delay of the decoded sound in samples, at the sample rate that is coded."""
        return [samples for lowest, samples in self.delays if kbps >= lowest][-1]


def code(samples: np.ndarray, sample_rate: int, name: str, kbps: float, unlimited: bool = False) -> np.ndarray:
    """Encodes and decodes mono float32 ``[T]``; the output is late by ``CODERS[name].delay(kbps)``, ``[>= T]``.

    ``unlimited``: the samples have the full bandwidth, see :attr:`Coder.unlimited`.

    Raises:
        ParameterError: the encoder is missing or refuses the sample rate.
    """
    coder = CODERS[name]
    padded = np.append(samples, np.zeros(_FLUSH, dtype=np.float32))
    round_trip = coder.unlimited.round_trip if unlimited and coder.unlimited else coder.round_trip
    try:
        return round_trip(padded, sample_rate, kbps)
    except (av.error.FFmpegError, ValueError, RuntimeError, soundfile.SoundFileError) as error:
        raise ParameterError(
            f"The {name} encoder ({coder.encoder}) does not work here at {sample_rate} Hz and {kbps:g} kbit/s: "
            f"{error}. Install a build that has it (pip install --upgrade av soundfile), or choose another codec: "
            f"{', '.join(c for c in CODERS if c != name)}."
        ) from error


def aligned(row: np.ndarray, lag: int, samples: int) -> np.ndarray:
    """A row moved ``lag`` samples earlier, cut or zero-padded to ``[samples]``."""
    out = np.zeros(samples, dtype=np.float32)
    source = row[lag : lag + samples]
    out[: len(source)] = source
    return out


def _pcm(samples: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(samples * 32767.0), -32768, 32767).astype(np.int16)


def through_ffmpeg(
    samples: np.ndarray,
    sample_rate: int,
    kbps: float,
    encoder: str,
    decoder: str,
    kind: str,
    options: Callable[[float], Mapping[str, str]],
) -> np.ndarray:
    """Mono float32 ``[T]`` through an encoder and a decoder of FFmpeg, late by their delay.

    They are joined by packets: a file format between them would shift the sound.

    Args:
        samples: float32 ``[T]`` within [-1, 1].
        sample_rate, kbps: Hz; kbit/s.
        encoder, decoder: Their names.
        kind: Sample format of the encoder.
        options: kbit/s -> options of the encoder.
    """
    source = cast(av.AudioCodecContext, av.CodecContext.create(decoder, "r"))
    return _decode(source, list(_packets(samples, sample_rate, kbps, encoder, kind, options(kbps), source)))


def _packets(
    samples: np.ndarray,
    sample_rate: int,
    kbps: float,
    encoder: str,
    kind: str,
    options: Mapping[str, str],
    decoder: Any,
) -> Iterator[Any]:
    """Yields the packets; the ``decoder`` is configured before the first one."""
    sink = cast(av.AudioCodecContext, av.CodecContext.create(encoder, "w"))
    sink.sample_rate, sink.layout, sink.format = sample_rate, "mono", kind
    sink.time_base, sink.bit_rate = Fraction(1, sample_rate), round(1000 * kbps)
    sink.thread_count = 1  # more threads only make short clips slower
    sink.options = dict(options)
    sink.open()
    decoder.thread_count, decoder.sample_rate, decoder.layout = 1, sample_rate, "mono"
    if sink.extradata:
        decoder.extradata = sink.extradata
    size = sink.frame_size or 1024
    values = _pcm(samples) if kind.startswith("s16") else samples
    blocks = np.concatenate([values, np.zeros(-len(values) % size, dtype=values.dtype)]).reshape(-1, size)
    for index, block in enumerate(blocks):
        frame = av.AudioFrame(kind, "mono", size)  # without the checks of from_ndarray, which take as long as coding
        frame.planes[0].update(block.tobytes())
        frame.sample_rate, frame.pts = sample_rate, index * size
        yield from sink.encode(frame)
    yield from sink.encode(None)


def _decode(decoder: Any, packets: list[Any]) -> np.ndarray:
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    kind = np.int16 if frames[0].format.name.startswith("s16") else np.float32
    out = np.concatenate([np.frombuffer(frame.planes[0], kind, frame.samples) for frame in frames])
    return out.astype(np.float32) / 32768.0 if out.dtype == np.int16 else out.astype(np.float32, copy=False)


def _mp3(samples: np.ndarray, sample_rate: int, kbps: float) -> np.ndarray:
    decoder = cast(av.AudioCodecContext, av.CodecContext.create("mp3float", "r"))
    samples = np.append(
        samples, np.zeros(-len(samples) % 1152, dtype=np.float32)
    )  # whole frames: encoder and decoder agree
    stream = _lame(samples, sample_rate, round(kbps))
    return _decode(decoder, [*decoder.parse(stream), *decoder.parse(None)])


def _lame(samples: np.ndarray, sample_rate: int, kbps: int) -> bytes:
    """The MP3 stream of LAME at an average bit rate; lameenc is two to three times as fast as LAME in PyAV's FFmpeg."""
    lame = lameenc.Encoder()
    lame.set_in_sample_rate(sample_rate)
    lame.set_out_sample_rate(sample_rate)
    lame.set_channels(1)
    lame.set_vbr(3)  # average bit rate
    lame.set_vbr_mean_bitrate_kbps(kbps)
    lame.set_quality(_LAME_QUALITY)
    lame.silence()
    return bytes(lame.encode(_pcm(samples).tobytes()) + lame.flush())


def _sndfile(samples: np.ndarray, sample_rate: int, kbps: float, file: str, subtype: str) -> np.ndarray:
    """libsndfile; Vorbis at a quality that gives about ``kbps``, GSM 6.10 at the bit rate of the sample rate."""
    stream = io.BytesIO()
    level = 1.0 - 0.3 * math.log(kbps / 28) / math.log(64 / 28) if subtype == "VORBIS" else None
    soundfile.write(stream, samples, sample_rate, format=file, subtype=subtype, compression_level=level)
    stream.seek(0)
    return soundfile.read(stream, dtype="float32")[0]


def _aac_options(kbps: float) -> Mapping[str, str]:
    # FFmpeg's encoder misses low bit rates by factors of two. At a constant quality (in units of 118) of about 1 the
    # bit rate of speech and music in the band below is within a quarter of kbps, that of noise a third lower at the
    # low end.
    return {
        "flags": "+qscale",
        "global_quality": str(round(118 * 0.9 * kbps**0.04)),
        "aac_coder": "fast",
        "cutoff": "20000",
    }


def _opus(application: str) -> RoundTrip:
    options = {"compression_level": "1", "application": application}
    return partial(through_ffmpeg, encoder="libopus", decoder="opus", kind="flt", options=lambda kbps: options)


CODERS: Mapping[str, Coder] = {
    "mp3": Coder(
        _mp3,
        "LAME",
        # just below LAME's own low-pass for mono, which has steps
        ((8, 2400), (12, 3000), (20, 4600), (28, 5800), (36, 7500), (44, 9400), (52, 11100), (64, 14400)),
        _MPEG_RATES,
        ((0, 1105),),
        Unlimited(_mp3),
    ),
    "aac": Coder(
        partial(through_ffmpeg, encoder="aac", decoder="aac", kind="fltp", options=_aac_options),
        "aac",
        ((8, 2800), (16, 5000), (32, 9000), (64, 14400)),
        _MPEG_RATES,
        ((0, 1024),),
        # at its bit rate, for which it chooses the bandwidth itself
        Unlimited(
            partial(
                through_ffmpeg, encoder="aac", decoder="aac", kind="fltp", options=lambda kbps: {"aac_coder": "fast"}
            )
        ),
    ),
    "opus": Coder(
        _opus("lowdelay"),
        "libopus",
        ((6, 3000), (12, 5800), (24, 10000), (64, 19000)),
        (48000,),
        ((0, 0),),
        # as users run it: below 20 kbit/s it may code speech by linear prediction
        Unlimited(_opus("audio"), (48000,)),
    ),
    "vorbis": Coder(
        partial(_sndfile, file="OGG", subtype="VORBIS"),
        "libsndfile's Vorbis",
        ((28, 3500), (64, 14000)),
        (32000,),
        ((0, 0),),
        Unlimited(partial(_sndfile, file="OGG", subtype="VORBIS")),
    ),
    "amr_nb": Coder(
        partial(
            through_ffmpeg,
            encoder="libopencore_amrnb",
            decoder="amrnb",
            kind="s16",
            options=lambda kbps: {},
        ),
        "libopencore_amrnb",
        ((4.75, 2500), (12.2, 3500)),
        (8000,),
        ((0, 39.57),),
    ),
    "gsm": Coder(
        partial(_sndfile, file="WAV", subtype="GSM610"),
        "libsndfile's GSM 6.10",
        ((5000 * GSM_BITS / 1000, 2283), (9000 * GSM_BITS / 1000, 4109)),
        (),
        ((0, 0),),
    ),
}
