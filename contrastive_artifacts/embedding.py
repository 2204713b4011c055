"""Deterministic windowed embedding of any input, and the table that embeddings are kept in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from . import audio, backbones, files, windows
from .corpora import Clip
from .encoder import Encoder
from .errors import FingerprintError, StorageError
from .frontends import DetailFigures, numpy_detail
from .views import View

BATCH = 32
BLOCK_S = 30.0
Piece = TypeVar("Piece")  # a window as whatever hears it takes it
Input = str | Path | tuple[Any, int]  # a file, or (waveform [T] or [C, T] of numpy or torch, sample rate)


@dataclass(frozen=True)
class Embedding:
    """An embedded input.

    Args:
        clip: float32 [D], L2-normalised: the mean of the frames.
        frames: float32 [N, D], one vector a window.
        samples: int64 [N, 2], [start, stop) of each window at ``sample_rate``.
        sample_rate: The input's own rate in Hz.
    """

    clip: np.ndarray
    frames: np.ndarray
    samples: np.ndarray
    sample_rate: int


class Prepared(NamedTuple):
    """A window as an encoder takes it: float32 [T] at the encoder's rate, and its figures at the input's own rate."""

    waveform: np.ndarray
    detail: DetailFigures[np.ndarray] | None = None  # [N, F] and [C]; None: the encoder computes them of ``waveform``


class Embedder(Generic[Piece]):
    """Embeds files and waveforms window by window: ``window_s`` long, every ``hop_s``, the last one at the end.

    Channels are mixed down; each window is heard by itself; nothing is random. Vectors are h, before the projector.

    Attributes:
        states: What the encoder was trained to tell apart, ``"clean"`` first.
        sample_rate: Rate in Hz that :meth:`view_vectors` takes.
        wants_native: Whether it goes by the waveform at its own rate, too, before resampling.
        fingerprint: Stored with whatever is embedded.
    """

    states: tuple[str, ...]
    window_s: float
    sample_rate: int
    wants_native: bool
    fingerprint: str

    @property
    def hop_s(self) -> float:
        return self.window_s / 2

    def prepare(self, window: np.ndarray, rate: int) -> Piece:
        """A mono float32 window [T] at ``rate`` Hz, ready for :meth:`vectors`."""
        raise NotImplementedError

    def vectors(self, pieces: Sequence[Piece]) -> np.ndarray:
        """h float32 [N, D] of prepared windows."""
        raise NotImplementedError

    def project(self, h: np.ndarray) -> np.ndarray:
        """z [N, 128], L2-normalised, of h [N, D]."""
        raise NotImplementedError

    def _cut(self, waveform: np.ndarray, native: tuple[np.ndarray, int]) -> list[Piece]:
        """The windows of a view, of which there is the waveform at ``sample_rate`` and at its own rate."""
        raise NotImplementedError

    def embed(self, source: Input, channel: int | None = None) -> Embedding:
        """Embeds one input: the mean of its channels, or one channel of it.

        Raises:
            AudioError: it cannot be read, is empty, or holds NaN.
        """
        return next(iter(self.embed_batch([source], channel)))

    def embed_batch(self, sources: Sequence[Input], channel: int | None = None) -> list[Embedding]:
        """The same for many inputs, batched over the windows of all of them."""
        rates, positions, owners = [], [], []
        pieces: list[Piece] = []
        vectors: list[np.ndarray] = []
        for owner, source in enumerate(sources):
            rate, cut = self._windows(source)
            rates.append(rate)
            for start, window in cut:
                owners.append(owner)
                positions.append((start, start + window.shape[1]))
                own = window if channel is None else window[channel : channel + 1]
                pieces.append(self.prepare(audio.mono(own), rate))
                if len(pieces) == 4 * BATCH:
                    vectors.append(self.vectors(pieces))
                    pieces = []
        vectors.append(self.vectors(pieces))
        frames, samples, owner_of = np.concatenate(vectors), np.array(positions, np.int64), np.array(owners)
        made = []
        for owner, rate in enumerate(rates):
            own = owner_of == owner
            made.append(Embedding(normalise(frames[own].mean(axis=0)), frames[own], samples[own], rate))
        return made

    def view_vectors(
        self, waveforms: Sequence[np.ndarray], natives: Sequence[tuple[np.ndarray, int]] | None = None
    ) -> dict[str, np.ndarray]:
        """``{"h": [N, D], "z": [N, 128]}``: per waveform [T] the unit mean of its windows, as ``Embedding.clip``.

        Args:
            natives: The same sounds before resampling, each with its rate; without them the waveforms are taken for it.
        """
        natives = [(w, self.sample_rate) for w in waveforms] if natives is None else natives
        cuts = [self._cut(*pair) for pair in zip(waveforms, natives, strict=True)]
        h = self.vectors([piece for cut in cuts for piece in cut])
        ends = np.cumsum([len(cut) for cut in cuts])
        parts = {"h": np.split(h, ends[:-1]), "z": np.split(self.project(h), ends[:-1])}
        return {space: normalise(np.stack([own.mean(axis=0) for own in part])) for space, part in parts.items()}

    def _windows(self, source: Input) -> tuple[int, Iterator[tuple[int, np.ndarray]]]:
        if isinstance(source, str | Path):
            rate = audio.probe(source).sample_rate
            blocks: Iterable[tuple[int, np.ndarray]] = audio.blocks(source, round(BLOCK_S * rate))
        else:
            waveform, rate = audio.as_waveform(*source), int(source[1])
            blocks = [(0, waveform)]
        return rate, windows.stream(blocks, round(self.window_s * rate), round(self.hop_s * rate))


class WindowEmbedder(Embedder[Prepared]):
    """Hears each window as a whole by an encoder.

    Each window is resampled by itself. Vectors are computed by a frozen copy of the encoder as it is now: training it
    further changes nothing here.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder.eval()
        self.states, self.window_s = encoder.settings.states, encoder.settings.window_s
        self.sample_rate, self.wants_native = encoder.sample_rate, encoder.settings.native
        self.fingerprint = encoder.fingerprint()
        self._frozen = backbones.freeze(encoder)

    def prepare(self, window: np.ndarray, rate: int) -> Prepared:
        return Prepared(audio.resample(window, rate, self.sample_rate), self._detail(window, rate))

    def project(self, h: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return normalise(self.encoder.projector(torch.from_numpy(h)).numpy())

    def vectors(self, pieces: Sequence[Prepared]) -> np.ndarray:
        """Windows of equal length are batched."""
        out = np.zeros((len(pieces), self.encoder.settings.hidden), np.float32)
        sizes = [(len(p.waveform), 0 if p.detail is None else len(p.detail.frames)) for p in pieces]
        for _, group in groupby(sorted(range(len(pieces)), key=sizes.__getitem__), key=sizes.__getitem__):
            members = list(group)
            for i in range(0, len(members), BATCH):
                part = members[i : i + BATCH]
                with torch.inference_mode():
                    out[part] = self._frozen(*_batched([pieces[j] for j in part])).h.numpy()
        return out

    def _detail(self, window: np.ndarray, rate: int) -> DetailFigures[np.ndarray] | None:
        if not self.wants_native:
            return None
        return DetailFigures(*(part[0] for part in numpy_detail(window[None], rate)))

    def _cut(self, waveform: np.ndarray, native: tuple[np.ndarray, int]) -> list[Prepared]:
        samples, rate = native
        window, hop = round(self.window_s * self.sample_rate), round(self.hop_s * self.sample_rate)
        cut = []
        for start in windows.starts(len(waveform), window, hop).tolist():
            first = round(start * rate / self.sample_rate)
            own = samples[first : first + round(self.window_s * rate)]
            cut.append(Prepared(waveform[start : start + window], self._detail(own, rate)))
        return cut


def _batched(pieces: Sequence[Prepared]) -> tuple[torch.Tensor, DetailFigures[torch.Tensor] | None]:
    """Windows of one size as the encoder's input."""
    waveforms = torch.from_numpy(np.stack([p.waveform for p in pieces]))
    details = [p.detail for p in pieces if p.detail is not None]
    if not details:
        return waveforms, None
    frames, clip = np.stack([d.frames for d in details]), np.stack([d.clip for d in details])
    return waveforms, DetailFigures(torch.from_numpy(frames), torch.from_numpy(clip))


def normalise(x: np.ndarray) -> np.ndarray:
    """Rows of length 1; a zero row stays zero."""
    return (x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)).astype(np.float32)


COLUMNS = (
    *("id", "artifact", "severity", "source", "corpus", "clip", "category", "split", "params"),
    *("start", "stop", "sample_rate"),
)


def view_row(view: View, states: Sequence[str], corpus: str, split: str, duration_s: float) -> dict[str, Any]:
    """The facts of a rendered view as a row of the table, enough to render it again."""
    return {
        "id": f"{corpus}/{view.clip.id}/{states[view.state]}/{view.params.get('seed', 0)}",
        "artifact": states[view.state],
        "severity": view.severity,
        "source": view.clip.source,
        "corpus": corpus,
        "clip": view.clip.id,
        "category": view.clip.category,
        "split": split,
        "params": json.dumps(view.params, sort_keys=True),
        "start": view.start,
        "stop": view.start + round(duration_s * view.native_rate),
        "sample_rate": view.native_rate,
    }


def recording_rows(found: Embedding, clip: Clip, corpus: str, channel: int | None = None) -> list[dict[str, Any]]:
    """The windows of a recording that was embedded as it is; what is wrong with it is not known: artifact "".

    Beside COLUMNS they have ``file``, the absolute path ("" for a clip without one), and ``channel``, None for the mix.
    """
    common = {"artifact": "", "severity": 0.0, "split": "", "params": "{}", "source": clip.source, "corpus": corpus}
    common |= {"clip": clip.id, "category": clip.category, "channel": channel}
    common |= {"file": str(clip.path.resolve()) if clip.path else ""}
    places = [{"start": int(a), "stop": int(b), "sample_rate": found.sample_rate} for a, b in found.samples]
    lane = "" if channel is None else f"#{channel}"
    return [{"id": f"{corpus}/{clip.id}{lane}@{place['start']}", **common, **place} for place in places]


def make_table(rows: Sequence[dict[str, Any]], vectors: np.ndarray, fingerprint: str, space: str) -> pa.Table:
    """Rows (dicts with COLUMNS, and more, alike in all) and float32 [N, D] as one table.

    The fingerprint travels in its schema.
    """
    wide = {"severity": pa.float32(), "start": pa.int64(), "stop": pa.int64(), "sample_rate": pa.int32()}
    wide |= {"channel": pa.int32(), "heard_severity": pa.float32(), "heard_probability": pa.float32()}
    names = [*COLUMNS, *(name for name in (rows[0] if rows else ()) if name not in COLUMNS)]
    columns = {name: pa.array([row[name] for row in rows], wide.get(name, pa.string())) for name in names}
    flat = pa.array(np.ascontiguousarray(vectors, np.float32).ravel())
    columns["embedding"] = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return pa.table(columns).replace_schema_metadata({"fingerprint": fingerprint, "space": space})


def write_table(path: str | Path, table: pa.Table) -> None:
    with files.atomic_path(path) as temporary:
        pq.write_table(table, temporary)


def read_table(path: str | Path, fingerprint: str | None = None) -> pa.Table:
    """Reads a table.

    Raises:
        StorageError: the file is missing or damaged.
        FingerprintError: it was made by another encoder than ``fingerprint``.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise StorageError(f"{path} is not a readable embedding table ({error}); embed again.") from error
    own = (table.schema.metadata or {}).get(b"fingerprint", b"").decode()
    if fingerprint is not None and own != fingerprint:
        raise FingerprintError(f"{path} was made by encoder {own or 'unknown'}, not {fingerprint}; embed again.")
    return table


def table_vectors(table: pa.Table) -> np.ndarray:
    """The embeddings of a table, float32 [N, D]."""
    column = table.column("embedding").combine_chunks()
    return column.flatten().to_numpy(zero_copy_only=False).reshape(len(table), -1)
