"""Renders artifacts by name, and renders them again from their parameters."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import audio, seeding
from ..errors import ParameterError
from .base import Params, RenderedView, check_severity, merge
from .catalog import ARTIFACTS, CLEAN

VERSION = 1
_KEYS = ("artifact", "severity", "seed", "parameters", "version")
_COMPOUND = "compound"


def render(name: str, waveform: Any, sample_rate: int, severity: float = 0.5, seed: int = 0) -> RenderedView:
    """Renders one artifact into a clip, at the clip's own rate.

    Level is left alone: nothing is normalised, and values above full scale are kept.

    Args:
        name: an artifact, or "clean" for an untouched copy (its severity is 0).
        waveform: NumPy or torch, ``[T]`` or ``[C, T]`` with up to 8 channels, any float or integer type; not changed.
        sample_rate: Hz.
        severity: 0 (just noticeable) to 1 (severe); what it means is ``artifact(name).scale``.
        seed: equal seeds give equal views, in any process.

    Returns:
        The view: same kind and shape, float32.

    Raises:
        UnknownNameError: no such artifact; the message lists close matches.
        ParameterError: severity outside [0, 1], or a seed that is not an integer.
        AudioError: the waveform is empty, not finite, or has too many channels.
    """
    severity = check_severity(severity)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise ParameterError(f"seed is {seed!r}; give an integer.")
    samples = audio.as_waveform(waveform, sample_rate)
    if name == CLEAN:
        params = _record(CLEAN, 0.0, int(seed), {})
        return RenderedView(_like(samples.copy(), waveform), sample_rate, params, np.zeros((0, 2), dtype=np.int64))
    artifact = ARTIFACTS[name]
    parameters = artifact.sample(severity, seeding.generator(int(seed), "artifact", name))
    params = _record(name, severity, int(seed), parameters)
    touched = artifact.segments(samples, sample_rate, parameters)
    return RenderedView(_like(artifact.apply(samples, sample_rate, parameters), waveform), sample_rate, params, touched)


def replay(waveform: Any, sample_rate: int, params: Params) -> Any:
    """Renders again, from the parameters of a view and its clean clip: the same samples, bit for bit.

    Raises:
        ParameterError: ``params`` is of another version, lacks something, or holds a value out of range.
        UnknownNameError: no such artifact.
        AudioError: as :func:`render`.
    """
    samples = audio.as_waveform(waveform, sample_rate)
    for step in _steps(params):
        samples = samples.copy() if step["artifact"] == CLEAN else _apply(samples, sample_rate, step)
    return _like(samples, waveform)


def compose(chain: Sequence[tuple[str, float]], waveform: Any, sample_rate: int, seed: int = 0) -> RenderedView:
    """Renders several artifacts one after the other, each on the outcome of the one before.

    Args:
        chain: (name, severity) in the order in which they arise.
        waveform, sample_rate, seed: as in :func:`render`.

    Returns:
        A view whose ``params["parameters"]["chain"]`` holds the params of every step, and whose segments are the union.

    Raises:
        ParameterError: the chain is empty, or as :func:`render`.
    """
    if not chain:
        raise ParameterError("The chain is empty; give at least one (name, severity).")
    samples, steps, touched = audio.as_waveform(waveform, sample_rate), [], []
    for index, (name, severity) in enumerate(chain):
        view = render(name, samples, sample_rate, severity, seeding.derive(seed, "chain", index))
        samples = view.waveform
        steps.append(view.params)
        touched.append(view.segments)
    spans = np.concatenate(touched)
    spans = spans[np.argsort(spans[:, 0], kind="stable")]
    params = _record(_COMPOUND, max(step["severity"] for step in steps), int(seed), {"chain": steps})
    return RenderedView(_like(samples.copy(), waveform), sample_rate, params, merge(spans[:, 0], spans[:, 1]))


def _record(name: str, severity: float, seed: int, parameters: Params) -> Params:
    return {"artifact": name, "severity": severity, "seed": seed, "parameters": parameters, "version": VERSION}


def _steps(params: Any) -> list[Params]:
    """The single renderings that the params of a view stand for."""
    if isinstance(params, str):
        raise ParameterError("params is a string; parse it first: json.loads(params).")
    if not isinstance(params, Mapping) or set(params) != set(_KEYS):
        held = sorted(map(str, params)) if isinstance(params, Mapping) else type(params).__name__
        raise ParameterError(f"params holds {held}; give view.params, with exactly {', '.join(_KEYS)}.")
    if params["version"] != VERSION or isinstance(params["version"], bool):
        raise ParameterError(f"params are of version {params['version']!r}; this package renders version {VERSION}.")
    check_severity(params["severity"])
    if params["artifact"] == _COMPOUND:
        chain = params["parameters"].get("chain") if isinstance(params["parameters"], Mapping) else None
        if not isinstance(chain, list) or not chain:
            raise ParameterError(f"A compound needs parameters.chain, a list of params, not {chain!r}.")
        return [step for inner in chain for step in _steps(inner)]
    return [dict(params)]


def _apply(samples: np.ndarray, sample_rate: int, step: Params) -> np.ndarray:
    return ARTIFACTS[step["artifact"]].apply(samples, sample_rate, step["parameters"])


def to_json(params: Params) -> str:
    """The params of a view in one line, as tables store them."""
    return json.dumps(params, sort_keys=True, allow_nan=False)


def _like(samples: np.ndarray, original: Any) -> Any:
    """``[C, T]`` in the kind and the number of dimensions of ``original``."""
    samples = samples if np.ndim(original) == 2 else samples[0]
    torch = sys.modules.get("torch")  # a tensor can only come from an imported torch; it is not imported for it
    if torch is not None and isinstance(original, torch.Tensor):
        return torch.from_numpy(samples).to(original.device)
    return samples
