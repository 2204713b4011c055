"""The result of a curation: a table that corpora read, in numbered versions.

``manifest.csv`` and ``manifest.json`` in the folder belong to the newest version; ``versions/0001`` and so on hold all
versions. The JSON of a version contains the sha256 of its table and of the JSON before it, so the chain can be checked.
"""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...core import files
from ...core.errors import ParameterError, StorageError
from ...core.journal import tool_version
from ..corpora import Corpus
from .decisions import KEEP, REJECT, Decision
from .limits import Limit
from .measures import VERSION, Measures
from .survey import UNREADABLE, Finding

FORMAT = 1
AUTO = "auto"
APPLY = ("none", AUTO)
_FILES = ("manifest.csv", "manifest.json")  # the sha256 in the second detects a mixed pair
_MEASURES = tuple(field.name for field in dataclasses.fields(Measures))
COLUMNS = (
    *("id", "file", "source", "category", "fold", "decision", "decided_by", "reasons", "urgency", "duplicate_of"),
    *("note", *_MEASURES),
)


@dataclass(frozen=True)
class Verdict:
    """The result for a clip: "keep" or "reject", by whom ("auto", a name, or "" for nobody), and that person's note."""

    decision: str
    by: str = ""
    note: str = ""


def check_apply(apply: str) -> None:
    """Raises:
    ParameterError: neither "none" nor "auto".
    """
    if apply not in APPLY:
        raise ParameterError(f"apply={apply!r} is none of {', '.join(APPLY)}.")


def verdict(finding: Finding, decision: Decision | None, apply: str) -> Verdict:
    """The verdict on a clip: a person's decision; without one and with ``apply="auto"``, the hard limits; else keep.

    A clip that cannot be read is always rejected.
    """
    if UNREADABLE in finding.reasons:
        return Verdict(REJECT, AUTO)
    if decision is not None:
        return Verdict(decision.decision, decision.who, decision.note)
    if apply == AUTO and finding.hopeless:
        return Verdict(REJECT, AUTO)
    return Verdict(KEEP, AUTO if apply == AUTO and finding.flags else "")


def verdicts(findings: Sequence[Finding], decisions: Mapping[tuple[str, str], Decision], apply: str) -> list[Verdict]:
    """:func:`verdict` of every clip."""
    return [verdict(finding, decisions.get((finding.clip.id, finding.sha256)), apply) for finding in findings]


def write_manifest(
    folder: str | Path,
    corpus: Corpus,
    findings: Sequence[Finding],
    outcome: Sequence[Verdict],
    limits: Mapping[str, Limit],
    apply: str,
) -> dict[str, Any]:
    """Writes the next version unless it would equal the newest one; returns the content of the newest JSON.

    Raises:
        StorageError: the newest version in the folder is damaged or belongs to another corpus.
    """
    folder = Path(folder)
    text = _table(findings, outcome)
    newest = _versions(folder)[-1] if _versions(folder) else None
    parent = _read(newest) if newest else None
    if parent is not None and parent["corpus"]["name"] != corpus.name:
        raise StorageError(
            f"{folder} holds the curation of {parent['corpus']['name']!r}, not of {corpus.name!r}; give another to=."
        )
    stated = {
        "format": FORMAT,
        "corpus": {"name": corpus.name, "fingerprint": corpus.fingerprint, "clips": len(corpus)},
        "limits": {reason: [limit.soft, limit.hard, limit.rejects] for reason, limit in limits.items()},
        "measures_version": VERSION,
        "apply": apply,
    }
    if newest is None or parent is None or not _same(newest, parent, text, stated):
        newest = _add(folder, newest, text, stated, _counts(findings, outcome))
    with files.atomic_paths([folder / name for name in _FILES]) as temporaries:
        for name, temporary in zip(_FILES, temporaries, strict=True):
            shutil.copyfile(newest / name, temporary)
    return _read(newest)


def _versions(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "versions").glob("[0-9]*") if path.is_dir())


def _read(version: Path) -> dict[str, Any]:
    about = files.read_json(version / "manifest.json")
    if about.get("format") != FORMAT:
        raise StorageError(f"{version} has format {about.get('format')}, this version writes {FORMAT}.")
    if files.sha256(version / "manifest.csv") != about["csv_sha256"]:
        raise StorageError(f"{version / 'manifest.csv'} is not what was written; restore it or remove {version}.")
    return about


def _same(newest: Path, parent: Mapping[str, Any], text: str, stated: Mapping[str, Any]) -> bool:
    table = (newest / "manifest.csv").read_text(encoding="utf-8")
    return table == text and all(parent.get(key) == value for key, value in stated.items())


def _add(folder: Path, parent: Path | None, text: str, stated: Mapping[str, Any], counts: Mapping[str, Any]) -> Path:
    number = int(parent.name) + 1 if parent else 1
    target = folder / "versions" / f"{number:04d}"
    with files.writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    try:
        files.write_text(temporary / "manifest.csv", text)
        about = {
            **stated,
            "version": number,
            "parent_sha256": files.sha256(parent / "manifest.json") if parent else None,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "tool": tool_version(),
            "counts": counts,
            "csv_sha256": files.sha256(temporary / "manifest.csv"),
        }
        files.write_json(temporary / "manifest.json", about)
        temporary.chmod(0o755)
        temporary.rename(target)  # a version is complete or absent
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def _table(findings: Sequence[Finding], outcome: Sequence[Verdict]) -> str:
    rows: list[Sequence[Any]] = [COLUMNS]
    for finding, verdict in zip(findings, outcome, strict=True):
        clip = finding.clip
        urgency = f"{finding.urgency:.3f}" if finding.flags else ""
        reasons = " ".join(finding.reasons)
        fold = "" if clip.fold is None else clip.fold
        origin = [clip.id, _file(finding), clip.source, clip.category, fold]
        judgement = [verdict.decision, verdict.by, reasons, urgency, finding.duplicate_of, verdict.note]
        figures = [""] * len(_MEASURES)
        if finding.measures is not None:
            figures = [_cell(getattr(finding.measures, name)) for name in _MEASURES]
        rows.append([*origin, *judgement, *figures])
    return files.csv_text(rows)


def _file(finding: Finding) -> str:
    """File of a clip as in a folder corpus: relative to its folder if the clip id is that path, else the file name."""
    clip = finding.clip
    if clip.path is None:
        return ""
    return clip.id if clip.path.as_posix().endswith(f"/{clip.id}") else clip.path.name


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _counts(findings: Sequence[Finding], outcome: Sequence[Verdict]) -> dict[str, Any]:
    return {
        "clips": len(findings),
        "flagged": sum(1 for finding in findings if finding.flags),
        "keep": sum(1 for verdict in outcome if verdict.decision == KEEP),
        "reject": sum(1 for verdict in outcome if verdict.decision == REJECT),
        "decided_by": dict(Counter(verdict.by or "nobody" for verdict in outcome)),
        "reasons": dict(Counter(reason for finding in findings for reason in finding.reasons)),
    }
