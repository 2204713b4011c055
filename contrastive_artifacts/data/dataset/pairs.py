"""One clip and its damaged views as 24-bit samples on a common scale.

FLAC cannot store samples beyond full scale, which some artifacts exceed. All files of a clip then get one gain, 2 ** -k
with the smallest sufficient k. Views are rendered from the clean samples *as stored in the file*, so a pair is exact::

    gain = 10 ** (row.gain_db / 20)                        # 1.0, 0.5, 0.25, ...
    damaged = gain * replay(clean / gain, sample_rate, params)

equals the damaged file to within half a quantisation step of 24 bits (:data:`STEP`), where ``clean`` is read from the
clean file. A gain that is a power of two makes both divisions exact and is lossless for 16-bit sources.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import soundfile

from ... import artifacts, audio
from ...artifacts import ARTIFACTS, RenderedView
from ...core.errors import AudioError, ParameterError
from ..corpora import Corpus
from .plan import PlannedClip, PlannedView

STEP = 2.0**-23  # quantisation step of 24-bit audio, full scale 1.0
HELD_BYTES = 2**29  # of rendered views kept in memory until the gain is known; the others are rendered twice


class Group(NamedTuple):
    """A clean clip and its views on a common scale; files store ``2 ** -shift`` times the samples.

    Views beyond :data:`HELD_BYTES` have no waveform; :func:`waveforms` renders it again.
    """

    clean: np.ndarray  # float32 [C, T], quantised as in the clean file
    sample_rate: int
    shift: int
    views: list[tuple[PlannedView, RenderedView]]

    @property
    def gain_db(self) -> float:
        return float(20 * np.log10(2.0**-self.shift)) + 0.0


def load(corpus: Corpus, planned: PlannedClip, clip_s: float | None) -> tuple[np.ndarray, int, int]:
    """Loads the clip or its crop: float32 [C, T], the rate in Hz, and its start in the whole clip in samples.

    Raises:
        AudioError: the clip cannot be read, or is shorter than ``clip_s``.
    """
    clip = planned.clip
    if planned.crop is None or clip_s is None:
        return *corpus.load(clip), 0
    if clip.path is not None:
        info = audio.probe(clip.path)
        length = max(1, round(clip_s * info.sample_rate))
        if info.samples is not None and info.samples >= length:
            start = int(planned.crop * (info.samples - length + 1))
            part, rate = audio.read(clip.path, start, start + length)
            if part.shape[1] == length:  # the length that a container states can be too large
                return part, rate, start
    waveform, rate = corpus.load(clip)
    length, samples = max(1, round(clip_s * rate)), waveform.shape[1]
    if samples < length:
        raise AudioError(f"{clip.id} lasts {samples / rate:.3f} s, less than clip_s={clip_s:g}; use a smaller clip_s.")
    start = int(planned.crop * (samples - length + 1))
    return np.ascontiguousarray(waveform[:, start : start + length]), rate, start


def fitting(views: Sequence[PlannedView], channels: int) -> list[PlannedView]:
    """The views whose artifact is possible with that number of channels; compounds draw from the possible ones."""
    return [view for view in views if view.compound or ARTIFACTS[view.artifact].fits(channels)]


def render_group(waveform: np.ndarray, sample_rate: int, views: Sequence[PlannedView]) -> Group:
    """Renders the views of a clean clip float32 [C, T] with the smallest common shift."""
    shift = _shift(waveform)
    while True:
        clean = _quantised(waveform, shift)
        pairs, needed, in_memory = [], shift, 0
        for view in views:
            rendered = render_view(view, clean, sample_rate)
            needed = max(needed, _shift(rendered.waveform))
            in_memory += rendered.waveform.nbytes
            pairs.append((view, rendered if in_memory <= HELD_BYTES else dataclasses.replace(rendered, waveform=None)))
        # A coarser quantisation changes the clean samples, and so the views, unless the samples have few bits.
        if needed == shift or np.array_equal(clean, _quantised(waveform, needed)):
            return Group(clean, sample_rate, needed, pairs)
        shift = needed


def render_view(view: PlannedView, waveform: np.ndarray, sample_rate: int) -> RenderedView:
    """Renders one planned view of a clean clip float32 [C, T]."""
    span = None
    if view.span is not None:
        share, place = view.span
        length = max(1, round(share * waveform.shape[1]))
        start = int(place * (waveform.shape[1] - length + 1))
        span = (start, start + length)
    if view.compound is None:
        return artifacts.render(view.artifact, waveform, sample_rate, view.severity, view.seed, span)
    preset, severities = view.compound
    chain = preset.draw(view.seed, len(waveform), severities)
    if len(chain) == 1:
        return artifacts.render(chain[0][0], waveform, sample_rate, chain[0][1], view.seed, span)
    return artifacts.compose(chain, waveform, sample_rate, view.seed, span)


def waveforms(group: Group) -> Iterator[tuple[PlannedView, RenderedView, np.ndarray]]:
    """Each view with its waveform, one at a time."""
    for view, rendered in group.views:
        waveform = rendered.waveform
        if waveform is None:
            waveform = artifacts.replay(group.clean, group.sample_rate, rendered.params)
        yield view, rendered, waveform


def encode(waveform: np.ndarray, sample_rate: int, shift: int) -> bytes:
    """24-bit FLAC of ``2 ** -shift`` times float32 [C, T]; equal samples give equal bytes.

    Raises:
        AudioError: FLAC does not support the sample rate.
    """
    steps = np.round(waveform / np.float32(STEP * 2.0**shift)).astype(np.int32)
    out = io.BytesIO()
    try:
        soundfile.write(out, (steps << 8).T, sample_rate, subtype="PCM_24", format="FLAC")
    except soundfile.LibsndfileError as error:
        raise AudioError(f"FLAC cannot hold {sample_rate} Hz ({error}); resample the recording first.") from error
    return out.getvalue()


def _quantised(waveform: np.ndarray, shift: int) -> np.ndarray:
    step = np.float32(STEP * 2.0**shift)
    return np.round(waveform / step) * step


def _shift(waveform: np.ndarray) -> int:
    """The smallest k >= 0 for which ``2 ** -k`` times the waveform fits into 24 bits."""
    low, high = float(waveform.min()), float(waveform.max())
    for shift in range(128):
        step = STEP * 2.0**shift
        if round(low / step) >= -(2**23) and round(high / step) < 2**23:
            return shift
    raise ParameterError(f"A peak of {max(-low, high):g} cannot be scaled to full scale; the samples are no audio.")
