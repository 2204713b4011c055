"""Deterministic embedding of any input, window by window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from torch import nn

from .. import audio
from ..audio import windows
from ..core.errors import ParameterError
from ..core.vectors import unit_rows
from ..models import backbones
from ..models.detail import DetailFigures, numpy_detail
from ..models.encoder import Encoder

BATCH = 32
BLOCK_S = 30.0
Prepared = TypeVar("Prepared")  # a window in the form that an embedder's network takes
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


class PreparedWindow(NamedTuple):
    """A window as an encoder takes it: float32 [T] at the encoder's rate, and its figures at the input's own rate."""

    waveform: np.ndarray
    detail: DetailFigures[np.ndarray] | None = None  # [N, F] and [C]; None: the encoder computes them of ``waveform``


class Embedder(Generic[Prepared]):
    """Embeds files and waveforms window by window: ``window_s`` long, every ``hop_s``, the last one at the end.

    Channels are mixed to mono (:func:`~..audio.downmix`: the loudest one where the mean cancels); each window is
    embedded by itself, and none holds a gap of the file of 0.1 s or more; nothing is random. Vectors are h, before the
    projector.

    Attributes:
        states: What the encoder was trained to tell apart, ``"clean"`` first.
        window_s: Length of a window in seconds.
        sample_rate: Rate in Hz that :meth:`view_vectors` takes.
        wants_native: Whether it also takes figures of the waveform at its own rate, before resampling.
        fingerprint: Stored with whatever is embedded.
        dim: Width D of a vector.
        networks: The trained networks, to count their parameters.
    """

    states: tuple[str, ...]
    window_s: float
    sample_rate: int
    wants_native: bool
    fingerprint: str
    dim: int
    networks: tuple[nn.Module, ...]

    @property
    def hop_s(self) -> float:
        return self.window_s / 2

    @property
    def context_s(self) -> float:
        """Length in seconds of the sound around a window that is embedded with it; that of the window if none is."""
        return self.window_s

    def prepare(self, window: np.ndarray, rate: int) -> Prepared:
        """A mono float32 window [T] at ``rate`` Hz, ready for :meth:`vectors`."""
        raise NotImplementedError

    def prepare_all(
        self, waveforms: Sequence[np.ndarray], rate: int, contexts: Sequence[np.ndarray] | None = None
    ) -> list[Prepared]:
        """The same for mono float32 windows [T] of any lengths at ``rate`` Hz.

        ``contexts`` are the sound around each of them, of ``context_s``, see :func:`~..audio.windows.context_of`; by
        default the windows themselves. Embedders that take windows alone do not use them.
        """
        return [self.prepare(waveform, rate) for waveform in waveforms]

    def vectors(self, prepared: Sequence[Prepared]) -> np.ndarray:
        """h float32 [N, D] of prepared windows."""
        raise NotImplementedError

    def project(self, h: np.ndarray) -> np.ndarray:
        """z [N, 128], L2-normalised, of h [N, D]."""
        raise NotImplementedError

    def _view_windows(self, waveform: np.ndarray, native: tuple[np.ndarray, int]) -> list[Prepared]:
        """The prepared windows of a view, given at ``sample_rate`` and, with its rate, before resampling."""
        samples, rate = native
        mixes, contexts = windows.mixed(windows.cut(samples[None], *self._lengths(rate)))
        return self.prepare_all(mixes, rate, contexts)

    def embed(self, source: Input, channel: int | None = None, stream: audio.Stream = None) -> Embedding:
        """Embeds one input: the mean of its channels, or one channel of it.

        Args:
            source: A file, or a waveform with its rate.
            channel: Counted from 0.
            stream: Of a file, see :func:`~..audio.read`.

        Raises:
            AudioError: it cannot be read, is empty, or holds NaN.
            ParameterError: neither a path nor a pair, a sample rate that is no whole number, or no such channel.
        """
        return next(iter(self.embed_batch([source], channel, stream)))

    def embed_batch(
        self, sources: Sequence[Input], channel: int | None = None, stream: audio.Stream = None
    ) -> list[Embedding]:
        """The same for many inputs, batched over the windows of all of them."""
        rates, positions, source_numbers = [], [], []
        prepared: list[Prepared] = []
        vectors: list[np.ndarray] = []
        for number, source in enumerate(sources):
            rate, source_windows = self._windows(source, stream)
            rates.append(rate)
            while cuts := list(islice(source_windows, BATCH)):
                source_numbers += [number] * len(cuts)
                positions += [(cut.start, cut.start + cut.samples.shape[1]) for cut in cuts]
                channels = len(cuts[0].samples)
                if channel is not None and not 0 <= channel < channels:
                    raise ParameterError(f"channel={channel}: there are {channels} channels, counted from 0.")
                mixes, contexts = windows.mixed(cuts, channel)
                prepared += self.prepare_all(mixes, rate, contexts)
                if len(prepared) >= 4 * BATCH:
                    vectors.append(self.vectors(prepared))
                    prepared = []
        vectors.append(self.vectors(prepared))
        frames, samples, number_of = np.concatenate(vectors), np.array(positions, np.int64), np.array(source_numbers)
        embeddings = []
        for number, rate in enumerate(rates):
            rows = number_of == number
            embeddings.append(Embedding(unit_rows(frames[rows].mean(axis=0)), frames[rows], samples[rows], rate))
        return embeddings

    def embed_windows(
        self, waveforms: Sequence[np.ndarray], sample_rate: int, contexts: Sequence[np.ndarray] | None = None
    ) -> np.ndarray:
        """h float32 [N, D] of N mono float32 windows [T] at ``sample_rate`` Hz, each embedded as one window.

        ``contexts`` are those of :meth:`prepare_all`.
        """
        return self.vectors(self.prepare_all(waveforms, sample_rate, contexts))

    def view_vectors(
        self, waveforms: Sequence[np.ndarray], natives: Sequence[tuple[np.ndarray, int]] | None = None
    ) -> dict[str, np.ndarray]:
        """``{"h": [N, D], "z": [N, 128]}``: per waveform [T] the unit mean of its windows, as ``Embedding.clip``.

        Args:
            waveforms: N views at ``sample_rate``.
            natives: The same views before resampling, each with its rate; by default the waveforms themselves.
        """
        natives = [(w, self.sample_rate) for w in waveforms] if natives is None else natives
        views = [self._view_windows(*pair) for pair in zip(waveforms, natives, strict=True)]
        h = self.vectors([window for view in views for window in view])
        ends = np.cumsum([len(view) for view in views])
        spaces = {"h": np.split(h, ends[:-1]), "z": np.split(self.project(h), ends[:-1])}
        return {name: unit_rows(np.stack([rows.mean(axis=0) for rows in space])) for name, space in spaces.items()}

    def _windows(self, source: Input, stream: audio.Stream) -> tuple[int, Iterator[windows.Window]]:
        """The input's rate, and its windows."""
        if isinstance(source, tuple | list) and len(source) == 2:
            waveform, rate = audio.as_waveform(*source), int(source[1])
            runs: Iterable[Iterable[tuple[int, np.ndarray]]] = [[(0, waveform)]]
        elif isinstance(source, str | Path) or audio.is_address(source):
            file = audio.MediaFile(source, stream)
            rate = file.info.sample_rate
            runs = file.runs(round(BLOCK_S * rate))
        else:
            raise ParameterError(f"There is a {type(source).__name__}; give a path, or (waveform, sample_rate).")
        return rate, chain.from_iterable(windows.stream(run, *self._lengths(rate)) for run in runs)

    def _lengths(self, rate: int) -> tuple[int, int, int]:
        """Samples of a window, a hop and a context."""
        return round(self.window_s * rate), round(self.hop_s * rate), round(self.context_s * rate)


class WindowEmbedder(Embedder[PreparedWindow]):
    """Embeds each window as a whole by an encoder.

    Each window is resampled by itself. Vectors are computed by a frozen copy of the encoder as it is now: training it
    further changes nothing here.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder.eval()
        self.networks = (encoder,)
        self.states, self.window_s = encoder.settings.states, encoder.settings.window_s
        self.sample_rate, self.wants_native = encoder.sample_rate, encoder.settings.native
        self.dim = encoder.settings.hidden
        self.fingerprint = encoder.fingerprint()
        self._frozen = backbones.freeze(encoder)

    def prepare(self, window: np.ndarray, rate: int) -> PreparedWindow:
        return PreparedWindow(audio.resample(window, rate, self.sample_rate), self._detail(window, rate))

    def project(self, h: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return unit_rows(self.encoder.projector(torch.from_numpy(h)).numpy())

    def vectors(self, prepared: Sequence[PreparedWindow]) -> np.ndarray:
        """h float32 [N, D]; windows of equal length are batched."""
        out = np.zeros((len(prepared), self.dim), np.float32)
        sizes = [(len(p.waveform), 0 if p.detail is None else len(p.detail.frames)) for p in prepared]
        for _, group in groupby(sorted(range(len(prepared)), key=sizes.__getitem__), key=sizes.__getitem__):
            members = list(group)
            for i in range(0, len(members), BATCH):
                rows = members[i : i + BATCH]
                with torch.inference_mode():
                    out[rows] = self._frozen(*_batched([prepared[row] for row in rows])).h.numpy()
        return out

    def _detail(self, window: np.ndarray, rate: int) -> DetailFigures[np.ndarray] | None:
        if not self.wants_native:
            return None
        return DetailFigures(*(figures[0] for figures in numpy_detail(window[None], rate)))

    def _view_windows(self, waveform: np.ndarray, native: tuple[np.ndarray, int]) -> list[PreparedWindow]:
        samples, rate = native
        length, hop = round(self.window_s * self.sample_rate), round(self.hop_s * self.sample_rate)
        prepared = []
        for start in windows.starts(len(waveform), length, hop).tolist():
            first = round(start * rate / self.sample_rate)
            native_window = samples[first : first + round(self.window_s * rate)]
            prepared.append(PreparedWindow(waveform[start : start + length], self._detail(native_window, rate)))
        return prepared


def _batched(prepared: Sequence[PreparedWindow]) -> tuple[torch.Tensor, DetailFigures[torch.Tensor] | None]:
    """Windows of one size as the encoder's input."""
    waveforms = torch.from_numpy(np.stack([p.waveform for p in prepared]))
    details = [p.detail for p in prepared if p.detail is not None]
    if not details:
        return waveforms, None
    frames, clip = np.stack([d.frames for d in details]), np.stack([d.clip for d in details])
    return waveforms, DetailFigures(torch.from_numpy(frames), torch.from_numpy(clip))
