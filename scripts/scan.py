"""Scans a recording of any length and writes a timeline of its artifacts.

    python scripts/scan.py film.mp4
    python scripts/scan.py "film (1), reel=2.wav" encoder=release/slow enter=0.45

Prints the segments and what was measured: peaks, loudness, DC offset, relations of the channels, bandwidth, mains hum,
digital clipping and silence. Writes the timeline as CSV, JSON, Audacity labels, WebVTT and a page that draws it, beside
the recording or to out=.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(
        __file__,
        cli.Positional("FILE", "path"),
        stopped="Nothing was written; a timeline is written after the whole recording.",
    )

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.scan.measured import facts
from contrastive_artifacts.scan.results import result_paths, stem_beside, write_results
from contrastive_artifacts.scan.timeline import severity_text

_SPANS_SHOWN = 10


@dataclass(frozen=True)
class Settings:
    path: str
    encoder: str
    stream: int | str | None
    streams: Literal["one", "all"]
    channels: Literal["mix", "each"]
    alarms_per_hour: float | None
    enter: float | None
    leave: float | None
    out: str | None


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    infos = audio.chosen(settings.path, settings.stream, settings.streams)
    stem = Path(settings.out) if settings.out else stem_beside(settings.path)
    stems = [stem.with_name(f"{stem.name}.stream{info.stream}") for info in infos] if len(infos) > 1 else [stem]
    for path in (path for stem in stems for path in result_paths(stem).values()):
        files.check_file("out", path)
    encoder = ca.load(settings.encoder)
    for info, stem in zip(infos, stems, strict=True):
        _scan(settings, encoder, info, stem)


def _scan(settings: Settings, encoder: ca.PretrainedEncoder, info: audio.AudioInfo, stem: Path) -> None:
    timeline = ca.scan(
        settings.path,
        encoder,
        channels=settings.channels,
        alarms_per_hour=settings.alarms_per_hour,
        enter=settings.enter,
        leave=settings.leave,
        stream=info.stream,
    )
    with files.of_setting("out"):
        write_results(timeline, stem)
    if info.streams > 1:
        details = ", ".join(text for text in (info.language, info.title) if text) or "no language"
        hint = "" if settings.streams == "all" else "; stream= chooses one, streams=all takes each"
        console.print(f"audio stream {info.stream} of {info.streams} ({details}){hint}")
    rows = [
        [f"{s.start / timeline.sample_rate:.2f}", f"{s.stop / timeline.sample_rate:.2f}", s.label,
         severity_text(s.severity), f"{s.confidence:.2f}", "mix" if s.channel is None else s.channel]
        for s in timeline.segments
    ]  # fmt: skip
    columns = ["start s", "stop s", "artifact", "severity", "confidence", "channel"]
    table(f"{settings.path}: {len(rows)} segments", columns, rows)
    if timeline.measured is not None:
        table("measured", ["fact", "value"], facts(timeline.measured))
    rate = timeline.sample_rate
    ranges = {"no data": timeline.no_data, "channels out of phase": timeline.out_of_phase}
    for kind in sorted({finding.kind for finding in timeline.findings}):
        ranges[kind] = tuple((f.start, f.stop) for f in timeline.findings if f.kind == kind)
    for text, spans in ranges.items():
        if spans:
            times = list(dict.fromkeys(f"{start / rate:.2f}-{stop / rate:.2f}" for start, stop in spans))
            more = f" and {len(times) - _SPANS_SHOWN} more" if len(times) > _SPANS_SHOWN else ""
            console.print(f"{text}  {', '.join(times[:_SPANS_SHOWN])} s{more}")
    console.print(f"timeline  {stem}.artifacts.{{csv,json,txt,vtt,html}}")
