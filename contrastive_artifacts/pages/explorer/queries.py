"""Sounds that are asked about: files that are sent in, and spans of recordings."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import unquote

import numpy as np

from ... import audio
from ...core.cache import ByteCache
from ...core.errors import AudioError
from .collection import Collection, verdicts
from .searching import Hits, Search
from .slices import Slice, Slices

UPLOAD_BYTES = 32 << 20
LONGEST_S = 600.0  # of a sound that is sent in: some formats hold hours of silence in a few bytes
_MOST_SAMPLES = 1 << 26  # a channel, at whatever rate: 256 MiB as float32
_SHOWN_S = 20.0  # of it that can be seen and heard
_KEPT, _KEPT_BYTES = 16, 128 << 20
_SNIFFED = 16  # first bytes of a file; media has none of text alone, playlists, which name other files, have


@dataclass(frozen=True)
class Query:
    """A sound that was asked about: its beginning, and what there is to say of it."""

    beginning: Slice
    about: Mapping[str, Any]


class Queries:
    """The last sixteen queries."""

    def __init__(self, collection: Collection, search: Search, slices: Slices) -> None:
        self.collection, self.search, self.slices = collection, search, slices
        self._kept: ByteCache[Query] = ByteCache(_KEPT_BYTES, _KEPT)

    def get(self, made: str) -> Query | None:
        return self._kept.get(made)

    def of_sound(self, data: bytes, name: str, k: int) -> tuple[dict[str, Any], Hits]:
        """What a media file sounds like: the query for the page, and its hits.

        Args:
            data: The file.
            name: What it is called, percent-encoded; it is shown, and nothing is opened by it.

        Raises:
            AudioError: it is no audio, or longer than ten minutes.
        """
        name = shown_name(name)
        mono, beginning, channels = decode(data, name)
        return self._asked(name, mono, beginning, channels, k, {})

    def of_span(self, row: int, start_s: float, stop_s: float, k: int) -> tuple[dict[str, Any], Hits]:
        """What a span sounds like, times in seconds from the first sample of ``row``; see :meth:`.Slices.span`."""
        waveform, rate, first, last = self.slices.span(row, start_s, stop_s)
        found = self.collection.found(row)
        where = f"{first / rate:.3f} - {last / rate:.3f} s"
        beginning = waveform[:, : round(_SHOWN_S * rate)]
        piece = Slice(beginning, rate, first, (0, beginning.shape[1]))
        own = {"_row": self.collection.overlapping(row, first, last)}
        return self._asked(f"{found.name}, {where}", audio.mono(waveform), piece, len(waveform), k, own)

    def _asked(
        self, name: str, mono: np.ndarray, beginning: Slice, channels: int, k: int, left_out: Mapping[str, Any]
    ) -> tuple[dict[str, Any], Hits]:
        vector = self.collection.encoder.embed((mono, beginning.sample_rate)).clip
        hits = self.search.vector(vector, k, None, left_out)
        x, y = self.search.place(vector)
        about = {
            "id": secrets.token_hex(12),
            "name": name,
            "seconds": round(mono.size / beginning.sample_rate, 3),
            "rate": beginning.sample_rate,
            "channels": channels,
            "x": x,
            "y": y,
            **self._heard(vector),
        }
        self._kept.put(about["id"], Query(beginning, about), beginning.waveform.nbytes)
        return about, hits

    def _heard(self, vector: np.ndarray) -> dict[str, Any]:
        probe = self.collection.probe
        if probe is None:
            return {"heard": None, "probabilities": [], "severity": None}
        (best,), (severity,), _ = verdicts(probe, vector[None])
        chances = probe.classify_batch(vector[None], probe.fingerprint)[0][0].tolist()
        ranked = sorted(zip(probe.classes, chances, strict=True), key=lambda pair: -pair[1])
        return {
            "heard": probe.classes[best],
            "probabilities": [[label, round(chance, 6)] for label, chance in ranked],
            "severity": None if np.isnan(severity) else round(float(severity), 4),
        }


def decode(data: bytes, name: str) -> tuple[np.ndarray, Slice, int]:
    """A media file in memory: its mix float32 [T], its first 20 s with all channels, and their number.

    The bytes go through a temporary file, as no decoder here reads memory. Nothing that the file says of its length is
    believed: it is decoded second by second until it is too long.

    Raises:
        AudioError: it is no audio, or too long; the message calls it ``name``.
    """
    if not data:
        raise AudioError(f"{name} is empty (0 bytes); choose another file.")
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in data[:_SNIFFED]):
        raise AudioError(f"{name} is a text, not a sound; choose an audio or video file.")
    suffix = PurePath(name).suffix.lower()
    with tempfile.NamedTemporaryFile(prefix="explore-", suffix=suffix if suffix in audio.EXTENSIONS else "") as file:
        file.write(data)
        file.flush()
        path = Path(file.name)
        try:
            return _decoded(path, name)
        except AudioError as error:
            raise AudioError(str(error).replace(str(path), name)) from None


def _decoded(path: Path, name: str) -> tuple[np.ndarray, Slice, int]:
    info = audio.probe(path)
    rate = info.sample_rate
    most, shown = min(round(LONGEST_S * rate), _MOST_SAMPLES), round(_SHOWN_S * rate)
    mixed: list[np.ndarray] = []
    first: list[np.ndarray] = []
    for at, block in audio.blocks(path, rate):
        if at + block.shape[1] > most:
            raise AudioError(f"{name} is longer than {most / rate / 60:.3g} minutes; send the part that matters.")
        mixed.append(audio.mono(block))
        if at < shown:
            first.append(block[:, : shown - at])
    beginning = np.concatenate(first, axis=1)
    return np.concatenate(mixed), Slice(beginning, rate, 0, (0, beginning.shape[1])), info.channels


def shown_name(name: str) -> str:
    """A name as a person may read it: the last part of a path, without control characters."""
    plain = unquote(name, errors="replace").replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in plain if c.isprintable())[:120].strip() or "sound"
