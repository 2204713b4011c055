"""Renders artifacts by name, and again from their parameters."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .. import audio
from ..core import seeding
from ..core.errors import ParameterError
from .base import Params, RenderedView, check_severity, merge, whole
from .catalog import ARTIFACTS, CLEAN

VERSION = 4  # of the rendering: equal params of one version give equal samples
_KEYS = ("artifact", "severity", "seed", "parameters", "version")
COMPOUND = "compound"  # the "artifact" in the params of a view of several
Rendering = Callable[[np.ndarray, int, Params], tuple[np.ndarray, np.ndarray]]
_SPLICE_S = 0.005  # too short to be heard as a fade, too long for a click


def render(
    name: str,
    waveform: Any,
    sample_rate: int,
    severity: float = 0.5,
    seed: int = 0,
    span: tuple[int, int] | None = None,
) -> RenderedView:
    """Renders one artifact into a clip, or into a span of it, at the clip's own rate.

    The level is not changed: nothing is normalised, and values may exceed full scale.

    Args:
        name: an artifact, or "clean" for an untouched copy (its severity is 0).
        waveform: NumPy or torch, ``[T]`` or ``[C, T]`` with up to 8 channels, any float or integer type; not changed.
        sample_rate: Hz.
        severity: 0 (just noticeable) to 1 (severe); ``artifact(name).scale`` says what it maps to.
        seed: equal seeds give equal views, in any process.
        span: samples [start, stop) to which the artifact is limited: they are rendered as if they were the clip, and
            the change is faded in and out over 5 ms inside them, so that the edges do not click. Default: all.

    Returns:
        The view: the same kind and shape as ``waveform``, float32.

    Raises:
        UnknownNameError: no such artifact; the message lists close matches.
        ParameterError: severity outside [0, 1], a seed that is not an integer, or a span outside the clip.
        AudioError: the waveform is empty, not finite, or has too many channels.
    """
    params = draw(name, severity, seed)
    if span is not None and name != CLEAN:
        params["span"] = [int(bound) for bound in span]
    return _drawn(params, audio.as_waveform(waveform, sample_rate), waveform, sample_rate)


def render_batch(
    states: Sequence[tuple[str, float]],
    waveforms: Sequence[Any],
    sample_rate: int,
    seeds: Sequence[int] | None = None,
) -> Iterator[list[RenderedView]]:
    """Renders every state into every clip; each clip is checked and converted once for all of its views.

    Args:
        states: (name, severity), as those of :func:`render`.
        waveforms: N clips, each as in :func:`render`.
        sample_rate: Hz, of all.
        seeds: [N], of the views of each clip; default 0, 1, 2 ...

    Yields:
        The views of each clip in the order of ``states``, equal to ``render(name, clip, sample_rate, severity, seed)``.

    Raises:
        ParameterError: there are not as many seeds as clips.
        UnknownNameError, ParameterError, AudioError: as :func:`render`, when the clip is reached.
    """
    seeds = range(len(waveforms)) if seeds is None else seeds
    if len(seeds) != len(waveforms):
        raise ParameterError(f"There are {len(seeds)} seeds for {len(waveforms)} clips; give one for each.")
    for waveform, seed in zip(waveforms, seeds, strict=True):
        samples = audio.as_waveform(waveform, sample_rate)
        drawn = [draw(name, severity, seed) for name, severity in states]
        yield [_drawn(params, samples, waveform, sample_rate) for params in drawn]


def _drawn(params: Params, samples: np.ndarray, waveform: Any, sample_rate: int) -> RenderedView:
    """The view of params that were just drawn, on the checked ``samples`` of ``waveform``."""
    if params["artifact"] == CLEAN:
        out, touched = samples.copy(), np.zeros((0, 2), dtype=np.int64)
    else:
        out, touched = _render(samples, sample_rate, params, ARTIFACTS[params["artifact"]].render_drawn)
    return RenderedView(_like(out, waveform), sample_rate, params, touched)


def draw(name: str, severity: float = 0.5, seed: int = 0) -> Params:
    """The params of :func:`render` for these arguments, without rendering: what :func:`replay` takes.

    Raises:
        UnknownNameError, ParameterError: as :func:`render`.
    """
    severity = check_severity(severity)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise ParameterError(f"seed is {seed!r}; give an integer.")
    if name == CLEAN:
        return _record(CLEAN, 0.0, int(seed), {})
    parameters = ARTIFACTS[name].sample(severity, seeding.generator(int(seed), "artifact", name))
    return _record(name, severity, int(seed), parameters)


def replay(waveform: Any, sample_rate: int, params: Params) -> Any:
    """Renders a view again from its parameters and its clean clip: the same samples, bit for bit.

    Raises:
        ParameterError: ``params`` is of another version, lacks a key, or has a value out of range.
        UnknownNameError: no such artifact.
        AudioError: as :func:`render`.
    """
    return replay_view(waveform, sample_rate, params).waveform


def replay_view(waveform: Any, sample_rate: int, params: Params) -> RenderedView:
    """:func:`replay` with the segments that it touched: the view as it was rendered at first."""
    samples, touched = audio.as_waveform(waveform, sample_rate), [np.zeros((0, 2), dtype=np.int64)]
    for step in _steps(params):
        if step["artifact"] == CLEAN:
            samples = samples.copy()
        else:
            samples, segments = _render(samples, sample_rate, step, ARTIFACTS[step["artifact"]].render)
            touched.append(segments)
    return RenderedView(_like(samples, waveform), sample_rate, dict(params), _union(touched))


def compose(
    chain: Sequence[tuple[str, float]],
    waveform: Any,
    sample_rate: int,
    seed: int = 0,
    span: tuple[int, int] | None = None,
) -> RenderedView:
    """Renders several artifacts one after the other, each on the output of the one before.

    Args:
        chain: (name, severity) in the order of rendering, for instance from :meth:`.presets.Preset.draw`.
        waveform, sample_rate, seed, span: as in :func:`render`; the span is that of every step.

    Returns:
        A view whose ``params["parameters"]["chain"]`` lists the params of every step, and whose segments are the union
        of those of the steps.

    Raises:
        ParameterError: the chain is empty, or as :func:`render`.
    """
    views = compose_steps(chain, waveform, sample_rate, seed, span)
    segments = _union([view.segments for view in views])
    return RenderedView(views[-1].waveform, sample_rate, compound_params(views, seed), segments)


def compose_steps(
    chain: Sequence[tuple[str, float]],
    waveform: Any,
    sample_rate: int,
    seed: int = 0,
    span: tuple[int, int] | None = None,
) -> list[RenderedView]:
    """The view after each step of :func:`compose`, with the segments and the params of that step only.

    Raises:
        ParameterError: the chain is empty, or as :func:`render`.
    """
    if not chain:
        raise ParameterError("The chain is empty; give at least one (name, severity).")
    samples, views = audio.as_waveform(waveform, sample_rate), []
    for index, (name, severity) in enumerate(chain):
        view = render(name, samples, sample_rate, severity, seeding.derive(seed, "chain", index), span)
        samples = view.waveform
        views.append(replace(view, waveform=_like(samples.copy(), waveform)))
    return views


def compound_params(steps: Sequence[RenderedView], seed: int) -> Params:
    """The params of :func:`compose` for the views of :func:`compose_steps`."""
    chain = [view.params for view in steps]
    return _record(COMPOUND, max(step["severity"] for step in chain), int(seed), {"chain": chain})


def _union(touched: Sequence[np.ndarray]) -> np.ndarray:
    spans = np.concatenate(touched)
    spans = spans[np.argsort(spans[:, 0], kind="stable")]
    return merge(spans[:, 0], spans[:, 1])


def _record(name: str, severity: float, seed: int, parameters: Params) -> Params:
    return {"artifact": name, "severity": severity, "seed": seed, "parameters": parameters, "version": VERSION}


def _steps(params: Any) -> list[Params]:
    """The params of each single rendering in the params of a view.

    Raises:
        ParameterError: they are malformed or of another version.
    """
    if isinstance(params, str):
        raise ParameterError("params is a string; parse it first: json.loads(params).")
    if not isinstance(params, Mapping) or set(params) - {"span"} != set(_KEYS):
        held = sorted(map(str, params)) if isinstance(params, Mapping) else type(params).__name__
        raise ParameterError(f"params holds {held}; give view.params, with exactly {', '.join(_KEYS)}.")
    if params["version"] != VERSION or isinstance(params["version"], bool):
        raise ParameterError(f"params are of version {params['version']!r}; this package renders version {VERSION}.")
    check_severity(params["severity"])
    if params["artifact"] == COMPOUND:
        chain = params["parameters"].get("chain") if isinstance(params["parameters"], Mapping) else None
        if not isinstance(chain, list) or not chain:
            raise ParameterError(f"A compound needs parameters.chain, a list of params, not {chain!r}.")
        return [step for inner in chain for step in _steps(inner)]
    return [dict(params)]


def _render(samples: np.ndarray, sample_rate: int, step: Params, rendered: Rendering) -> tuple[np.ndarray, np.ndarray]:
    """The output ``[C, T]`` and the touched segments of one step, within its span.

    ``rendered`` is :meth:`.Artifact.render` of its artifact, or :meth:`.Artifact.render_drawn`.
    """
    if "span" not in step:
        return rendered(samples, sample_rate, step["parameters"])
    start, stop = _check_span(step["span"], samples.shape[-1])
    excerpt = np.ascontiguousarray(samples[:, start:stop])
    inner, segments = rendered(excerpt, sample_rate, step["parameters"])
    length = min(round(_SPLICE_S * sample_rate), (stop - start) // 2)
    rise = (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / max(1, length))).astype(np.float32)
    for edge, fade in ((slice(0, length), rise), (slice(stop - start - length, None), rise[::-1])):
        inner[:, edge] = excerpt[:, edge] + fade * (inner[:, edge] - excerpt[:, edge])
    out = samples.copy()
    out[:, start:stop] = inner
    if ARTIFACTS[step["artifact"]].displaces:  # the cross-fades to the displaced sound are audible, too
        segments = whole(excerpt)
    return out, segments + start


def _check_span(span: Any, samples: int) -> tuple[int, int]:
    good = isinstance(span, list) and len(span) == 2 and all(isinstance(b, int) for b in span)
    if not good or not 0 <= span[0] < span[1] <= samples:
        raise ParameterError(f"span is {span!r}; give start and stop in samples with 0 <= start < stop <= {samples}.")
    return span[0], span[1]


def to_json(params: Params) -> str:
    """The params of a view in one line, as tables store them."""
    return json.dumps(params, sort_keys=True, allow_nan=False)


def _like(samples: np.ndarray, original: Any) -> Any:
    """``[C, T]`` as the kind (NumPy or torch) and with the number of dimensions of ``original``."""
    samples = samples if np.ndim(original) == 2 else samples[0]
    torch = sys.modules.get("torch")  # no import: if the original is a tensor, torch has been imported
    if torch is not None and isinstance(original, torch.Tensor):
        return torch.from_numpy(samples).to(original.device)
    return samples
