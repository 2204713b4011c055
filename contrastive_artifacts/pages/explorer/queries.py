"""Queries by sound: uploaded files, and spans of recordings."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import unquote

import numpy as np

from ... import audio
from ...core.cache import ByteCache
from ...core.errors import AudioError
from ...embedding.embedder import Input
from ..shared.channels import names as channel_names
from .collection import ROW, Collection
from .searching import Hits, Search
from .slices import Slice, Slices

UPLOAD_BYTES = 32 << 20
LONGEST_S = 600.0  # of an uploaded sound: some formats hold hours of silence in a few bytes
_MOST_SAMPLES = 1 << 26  # per channel, at any rate
_SHOWN_S = 20.0  # of a query that are shown and played
_STORED, _STORED_BYTES = 16, 64 << 20  # queries that stay available
_SNIFFED = 16  # first bytes of a file; if all are text it is no media, but perhaps a playlist that names other files


@dataclass(frozen=True)
class Query:
    """A query: the beginning of its sound, and its facts for the page."""

    beginning: Slice
    about: Mapping[str, Any]


class Queries:
    """Answers queries and stores the last ones, at most sixteen, to be shown and played."""

    def __init__(self, collection: Collection, search: Search, slices: Slices) -> None:
        self.collection, self.search, self.slices = collection, search, slices
        self._stored: ByteCache[Query] = ByteCache(_STORED_BYTES, _STORED)

    def get(self, query_id: str) -> Query | None:
        """A stored query; None if the id is unknown or the query was dropped."""
        return self._stored.get(query_id)

    def of_sound(self, data: bytes, name: str, k: int) -> tuple[dict[str, Any], Hits]:
        """Searches for rows similar to a media file: the query as JSON for the page, and its hits.

        Args:
            data: The file.
            name: Its name, percent-encoded; it is only shown, no file of that name is opened.
            k: Number of hits.

        Raises:
            AudioError: the file is no audio, or longer than ten minutes.
        """
        name = shown_name(name)
        with media_file(data, name) as path:
            beginning, samples, channels = checked(path, name)
            return self._search(name, path, beginning, samples, channels, k, {})

    def of_span(self, row: int, start_s: float, stop_s: float, k: int) -> tuple[dict[str, Any], Hits]:
        """Searches for rows similar to a span, in seconds from the first sample of ``row``; see :meth:`Slices.span`."""
        waveform, rate, first, last = self.slices.span(row, start_s, stop_s)
        where = f"{first / rate:.3f} - {last / rate:.3f} s"
        beginning = waveform[:, : round(_SHOWN_S * rate)]
        piece = Slice(beginning, rate, first, (0, beginning.shape[1]))
        excluded = {ROW: self.collection.overlapping(row, first, last)}
        name = f"{self.collection.span(row).name}, {where}"
        channels, samples = waveform.shape
        return self._search(name, (waveform, rate), piece, samples, channels, k, excluded)

    def _search(
        self,
        name: str,
        source: Input,
        beginning: Slice,
        samples: int,
        channels: int,
        k: int,
        exclude: Mapping[str, Any],
    ) -> tuple[dict[str, Any], Hits]:
        vector = self.collection.encoder.embed(source).clip
        hits = self.search.vector(vector, k, None, exclude)
        x, y = self.search.place(vector)
        about = {
            "id": secrets.token_hex(12),
            "name": name,
            "seconds": round(samples / beginning.sample_rate, 3),
            "rate": beginning.sample_rate,
            "channels": channels,
            "channel_names": channel_names(channels),
            "x": x,
            "y": y,
            **self._verdict(vector),
        }
        self._stored.put(about["id"], Query(beginning, about), beginning.waveform.nbytes)
        return about, hits

    def _verdict(self, vector: np.ndarray) -> dict[str, Any]:
        probe = self.collection.probe
        if probe is None:
            return {"heard": None, "probabilities": [], "severity": None}
        chances, severities = probe.classify_batch(vector[None], probe.fingerprint)
        (best,), (severity,), _ = probe.verdicts(chances, severities)
        ranked = sorted(zip(probe.classes, chances[0].tolist(), strict=True), key=lambda pair: -pair[1])
        return {
            "heard": probe.classes[best],
            "probabilities": [[label, round(chance, 6)] for label, chance in ranked],
            "severity": None if np.isnan(severity) else round(float(severity), 4),
        }


@contextmanager
def media_file(data: bytes, name: str) -> Iterator[Path]:
    """A media file in memory as a temporary file, because the decoders read files only.

    Raises:
        AudioError: the data is no media; errors of reading it call it ``name``.
    """
    if not data:
        raise AudioError(f"{name} is empty (0 bytes); choose another file.")
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in data[:_SNIFFED]):
        raise AudioError(f"{name} is a text file; choose an audio or video file.")
    suffix = PurePath(name).suffix.lower()
    with tempfile.NamedTemporaryFile(prefix="explore-", suffix=suffix if suffix in audio.EXTENSIONS else "") as file:
        file.write(data)
        file.flush()
        try:
            yield Path(file.name)
        except AudioError as error:
            raise AudioError(str(error).replace(file.name, name)) from None


def checked(path: Path, name: str) -> tuple[Slice, int, int]:
    """The first 20 s of a file that is not too long, its number of samples and that of its channels.

    The length stated in the file is not trusted: it is decoded block by block until it is too long.

    Raises:
        AudioError: the file is no audio, or longer than ten minutes; the message calls it ``name``.
    """
    file = audio.MediaFile(path)
    rate = file.info.sample_rate
    most, shown = min(round(LONGEST_S * rate), _MOST_SAMPLES), round(_SHOWN_S * rate)
    first: list[np.ndarray] = []
    samples = 0
    for at, block in file.blocks(rate):
        samples = at + block.shape[1]
        if samples > most:
            raise AudioError(f"{name} is longer than {most / rate / 60:.3g} minutes; send the relevant part.")
        if at < shown:
            first.append(block[:, : shown - at])
    beginning = np.concatenate(first, axis=1)
    return Slice(beginning, rate, 0, (0, beginning.shape[1])), samples, file.info.channels


def shown_name(name: str) -> str:
    """The last part of a percent-encoded path, without control characters, to be shown to users."""
    plain = unquote(name, errors="replace").replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in plain if c.isprintable())[:120].strip() or "sound"
