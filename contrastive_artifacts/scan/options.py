"""What of a recording is scanned, and how: settings that a scan of one file and of many share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .. import audio
from ..core import files
from ..core.errors import ParameterError
from .formats import DEFAULT
from .lanes import WindowClassifier
from .saved import SavedStretches
from .scan import scan
from .stretches import Channels
from .timecode import Timecode
from .timeline import Timeline

if TYPE_CHECKING:
    from ..embedding import PretrainedEncoder  # imports PyTorch, which a process that only starts scans does not need


@dataclass(frozen=True)
class ScanOptions:
    """What of each recording is scanned, the thresholds, and what is written.

    The arguments of :func:`.scan.scan`, ``streams``, the names of formats, and the rate and start of a time code.
    """

    channels: Channels = "mix"
    stream: audio.Stream = None
    streams: Literal["one", "all"] = "one"
    alarms_per_hour: float | None = None
    enter: float | None = None
    leave: float | None = None
    formats: tuple[str, ...] = DEFAULT
    timecode: float | str | None = None
    start: str | None = None

    def counting(self) -> Timecode | None:
        """The time code; None without a rate.

        Raises:
            ParameterError: a rate or start that does not exist, or a start without a rate.
        """
        if self.timecode is None and self.start is not None:
            raise ParameterError(
                f"start={self.start} is a time code; give its frame rate as well, such as timecode=25."
            )
        return None if self.timecode is None else Timecode.of(self.timecode, self.start)

    def timeline(
        self,
        path: Path,
        encoder: WindowClassifier,
        stream: int,
        saved: SavedStretches,
        advanced: Callable[[float], object] | None = None,
        progress: bool = False,
    ) -> Timeline:
        """:func:`.scan.scan` of one audio stream."""
        timeline = scan(
            path,
            encoder,
            channels=self.channels,
            enter=self.enter,
            leave=self.leave,
            alarms_per_hour=self.alarms_per_hour,
            progress=progress,
            stream=stream,
            saved=saved,
            advanced=advanced,
        )
        return replace(timeline, timecode=self.counting())


def encoder_identity(name: str | Path, encoder: PretrainedEncoder) -> list[str]:
    """What tells a saved encoder with its probe from others: its fingerprint, and SHA-256 of the probe's files."""
    from ..embedding import encoder_folder

    return [encoder.fingerprint, *map(files.sha256, sorted(encoder_folder(name).glob("probe.*")))]


def load_encoder(name: str | Path) -> PretrainedEncoder:
    """:func:`..embedding.load`, to be handed to the process that needs the encoder."""
    from ..embedding import load

    return load(name)
