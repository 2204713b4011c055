"""Opens containers by FFmpeg, chooses the audio stream, and looks at packets without decoding them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.stream import Disposition

from ..core.errors import AudioError
from ..core.location import is_address
from .headers import FilePart
from .info import Stream

_BEFORE_S = 1.0  # a look at the packets around a position begins that much earlier
# The demuxers that may be used: none that opens other files, as those of playlists do.
_DEMUXERS = (
    *("aac", "ac3", "aiff", "amr", "amrnb", "amrwb", "ape", "asf", "ast", "au", "avi", "caf", "dsf", "dts", "dtshd"),
    *("dv", "eac3", "ea", "f4v", "flac", "flv", "gsm", "gxf", "iff", "ircam", "ivf", "kux", "loas", "lxf", "matroska"),
    *("mlp", "mov", "mp3", "mpc", "mpc8", "mpeg", "mpegts", "mxf", "nistsphere", "nsv", "nut", "ogg", "oma", "paf"),
    *("qcp", "rm", "roq", "shn", "smjpeg", "smk", "sol", "sox", "swf", "tak", "truehd", "tta", "ty", "vivo", "voc"),
    *("w64", "wav", "webm", "wsd", "wtv", "wv", "xa", "xwma", "bink", "thp", "film_cpk", "avr", "svx", "wve"),
)
_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"v=0")  # how they begin, for the message


def open_container(path: Path) -> av.container.InputContainer:
    """Opens a container; nothing that it refers to is opened."""
    name = str(path.absolute())  # absolute, so that no name is taken for a protocol
    options = {"protocol_whitelist": "file", "format_whitelist": ",".join(_DEMUXERS)}
    file: str | FilePart = name
    try:
        name.encode()
        if is_address(path):
            file = FilePart(path, 0, path.stat().st_size)
    except UnicodeEncodeError:  # a name of other bytes than UTF-8, which PyAV cannot pass on
        file = FilePart(path, 0, path.stat().st_size)
    try:
        return av.open(file, "r", options=options, metadata_errors="replace")
    except av.FFmpegError:
        with path.open("rb") as opened:
            head = opened.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n")
        if head.startswith(_PLAYLISTS) or b"<MPD" in head:
            raise AudioError(f"{path} is a playlist, not media: it only names other files; name those.") from None
        raise


def choose_stream(path: Path, container: av.container.InputContainer, stream: Stream) -> av.AudioStream:
    """The audio stream of an index or a language; by default the first one marked as default, else the first."""
    streams = container.streams.audio
    if not streams:
        raise AudioError(f"{path} has no audio stream; name a file with sound.")
    if stream is None:
        usable = [s for s in streams if s.codec_context is not None] or streams
        chosen = [s for s in usable if s.disposition & Disposition.default] or [*usable]
    elif isinstance(stream, str):
        chosen = [s for s in streams if (language_of(s) or "").lower() == stream.lower()]
    else:
        chosen = list(streams[stream : stream + 1]) if stream >= 0 else []
    if not chosen:
        known = ", ".join(f"{i} ({language_of(s) or 'no language'})" for i, s in enumerate(streams))
        raise AudioError(f"{path} has no audio stream {stream!r}; it has {known}.")
    if chosen[0].codec_context is None:
        raise AudioError(f"{path}: there is no decoder for its audio stream; convert it to wav or flac.")
    return chosen[0]


def language_of(stream: av.AudioStream) -> str | None:
    return None if stream.language in (None, "", "und") else stream.language


def packet_samples(path: Path, sample_rate: int) -> int:
    """Length of all packets of the first audio stream in samples, without decoding; 0 if it cannot be read."""
    ticks = 0
    try:
        with open_container(path) as container:
            audio = container.streams.audio[0]
            for packet in container.demux(audio):
                ticks += packet.duration or 0
            return round(ticks * (audio.time_base or 0) * sample_rate)
    except (av.FFmpegError, IndexError):
        return 0


def holds_after(path: Path, position: int, sample_rate: int) -> bool:
    """Whether a packet of the first audio stream ends after sample ``position``, by its time stamp."""
    try:
        with open_container(path) as container:
            audio = container.streams.audio[0]
            tick = audio.time_base or Fraction(1, sample_rate)
            begin = Fraction(position, sample_rate) - Fraction(_BEFORE_S)
            if begin > 0:
                container.seek(int(begin / tick), stream=audio)
            for packet in container.demux(audio):
                if packet.pts is not None and (packet.pts + (packet.duration or 0)) * tick * sample_rate > position:
                    return True
    except (av.FFmpegError, IndexError):
        pass
    return False
