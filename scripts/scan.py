"""Scans recordings of any length and writes timelines of their artifacts.

    python scripts/scan.py film.mp4
    python scripts/scan.py "film (1), reel=2.wav" encoder=release/mn04 enter=0.45
    python scripts/scan.py films/ "tapes/**/*.wav" @more.txt out=report workers=4
    python scripts/scan.py film.mov formats=[csv,html,ebu_qc] timecode=25 start=10:00:00:00
    python scripts/scan.py films/ fail_on="clipping>0.5 dropout>=1 unreadable>=1"
    python scripts/scan.py film.mp4 serve=true
    python scripts/scan.py films/ out=report shard=3/16
    python scripts/scan.py films/ out=report shard=merge
    python scripts/scan.py films/ out=report engine=ray ray.address=auto
    python scripts/scan.py ia:IDENTIFIER ia:IDENTIFIER/side_a.flac out=report
    python scripts/scan.py transfer_2011.wav against=transfer_2024.flac

Prints the segments and what was measured: peaks, loudness, DC offset, relations of the channels, bandwidth, mains hum,
digital clipping and silence. Of one file: CSV, JSON, Audacity labels, WebVTT and a page that draws and plays the
timeline, beside it or to out=. Of a folder, a pattern, a list, several files or an item of archive.org
(docs/archive_org.md): the same for each below out=, with report.html (one page of all of them, docs/report.md),
files.csv and files.json (one row a file, the worst first) and segments.csv (all segments). The same command again scans
what is new, changed, or was not finished (of one long file as well), and changes.csv says what differs from the report
before. Exit status 3: a rule of fail_on is broken. formats= names other files to write (docs/formats.md), timecode= the
frame rate of the picture. against= compares a file with another copy of the same recording (docs/against.md).
serve=true serves the page of one file, with all of its sound and the picture of a film, until Ctrl-C.
shard= and engine=ray share the work between machines (docs/scale.md).
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(
        __file__,
        cli.Positional("FILE", "path", several=True),
        stopped="No results were written of recordings that were not finished; the same command again goes on.",
    )

import getpass
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from contrastive_artifacts import audio
from contrastive_artifacts.core import files, outbox, ray_pool, shards, typed
from contrastive_artifacts.core.console import console, table
from contrastive_artifacts.core.ending import RULE_BROKEN
from contrastive_artifacts.core.errors import ArtifactsError, ParameterError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.probes.labels import Labels
from contrastive_artifacts.scan.against import align, compare
from contrastive_artifacts.scan.archive import joined_shards, scan_archive
from contrastive_artifacts.scan.child import OneFile, ScannedStream, scan_in_child
from contrastive_artifacts.scan.formats import FORMATS
from contrastive_artifacts.scan.inputs import gather, is_one_file
from contrastive_artifacts.scan.measured import facts
from contrastive_artifacts.scan.options import ScanOptions, encoder_identity, load_encoder
from contrastive_artifacts.scan.results import check_formats, result_paths, stem_beside, write_results
from contrastive_artifacts.scan.rules import Rule, broken_rules, parse_rules
from contrastive_artifacts.scan.saved import remove
from contrastive_artifacts.scan.segments import segment_thresholds
from contrastive_artifacts.scan.shelf import REPORT, write_report
from contrastive_artifacts.scan.summary import FileSummary, summary, total_line, write_summaries
from contrastive_artifacts.scan.timeline import severity_text

_SPANS_SHOWN = 10
_FILES_SHOWN = 20
_OUT = "outputs/scan"  # of several files


@dataclass(frozen=True, kw_only=True)
class Settings(ScanOptions):
    path: str | tuple[str, ...]
    encoder: str
    out: str | None
    workers: int
    shard: str | None
    engine: Literal["local", "ray"]
    ray: Mapping[str, Any]
    fail_on: str | None
    serve: bool
    labels: str | None
    host: str
    port: int
    against: str | None


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    words = (settings.path,) if isinstance(settings.path, str) else settings.path
    check_formats(settings.formats)
    settings.counting()
    alone = is_one_file(words) and settings.engine == "local" and settings.shard is None
    if settings.against is not None and not alone:
        raise ParameterError("against= compares two files; name one beside it, without shard= and engine=ray.")
    if settings.serve:
        if not alone or settings.streams == "all":
            raise ParameterError("serve=true shows one audio stream of one recording: give one FILE, not streams=all.")
        _serving()  # a missing package is reported before the scan, and so is a journal that cannot be written
        files.check_file("labels", _journal(settings, words[0]))
    shared = settings.shard is not None or settings.engine == "ray"
    with outbox.uploaded(settings.out or "", is_file=alone, shared=shared) as out:
        settings = replace(settings, out=out or None)
        rows, rules, streams = _one_file(settings, words[0]) if alone else (*_several(settings, words), [])
    sentences = list(broken_rules(rules, rows))
    for sentence in sentences:
        console.print(f"failed    {sentence}")
    if settings.serve:
        _serve(settings, _journal(settings, words[0]), streams[0])
    if sentences:
        sys.exit(RULE_BROKEN)


def _options(settings: Settings) -> ScanOptions:
    return ScanOptions(**{field.name: getattr(settings, field.name) for field in fields(ScanOptions)})


def _stem(settings: Settings, path: str) -> Path:
    return Path(settings.out) if settings.out else stem_beside(path)


def _journal(settings: Settings, path: str) -> Path:
    stem = _stem(settings, path)
    return Path(settings.labels) if settings.labels else stem.with_name(f"{stem.name}.labels.jsonl")


def _one_file(settings: Settings, path: str) -> tuple[list[FileSummary], list[Rule], list[ScannedStream]]:
    stem = _stem(settings, path)
    other = None if settings.against is None else audio.probe(settings.against)  # before the first is scanned
    labels, streams = _scanned(settings, Path(path), stem)
    rows = [_shown(settings, path, stream) for stream in streams]
    if other is not None:
        _, others = _scanned(settings, other.path, stem.with_name(f"{stem.name}.against"))
        _compare(streams[0], others[0], stem)
    return rows, parse_rules(settings.fail_on, labels[1:]), streams


def _scanned(settings: Settings, path: Path, stem: Path) -> tuple[tuple[str, ...], list[ScannedStream]]:
    """The labels of the encoder, and the streams of a file, whose results are written."""
    options = _options(settings)
    file = OneFile(path, stem, options, settings.fail_on)
    with files.of_setting("out"):
        labels, streams = scan_in_child(
            file, partial(load_encoder, settings.encoder), partial(encoder_identity, settings.encoder)
        )
        for stream in streams:
            write_results(stream.timeline, stream.stem, options.formats)
    remove(file.unfinished)
    return labels, streams


def _compare(a: ScannedStream, b: ScannedStream, stem: Path) -> None:
    """Prints and writes what two copies of a recording share, and what only one of them has."""
    alignment = align(a.info.path, b.info.path, a.info.stream, b.info.stream)
    comparison = compare(a.timeline, b.timeline, alignment)
    rows = [
        [f"{f.start_s:.2f}", f"{f.stop_s:.2f}", f.label, f.copies, *map(severity_text, (f.severity_a, f.severity_b))]
        for f in comparison.faults
    ]
    table(f"A {a.info.path}, B {b.info.path}", ["start s of A", "stop s", "fault", "copies", "in A", "in B"], rows)
    table("measured", ["fact", "A", "B"], comparison.facts())
    for sentence in comparison.sentences():
        console.print(sentence)
    with files.of_setting("out"):
        comparison.write(stem)
    console.print(f"compared  {stem}.against.{{csv,json}}")


def _serve(settings: Settings, path: Path, stream: ScannedStream) -> None:
    """Serves the page of a timeline until it is interrupted."""
    serving, timeline_app = _serving()
    fingerprint = load_encoder(settings.encoder).fingerprint
    with Journal(path) as journal:
        access = serving.Access.to(settings.host)
        app = timeline_app(stream.timeline, Labels(journal, getpass.getuser(), fingerprint), access)
        console.print(f"labels    {path}")
        serving.serve(app, access, settings.port, lambda url: console.print(f"page      {url} (Ctrl+C ends)"))


def _serving() -> tuple[Any, Any]:
    try:
        from contrastive_artifacts.pages.shared import server as serving
        from contrastive_artifacts.pages.timeline.server import timeline_app
    except ModuleNotFoundError as error:
        raise ParameterError(f"The page needs {error.name}: pip install 'contrastive-artifacts[serve]'.") from None
    return serving, timeline_app


def _shown(settings: Settings, path: str, stream: ScannedStream) -> FileSummary:
    """Prints the result of a stream."""
    info, stem, timeline = stream.info, stream.stem, stream.timeline
    paths = result_paths(stem, settings.formats)
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
    table(f"{path}: {len(rows)} segments", columns, rows)
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
    suffixes = ",".join(FORMATS[name].suffix for name in paths)
    console.print(
        f"timeline  {stem}.artifacts.{{{suffixes}}}" if len(paths) > 1 else f"timeline  {stem}.artifacts.{suffixes}"
    )
    return summary(timeline, info, path)


def _several(settings: Settings, words: Sequence[str]) -> tuple[list[FileSummary], list[Rule]]:
    audio.check_streams(settings.stream, settings.streams)
    if settings.workers < 1:
        raise ParameterError(f"workers={settings.workers}: give at least one process.")
    folder, encoder = Path(settings.out or _OUT), load_encoder(settings.encoder)
    workers = typed.settings(ray_pool.RaySettings, settings.ray, "ray")
    shard = None if settings.shard == shards.MERGE else shards.parse(settings.shard)
    rules, labels = parse_rules(settings.fail_on, encoder.labels[1:]), encoder.labels[1:]
    segment_thresholds(encoder, settings.enter, settings.leave, settings.alarms_per_hour)
    files.check_folder("out", folder)
    inputs = gather(words)  # downloads what is on archive.org
    options = _options(settings)
    if "csv" not in options.formats:  # segments.csv is joined from these files
        options = replace(options, formats=(*options.formats, "csv"))
    identity, open_encoder = encoder_identity(settings.encoder, encoder), partial(load_encoder, settings.encoder)
    with files.of_setting("out"):
        if settings.shard == shards.MERGE:
            rows = joined_shards(inputs, folder, identity, options, settings.workers)
        else:
            with ray_pool.chosen(settings.engine, workers) as cluster:
                rows = scan_archive(inputs, folder, open_encoder, identity, options, settings.workers, shard, cluster)
        if shard is not None:
            return _shown_shard(shard, folder, rows), rules
        changes = write_summaries(rows, labels, folder)
        if "html" in options.formats:  # the report is made from these pages
            write_report(rows, folder)
    failed = _shown_failures(rows)
    if len(failed) == len(rows):
        raise ArtifactsError(f"None of the recordings could be scanned; the first problem: {rows[0].reason}")
    shown = [
        [row.title, f"{row.damage:.3f}", f"{100 * row.marked_share:.1f}", row.segments, row.worst,
         severity_text(row.severities.get(row.worst)) if row.segments else ""]
        for row in rows[len(failed) :][:_FILES_SHOWN]
    ]  # fmt: skip
    columns = ["recording", "damage", "marked %", "segments", "worst", "severity"]
    table(f"{folder}: {len(rows) - len(failed)} scanned, worst first", columns, shown)
    if inputs.left_out:
        console.print(f"folder    {inputs.left_out}")
    report = f"{REPORT}," if "html" in options.formats else ""
    if changes is not None:
        for change in [*changes.of("changed"), *changes.of("gone")][:_FILES_SHOWN]:
            console.print(f"{change.kind:9} {change.path}" + (f": {change.text}" if change.kind == "changed" else ""))
        console.print(f"changes   {changes.line}: {folder}/changes.csv")
    console.print(f"report    {folder}/{{{report}files.csv,files.json,segments.csv}}")
    console.print(f"summary   {total_line(rows)}")
    return rows, rules


def _shown_failures(rows: Sequence[FileSummary]) -> list[FileSummary]:
    """Prints the recordings that could not be scanned, and returns their rows."""
    failed = [row for row in rows if not row.scanned]
    for row in failed:
        console.print(f"left out  {row.title}: {row.reason}")
    return failed


def _shown_shard(shard: shards.Shard, folder: Path, rows: list[FileSummary]) -> list[FileSummary]:
    failed = _shown_failures(rows)
    console.print(f"shard     {shard} in {folder}: {len(rows) - len(failed)} scanned, {len(failed)} left out")
    console.print(f"next      the same command with shard={shards.MERGE}, when all shards have ended")
    return rows
