"""Which faults two copies of one recording share, and which only one of them has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...core import files
from ..measured import facts
from ..timeline import Timeline
from .alignment import Alignment

BOTH, ONLY_A, ONLY_B = "both", "only A", "only B"
_NEAR_HEARD_S, _NEAR_MEASURED_S = 1.0, 0.05  # segments and findings of two copies that are nearer are of one fault


@dataclass(frozen=True)
class SharedFault:
    """A fault, and the copies that have it.

    Attributes:
        start_s, stop_s: The part of A, in seconds.
        label: Of the artifact, or kind of the finding.
        copies: "both": it is in the carrier, or older; "only A", "only B": that copy added it, or the other lacks it.
        severity_a, severity_b: The worst in each copy, in [0, 1]; None where the copy does not have it, or where it is
            unknown.
        measured: Whether the samples say so, not the encoder.
    """

    start_s: float
    stop_s: float
    label: str
    copies: str
    severity_a: float | None
    severity_b: float | None
    measured: bool


@dataclass(frozen=True)
class Comparison:
    """Two copies of one recording.

    Attributes:
        a, b: What was heard and measured in each.
        alignment: How B lies to A.
        faults: Within the part that both hold, ordered by start.
    """

    a: Timeline
    b: Timeline
    alignment: Alignment
    faults: tuple[SharedFault, ...]

    def sentences(self) -> list[str]:
        """The comparison in plain sentences."""
        line = self.alignment
        ppm = 1e6 * (line.speed - 1)
        polarity = ", with inverted polarity" if line.inverted else ""
        texts = [
            f"B begins {_begin(line.offset_s)}; they share {line.stop_s - line.start_s:.1f} s.",
            "Both run at one speed."
            if abs(ppm) < 1
            else f"B is {abs(ppm):.0f} ppm {'longer' if ppm > 0 else 'shorter'}.",
            f"A is {line.gain_db:+.1f} dB against B{polarity}; what differs is {line.difference_db:.0f} dB of A.",
        ]
        changed = {hz: db for hz, db in line.octaves_db.items() if abs(db) >= 1}
        if changed:
            texts.append(
                "B against A by octave: "
                + ", ".join(f"{db:+.0f} dB at {_hertz(hz)}" for hz, db in changed.items())
                + "."
            )
        for copies, text in ((BOTH, "In both (the carrier)"), (ONLY_A, "Only in A"), (ONLY_B, "Only in B")):
            texts.append(f"{text}: {_counted(fault for fault in self.faults if fault.copies == copies)}.")
        return texts

    def facts(self) -> list[tuple[str, str, str]]:
        """(name, value of A, value of B) of what was measured in the whole recordings."""
        of_a, of_b = ([] if t.measured is None else facts(t.measured) for t in (self.a, self.b))
        relations = [("channels", text, "") for name, text in of_a if name == "channels"]
        relations += [("channels", "", text) for name, text in of_b if name == "channels"]
        values = dict(of_b)
        return [(name, text, values.get(name, "")) for name, text in of_a if name != "channels"] + relations

    def write(self, stem: Path) -> None:
        """Writes ``STEM.against.csv`` and ``STEM.against.json``, both or none.

        Raises:
            StorageError: they cannot be written.
        """
        paths = [stem.with_name(f"{stem.name}.against.{suffix}") for suffix in ("csv", "json")]
        with files.atomic_paths(paths) as (table, record):
            self.to_csv(table)
            self.to_json(record)

    def to_csv(self, path: str | Path) -> None:
        """One row a fault; severities are empty where they are None."""
        rows: list[list[Any]] = [["start_s", "stop_s", "label", "copies", "severity_a", "severity_b", "measured"]]
        for fault in self.faults:
            severities = ["" if s is None else f"{s:.4f}" for s in (fault.severity_a, fault.severity_b)]
            times = [f"{fault.start_s:.3f}", f"{fault.stop_s:.3f}"]
            rows.append([*times, fault.label, fault.copies, *severities, str(fault.measured).lower()])
        files.write_csv(path, rows)

    def to_json(self, path: str | Path) -> None:
        """All attributes but the two timelines, of which the paths; see ``docs/against.md``."""
        line = asdict(self.alignment)
        line["octaves_db"] = {str(hz): db for hz, db in self.alignment.octaves_db.items()}
        files.write_json(
            path,
            {
                "schema": 1,
                "a": str(self.a.path),
                "b": str(self.b.path),
                "alignment": line,
                "facts": [list(fact) for fact in self.facts()],
                "faults": [asdict(fault) for fault in self.faults],
            },
        )


@dataclass(frozen=True)
class _Event:
    start_s: float
    stop_s: float
    label: str
    of_a: bool
    severity: float | None
    measured: bool


def compare(a: Timeline, b: Timeline, alignment: Alignment) -> Comparison:
    """Joins the segments and findings of two copies: those of one label that touch in time are one fault.

    Args:
        a, b: Scans by one encoder.
        alignment: :func:`.align` of the two recordings.
    """
    events = [*_events(a, True, lambda seconds: seconds), *_events(b, False, alignment.in_a)]
    start, stop = alignment.start_s, alignment.stop_s
    inside = sorted((e for e in events if e.stop_s > start and e.start_s < stop), key=lambda e: e.start_s)
    groups: list[list[_Event]] = []
    open_groups: dict[tuple[str, bool], list[_Event]] = {}
    for event in inside:
        key = (event.label, event.measured)
        group = open_groups.get(key)
        near = _NEAR_MEASURED_S if event.measured else _NEAR_HEARD_S
        if group is None or event.start_s > max(e.stop_s for e in group) + near:
            group = open_groups[key] = []
            groups.append(group)
        group.append(event)
    return Comparison(a, b, alignment, tuple(_fault(group, start, stop) for group in groups))


def _events(timeline: Timeline, of_a: bool, in_a: Callable[[float], float]) -> Iterable[_Event]:
    rate = timeline.sample_rate
    for segment in timeline.segments:
        times = in_a(segment.start / rate), in_a(segment.stop / rate)
        yield _Event(*times, segment.label, of_a, segment.severity, False)
    for finding in timeline.findings:
        times = in_a(finding.start / rate), in_a(finding.stop / rate)
        yield _Event(*times, finding.kind, of_a, None, True)


def _fault(group: Sequence[_Event], start: float, stop: float) -> SharedFault:
    sides = {event.of_a for event in group}
    worst = {
        side: max((e.severity for e in group if e.of_a is side and e.severity is not None), default=None)
        for side in (True, False)
    }
    return SharedFault(
        start_s=max(start, min(event.start_s for event in group)),
        stop_s=min(stop, max(event.stop_s for event in group)),
        label=group[0].label,
        copies=BOTH if len(sides) == 2 else ONLY_A if True in sides else ONLY_B,
        severity_a=worst[True],
        severity_b=worst[False],
        measured=group[0].measured,
    )


def _counted(faults: Iterable[SharedFault]) -> str:
    counts: dict[str, int] = {}
    for fault in faults:
        counts[fault.label] = counts.get(fault.label, 0) + 1
    return ", ".join(f"{label} ({count})" for label, count in sorted(counts.items())) or "nothing"


def _begin(offset_s: float) -> str:
    if abs(offset_s) < 5e-5:
        return "with A"
    return f"{offset_s:.4f} s before A" if offset_s > 0 else f"{-offset_s:.4f} s after the start of A"


def _hertz(hertz: int) -> str:
    return f"{hertz / 1000:g} kHz" if hertz >= 1000 else f"{hertz} Hz"
