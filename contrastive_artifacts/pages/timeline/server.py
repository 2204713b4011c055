"""The local web server of a timeline. Needs the extra ``serve``."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from ... import audio
from ...core.errors import ParameterError
from ...probes.labels import Labels
from ...scan.formats.page import SERVED_S, served_page
from ...scan.sounds import CONTEXT_S
from ...scan.timeline import Timeline
from ..shared import server as serving
from ..shared.spectrogram import playable
from .decisions import Decisions

_MATROSKA = "video/x-matroska"  # which not every mimetypes knows


class Decided(BaseModel):
    """Body of a decision."""

    finding: int
    decision: str = Field(max_length=16)


def timeline_app(timeline: Timeline, labels: Labels, access: serving.Access) -> FastAPI:
    """The page at ``/`` and its interface under ``/api``."""
    path, decisions, film = Path(timeline.path), Decisions(timeline, labels), film_type(timeline.path)
    page = served_page(timeline, film is not None)
    app = serving.make_app("timeline", access)
    serving.add_page(app, lambda: page)

    @app.get("/api/sound")
    def sound(request: Request, start: int, stop: int, channel: int | None = None) -> Response:
        data, mime = sound_of(timeline, start, stop, channel)
        return serving.ranged(request, data, mime)

    @app.get("/api/film")
    def picture() -> Response:
        if film is None or not path.is_file():
            raise HTTPException(404, f"{path.name} has no picture, or is no longer in its place.")
        return FileResponse(path, media_type=film)  # answers ranges

    @app.get("/api/decisions")
    def decided() -> dict[str, Any]:
        return {"decisions": decisions.in_force()}

    @app.post("/api/decisions")
    def decide(body: Decided) -> dict[str, Any]:
        return {"decisions": decisions.add(body.finding, body.decision), "place": body.finding}

    @app.post("/api/undo")
    def undo() -> dict[str, Any]:
        in_force, finding = decisions.undo()
        return {"decisions": in_force, "place": finding}

    return app


def film_type(path: str | Path) -> str | None:
    """MIME type of a recording that may have a picture, by its suffix; None for a sound file."""
    mime = _MATROSKA if Path(path).suffix.lower() == ".mkv" else mimetypes.guess_type(Path(path).name)[0]
    return mime if mime is not None and mime.startswith("video/") else None


def sound_of(timeline: Timeline, start: int, stop: int, channel: int | None) -> tuple[bytes, str]:
    """Samples of the recording as a mono sound file, and its MIME type.

    Args:
        start, stop: The samples [start, stop) of the recording, at most 32 s.
        channel: Of the recording; None for the mix.

    Raises:
        ParameterError: an empty or too long part, one outside the recording, or no such channel.
        AudioError: the recording cannot be read, or is no longer in its place.
    """
    longest = round((SERVED_S + 2 * CONTEXT_S) * timeline.sample_rate) + 2
    if not 0 <= start < stop <= timeline.samples or stop - start > longest:
        raise ParameterError(f"{start}..{stop} is no part of at most {longest} of {timeline.samples} samples.")
    waveform, rate = audio.glimpse(timeline.path, start, stop, timeline.stream)
    if channel is not None and not 0 <= channel < len(waveform):
        raise ParameterError(f"There is no channel {channel}: the recording has {len(waveform)}, from 0.")
    data, mime, _ = playable(audio.channel_or_mix(waveform, channel)[None], rate)
    return data, mime
