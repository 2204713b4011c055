"""The files of a timeline that other programs read: a registry of formats by name (``docs/formats.md``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.registry import Registry
from . import document, ebu_qc, page, pbcore, tables, textgrid, tracks

if TYPE_CHECKING:
    from ..timeline import Timeline

DEFAULT = ("csv", "json", "audacity", "webvtt", "html")


@dataclass(frozen=True)
class Format:
    """A format of files.

    Attributes:
        suffix: Of the files of a scan: ``film.artifacts.SUFFIX``.
        write: Writes a timeline to a path.
    """

    suffix: str
    write: Callable[[Timeline, str | Path], None]


FORMATS: Registry[Format] = Registry("format")
FORMATS.register("csv", Format("csv", tables.write_csv))
FORMATS.register("json", Format("json", document.write_json))
FORMATS.register("audacity", Format("txt", tracks.write_audacity))
FORMATS.register("webvtt", Format("vtt", tracks.write_webvtt))
FORMATS.register("html", Format("html", page.write_html))
FORMATS.register("raven", Format("selections.txt", tables.write_raven))
FORMATS.register("textgrid", Format("TextGrid", textgrid.write_textgrid))
FORMATS.register("parquet", Format("parquet", tables.write_parquet))
FORMATS.register("ebu_qc", Format("ebu_qc.xml", ebu_qc.write_ebu_qc))
FORMATS.register("pbcore", Format("pbcore.xml", pbcore.write_pbcore))
