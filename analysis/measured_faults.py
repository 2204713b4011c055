"""Measures an encoder of label sets on faults that recordings have by themselves.

    python analysis/measured_faults.py
    python analysis/measured_faults.py 'corpora={speech: {kind: folder, path: DIR}}'

Nothing is rendered. The measures of curation (flat tops, crests at one level, lines at mains multiples, a missing
upper band) say which recordings have a fault: at their hard limit or beyond. Those below the soft limit count as
without it, those between are left out. The table has for each fault how many recordings with it, and how many
without, the encoder calls faulty, with 95 % intervals. The measures err as well: engines have steady lines, and dull
sounds no upper band; what counts is that two methods agree.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__)

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import contrastive_artifacts as ca
from contrastive_artifacts.artifacts import CLEAN
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table, track
from contrastive_artifacts.core.errors import ArtifactsError, ParameterError
from contrastive_artifacts.data.corpora import Corpus
from contrastive_artifacts.data.curation import suspects
from contrastive_artifacts.data.curation.limits import LIMITS
from contrastive_artifacts.data.curation.survey import Finding, survey
from contrastive_artifacts.probes.precision import wilson
from contrastive_artifacts.runs import corpus_sections
from contrastive_artifacts.runs.sets import UNHEARD

REASONS = {
    fault: [reason for reason, (name, _) in suspects.FAULTS.items() if name == fault]
    for fault, _ in suspects.FAULTS.values()
}
HEADER = ["corpus", "fault", "with", "heard", "share", "low", "high"]
HEADER += ["without", "raised", "raised_share", "raised_low", "raised_high"]


@dataclass(frozen=True)
class Settings:
    encoder: str
    corpora: Mapping[str, Mapping[str, Any]] | None
    csv: str


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    files.check_file("csv", settings.csv)
    encoder = ca.load(settings.encoder)
    if missing := sorted(set(REASONS) - set(encoder.labels)):
        raise ParameterError(f"encoder={settings.encoder} does not know {', '.join(missing)}.")
    corpora = corpus_sections.make_corpora(settings.corpora or UNHEARD)
    rows = [row for name, corpus in corpora.items() for row in _rows(name, encoder, corpus)]
    files.write_csv(settings.csv, [HEADER, *rows])
    table(f"{settings.encoder}: faults by measurement", HEADER, rows)
    console.print(f"table  {settings.csv}")


def _rows(name: str, encoder: ca.PretrainedEncoder, corpus: Corpus) -> list[list[Any]]:
    limits = {reason: LIMITS[reason] for reason in suspects.FAULTS}
    with TemporaryDirectory() as folder:
        findings = survey(corpus, folder, limits)
    heard = [(finding, _present(encoder, corpus, finding)) for finding in track(findings, f"classify {name}")]
    rows = []
    for fault, reasons in REASONS.items():
        faulty = [fault in present for finding, present in heard if present and _urgency(finding, reasons) >= 1]
        others = [fault in present for finding, present in heard if present and _urgency(finding, reasons) < 0]
        rows.append([name, fault, *_shares(faulty), *_shares(others)])
    return rows


def _present(encoder: ca.PretrainedEncoder, corpus: Corpus, finding: Finding) -> tuple[str, ...]:
    """What the encoder hears in a recording, "clean" where that is nothing; () for what it does not classify."""
    try:
        return encoder.classify(corpus.load(finding.clip)).present or (CLEAN,)
    except ArtifactsError:  # cannot be read, or too short
        return ()


def _urgency(finding: Finding, reasons: Sequence[str]) -> float:
    """0 at the soft limit of a reason, 1 at the hard one; negative where no measure says anything."""
    return max((flag.urgency for flag in finding.flags if flag.reason in reasons), default=-1.0)


def _shares(heard: Sequence[bool]) -> list[Any]:
    """Number of recordings, in how many the fault is heard, their share and its interval; empty without recordings."""
    if not heard:
        return [0, 0, "", "", ""]
    shares = (sum(heard) / len(heard), *wilson(sum(heard), len(heard)))
    return [len(heard), sum(heard), *(f"{share:.3f}" for share in shares)]
