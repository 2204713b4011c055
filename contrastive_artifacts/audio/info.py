"""Properties of a media file, and the one place where a reader's exceptions become :class:`AudioError`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av

from ..core.errors import AudioError, ParameterError
from ..core.location import is_address

MAX_CHANNELS = 8
RATES = (1_000, 768_000)  # lowest and highest sample rate in Hz
Span = tuple[int, int]  # samples [start, stop)
Stream = int | str | None  # index among the audio streams, language tag, or None for the default
_log = logging.getLogger("contrastive_artifacts")
# Errors of libsndfile are RuntimeErrors; PyAV and numpy raise the others on contradictory headers.
_READER_ERRORS = (OSError, RuntimeError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError)
CHUNK = 1 << 18  # largest number of samples decoded in one step: bounds the memory of blocks()
RUN_UP_S = 1.0  # decoded and discarded before a position that was reached by seeking: codecs have memory
_TOO_LARGE = 1 << 60  # samples; a longer length is a placeholder


@dataclass(frozen=True)
class AudioInfo:
    """Properties of one audio stream of a file.

    Args:
        path: The file.
        sample_rate: Hz, as decoded.
        channels: 1 to 8.
        samples: Length per channel as far as it is known without decoding: what the header says, corrected by the file
            size in wave and AIFF files, estimated where there is no header (MPEG, ADTS); ``None`` if it is not stated.
            The decoded length can differ: by a codec frame in mp4 or mkv, by more in a damaged or joined file.
        codec: Name of the codec ("pcm_16", "aac").
        container: Name of the container ("wav", "mov,mp4,m4a,3gp,3g2,mj2").
        stream: Index of this stream among the audio streams of the file.
        streams: Number of audio streams in the file.
        language: Language tag of the stream ("eng"), or ``None``.
        title: Title of the stream, or ``None``.
    """

    path: Path
    sample_rate: int
    channels: int
    samples: int | None
    codec: str
    container: str
    stream: int = 0
    streams: int = 1
    language: str | None = None
    title: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.channels <= MAX_CHANNELS:
            raise AudioError(f"{self.path} has {self.channels} channels; extract 1 to {MAX_CHANNELS} of them first.")
        if not RATES[0] <= self.sample_rate <= RATES[1]:
            raise AudioError(
                f"{self.path} has a sample rate of {self.sample_rate} Hz; convert it to one in {RATES[0]}..{RATES[1]}."
            )

    @property
    def duration_s(self) -> float | None:
        return None if self.samples is None else self.samples / self.sample_rate


def plausible(samples: int) -> int | None:
    """A stated length in samples; None if it is negative or a placeholder."""
    return samples if 0 <= samples < _TOO_LARGE else None


def warn_of_length(info: AudioInfo, stated: int | None, decoded: int, tolerance: int = 0) -> None:
    """Logs a warning if the length in the header and the decoded length differ by more than ``tolerance`` samples."""
    if stated != decoded and (stated is None or abs(stated - decoded) > tolerance):
        _log.warning(
            "%s: the header says %s, but the file holds %d samples (%.3f s); all of them are read.",
            info.path,
            "no length" if stated is None else f"{stated} samples ({stated / info.sample_rate:.3f} s)",
            decoded,
            decoded / info.sample_rate,
        )


@contextmanager
def reader_errors(path: Path) -> Iterator[None]:
    """Turns every exception of a decoder into an :class:`AudioError` that names the file."""
    try:
        yield
    except (AudioError, ParameterError):
        raise
    except MemoryError as error:
        raise AudioError(
            f"{path} needs more memory than there is; its header may be damaged, or read it in blocks."
        ) from error
    except av.FFmpegError as error:
        raise AudioError(
            f"{path} cannot be read as audio ({error.strerror}); copy it again or convert it to wav or flac."
        ) from error
    except _READER_ERRORS as error:
        raise AudioError(
            f"{path} cannot be read as audio ({type(error).__name__}: {error}); copy it again or convert it to wav or "
            "flac."
        ) from error
    except Exception as error:  # of a library of a file system, each of which has its own classes
        if not is_address(path):
            raise
        raise AudioError(
            f"{path} cannot be read ({type(error).__name__}: {error}); check the address and the credentials."
        ) from error
