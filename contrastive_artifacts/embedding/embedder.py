"""Deterministic windowed embedding of any input, and the table that embeddings are kept in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch

from .. import audio
from ..audio import windows
from ..models import backbones
from ..models.detail import DetailFigures, numpy_detail
from ..models.encoder import Encoder

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
