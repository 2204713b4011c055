"""Hears what is wrong with a recording: which artifact, how bad, where.

import contrastive_artifacts as ca

encoder = ca.load("release")
encoder.classify("clip.wav").label          # "hum"
ca.scan("film.mp4").to_html("film.html")
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import artifacts as artifacts  # a callable module: artifacts() lists the names
    from .artifacts import RenderedView as RenderedView
    from .artifacts import artifact as artifact
    from .artifacts import render as render  # type: ignore[no-redef]
    from .artifacts import render_batch as render_batch
    from .artifacts import replay as replay
    from .core.errors import ArtifactsError as ArtifactsError
    from .embedding.pretrained import Classification as Classification
    from .embedding.pretrained import PretrainedEncoder as PretrainedEncoder
    from .embedding.pretrained import load as load
    from .scan.scan import Timeline as Timeline
    from .scan.scan import scan as scan
    from .search.index import Index as Index

__version__ = "0.1.0"

# Imported on first use: importing torch takes seconds, which `contrastive-artifacts --help` does not need.
_MODULES = {
    "RenderedView": "artifacts", "artifact": "artifacts", "render": "artifacts", "render_batch": "artifacts",
    "replay": "artifacts", "ArtifactsError": "core.errors", "Classification": "embedding.pretrained",
    "PretrainedEncoder": "embedding.pretrained", "load": "embedding.pretrained", "Timeline": "scan.scan",
    "scan": "scan.scan", "Index": "search.index",
}  # fmt: skip


class _Package(ModuleType):
    """This package. ``scan`` is the function even after an import of the sub-package of that name."""

    def __getattr__(self, name: str) -> Any:
        if name == "artifacts":
            return importlib.import_module(f"{__name__}.artifacts")
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
        setattr(self, name, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _MODULES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_MODULES, "artifacts"})


sys.modules[__name__].__class__ = _Package
