"""Queries by sound: uploaded files, and spans of recordings."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import audio
from ...core.cache import ByteCache
from ...core.errors import ParameterError
from ...embedding.embedder import Input
from ..shared.channels import names as channel_names
from .collection import ROW, Collection
from .pieces import Slice
from .searching import Hits, Search
from .slices import Slices
from .stretches import stretches
from .uploads import PAGE_S, checked, media_file, shown_name

UPLOAD_BYTES = 32 << 20
_STORED, _STORED_BYTES = 16, 64 << 20  # queries that stay available


@dataclass(frozen=True)
class Query:
    """A query: the first minute of its sound, its facts for the page, and the file of a longer sound."""

    beginning: Slice
    about: Mapping[str, Any]
    data: bytes | None = None


class Queries:
    """Answers queries and stores the last ones, at most sixteen, to be shown and played."""

    def __init__(self, collection: Collection, search: Search, slices: Slices) -> None:
        self.collection, self.search, self.slices = collection, search, slices
        self._stored: ByteCache[Query] = ByteCache(_STORED_BYTES, _STORED)

    def get(self, query_id: str) -> Query | None:
        """A stored query; None if the id is unknown or the query was dropped."""
        return self._stored.get(query_id)

    def of_sound(self, data: bytes, name: str, k: int, shown: np.ndarray | None = None) -> tuple[dict[str, Any], Hits]:
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
            longer = samples > beginning.waveform.shape[1]
            return self._search(name, path, beginning, samples, channels, k, {}, shown, data if longer else None)

    def of_span(
        self, row: int, start_s: float, stop_s: float, k: int, shown: np.ndarray | None = None
    ) -> tuple[dict[str, Any], Hits]:
        """Searches for rows similar to a span, in seconds from the first sample of ``row``; see :meth:`Slices.span`."""
        waveform, rate, first, last = self.slices.span(row, start_s, stop_s)
        where = f"{first / rate:.3f} - {last / rate:.3f} s"
        piece = Slice(waveform, rate, first, (0, waveform.shape[1]))
        excluded = {ROW: self.collection.overlapping(row, first, last)}
        name = f"{self.collection.span(row).name}, {where}"
        channels, samples = waveform.shape
        return self._search(name, (waveform, rate), piece, samples, channels, k, excluded, shown)

    def of_stretch(
        self, query: Query, start_s: float, stop_s: float, k: int, shown: np.ndarray | None = None
    ) -> tuple[dict[str, Any], Hits]:
        """Searches for rows similar to a stretch of a query, of its first minute if it is longer.

        The facts of the new query name the query of the whole sound, ``parent``, and its place there, ``start`` and
        ``stop`` in seconds.

        Raises:
            ParameterError: an empty stretch, or one outside of the sound.
        """
        piece = self.page(query, start_s, stop_s)
        rate, (channels, samples) = piece.sample_rate, piece.waveform.shape
        before = query.about.get("start", 0.0)
        start, stop = (round(before + at / rate, 3) for at in (piece.start, piece.start + samples))
        name = f"{query.about['file']}, {start:.3f} - {stop:.3f} s"
        place = {"parent": query.about.get("parent", query.about["id"]), "start": start, "stop": stop}
        whole = Slice(piece.waveform, rate, 0, (0, samples))
        place["file"] = query.about["file"]
        return self._search(name, (piece.waveform, rate), whole, samples, channels, k, {}, shown, of_query=place)

    def page(self, query: Query, start_s: float = 0.0, stop_s: float | None = None) -> Slice:
        """Up to a minute of the sound of a query; by default from ``start_s`` on.

        Raises:
            ParameterError: an empty range, or one outside of the sound.
        """
        beginning, rate = query.beginning, query.beginning.sample_rate
        total = round(query.about["seconds"] * rate)
        stop_s = start_s + PAGE_S if stop_s is None else min(stop_s, start_s + PAGE_S)
        if not 0 <= start_s < stop_s or round(start_s * rate) >= total:
            raise ParameterError(f"{start_s:g}..{stop_s:g} s is no part of a sound of {total / rate:g} s.")
        first, last = round(start_s * rate), min(round(stop_s * rate), total)
        if query.data is None or last <= beginning.waveform.shape[1]:
            waveform = beginning.waveform[:, first:last]
        else:
            with media_file(query.data, query.about["file"]) as path:
                waveform, _ = audio.glimpse(path, first, last)
        if not waveform.size:
            raise ParameterError(f"{start_s:g}..{stop_s:g} s holds no samples.")
        return Slice(waveform, rate, first, (-first, total - first))

    def _search(
        self,
        name: str,
        source: Input,
        beginning: Slice,
        samples: int,
        channels: int,
        k: int,
        exclude: Mapping[str, Any],
        shown: np.ndarray | None,
        data: bytes | None = None,
        of_query: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, Any], Hits]:
        embedding = self.collection.encoder.embed(source)
        vector = embedding.clip
        hits = self.search.vector(vector, k, None, exclude, shown=shown)
        x, y = self.search.place(vector)
        about = {
            "id": secrets.token_hex(12),
            "name": name,
            "file": name,
            "seconds": round(samples / beginning.sample_rate, 3),
            "rate": beginning.sample_rate,
            "channels": channels,
            "channel_names": channel_names(channels),
            "x": x,
            "y": y,
            "stretches": stretches(self.collection.probe, embedding, samples),
            **self._verdict(vector),
            **(of_query or {}),
        }
        self._stored.put(about["id"], Query(beginning, about, data), beginning.waveform.nbytes + len(data or b""))
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
