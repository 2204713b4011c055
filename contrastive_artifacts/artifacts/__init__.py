"""Artifacts: faults of recordings, rendered with known type, severity, position and parameters."""

from __future__ import annotations

import sys
from types import ModuleType

from .base import Artifact as Artifact
from .base import RenderedView as RenderedView
from .catalog import ARTIFACTS as ARTIFACTS
from .catalog import CLEAN as CLEAN
from .catalog import DEFAULT as DEFAULT
from .presets import PRESETS as PRESETS
from .presets import Preset as Preset
from .presets import states as states
from .render import COMPOUND as COMPOUND
from .render import compose as compose
from .render import compose_steps as compose_steps
from .render import compound_params as compound_params
from .render import draw as draw
from .render import render as render
from .render import render_batch as render_batch
from .render import replay as replay
from .render import replay_view as replay_view
from .render import to_json as to_json


def names() -> tuple[str, ...]:
    """The names of all artifacts, in the order of the registry."""
    return ARTIFACTS.names()


def artifact(name: str) -> Artifact:
    """The record of one artifact: name, family, synonyms, scale, fields.

    Raises:
        UnknownNameError: no such artifact; the message lists close matches.
    """
    return ARTIFACTS[name]


class _Callable(ModuleType):
    """A module that can be called: ``ca.artifacts()`` returns the names, and ``ca.artifacts.render`` works as well."""

    def __call__(self) -> tuple[str, ...]:
        return names()


sys.modules[__name__].__class__ = _Callable
