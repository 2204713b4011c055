"""One clip and its damaged views as 24-bit samples that belong together.

FLAC ends at full scale, and some artifacts go beyond it. The whole group then gets one gain, 2 ** -k with the smallest
k that fits all of it. Views are rendered from the clean samples *as the file holds them*, so that the pair is exact::

    gain = 10 ** (row.gain_db / 20)                        # 1.0, 0.5, 0.25, ...
    damaged = gain * replay(clean / gain, sample_rate, params)

is the damaged file, to within half a step of 24 bits (:data:`STEP`), where ``clean`` is read from the clean file. A
gain that is a power of two makes both divisions exact, and costs 16-bit sources nothing at all.
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

STEP = 2.0**-23  # of 24-bit audio, full scale 1.0
HELD_BYTES = 2**29  # rendered views that are held in memory until the gain is known; others are replayed


class Group(NamedTuple):
    """A clean clip and its views on a common scale; files hold ``2 ** -shift`` times the samples.

    ``views`` hold no waveform where that would have taken too much memory: see :func:`waveforms`.
    """

    clean: np.ndarray  # float32 [C, T], on the grid of the clean file
    sample_rate: int
    shift: int
    views: list[tuple[PlannedView, RenderedView]]

    @property
    def gain_db(self) -> float:
        return float(20 * np.log10(2.0**-self.shift)) + 0.0


def load(corpus: Corpus, planned: PlannedClip, clip_s: float | None) -> tuple[np.ndarray, int, int]:
    """The clip, or its crop: float32 [C, T], the rate in Hz, and where it starts in the whole clip, in samples.

    Raises:
        AudioError: the clip cannot be read, or is shorter than ``clip_s``.
    """
    clip = planned.clip
    if planned.crop is None or clip_s is None:
        return *corpus.load(clip), 0
    if clip.path is not None:
        info = audio.probe(clip.path)
        wanted = max(1, round(clip_s * info.sample_rate))
        if info.samples is not None and info.samples >= wanted:
            start = int(planned.crop * (info.samples - wanted + 1))
            part, rate = audio.read(clip.path, start, start + wanted)
            if part.shape[1] == wanted:  # a container may promise more than it holds
                return part, rate, start
    waveform, rate = corpus.load(clip)
    wanted, samples = max(1, round(clip_s * rate)), waveform.shape[1]
    if samples < wanted:
        raise AudioError(f"{clip.id} lasts {samples / rate:.3f} s, less than clip_s={clip_s:g}; take a shorter one.")
    start = int(planned.crop * (samples - wanted + 1))
    return np.ascontiguousarray(waveform[:, start : start + wanted]), rate, start


def fitting(views: Sequence[PlannedView], channels: int) -> list[PlannedView]:
    """The views whose artifact can happen to a clip of so many channels; a compound chooses what can."""
    return [view for view in views if view.compound or ARTIFACTS[view.artifact].fits(channels)]


def render_group(waveform: np.ndarray, sample_rate: int, views: Sequence[PlannedView]) -> Group:
    """Renders the views of float32 [C, T]."""
    shift = _shift(waveform)
    while True:
        clean = _on_grid(waveform, shift)
        made, wanted, held = [], shift, 0
        for view in views:
            rendered = render_view(view, clean, sample_rate)
            wanted = max(wanted, _shift(rendered.waveform))
            held += rendered.waveform.nbytes
            made.append((view, rendered if held <= HELD_BYTES else dataclasses.replace(rendered, waveform=None)))
        # A coarser grid moves the clean samples, unless they had few bits: then what was rendered still holds.
        if wanted == shift or np.array_equal(clean, _on_grid(waveform, wanted)):
            return Group(clean, sample_rate, wanted, made)
        shift = wanted


def render_view(view: PlannedView, waveform: np.ndarray, sample_rate: int) -> RenderedView:
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
    for view, made in group.views:
        kept = made.waveform
        yield view, made, kept if kept is not None else artifacts.replay(group.clean, group.sample_rate, made.params)


def encode(waveform: np.ndarray, sample_rate: int, shift: int) -> bytes:
    """FLAC of 24 bits that holds ``2 ** -shift`` times float32 [C, T]; equal samples give equal bytes.

    Raises:
        AudioError: FLAC has no such sample rate.
    """
    steps = np.round(waveform / np.float32(STEP * 2.0**shift)).astype(np.int32)
    out = io.BytesIO()
    try:
        soundfile.write(out, (steps << 8).T, sample_rate, subtype="PCM_24", format="FLAC")
    except soundfile.LibsndfileError as error:
        raise AudioError(f"FLAC cannot hold {sample_rate} Hz ({error}); resample the recording first.") from error
    return out.getvalue()


def _on_grid(waveform: np.ndarray, shift: int) -> np.ndarray:
    step = np.float32(STEP * 2.0**shift)
    return np.round(waveform / step) * step


def _shift(waveform: np.ndarray) -> int:
    """The smallest k >= 0 with which ``2 ** -k`` times the waveform fits into 24 bits."""
    low, high = float(waveform.min()), float(waveform.max())
    for shift in range(128):
        step = STEP * 2.0**shift
        if round(low / step) >= -(2**23) and round(high / step) < 2**23:
            return shift
    raise ParameterError(f"A peak of {max(-low, high):g} cannot be brought to full scale; the samples are no audio.")
