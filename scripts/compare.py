"""Compares backbones and encoders: accuracy, speed, memory and size.

    python scripts/compare.py
    python scripts/compare.py backbones=[yamnet,mn04] encoders=[release] corpus=folder corpus.path=recordings/

Accuracy of frozen features on seen and unseen corpora, speed, memory and size, in one table and one figure. Uses the
published weights in the cache, else those of this package, else random ones, and marks the last two. The same command
again measures only what is not finished.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, stopped="Finished rows are kept; run the same command again for the others.")

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

from contrastive_artifacts import artifacts
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, stderr
from contrastive_artifacts.core.errors import ParameterError, WeightsError
from contrastive_artifacts.runs import comparing, corpus_sections, sections
from contrastive_artifacts.runs.comparing import Candidate, CompareSettings

COLOURS = {"published": "tab:blue", "given": "tab:cyan", "ours": "tab:green", "trained": "tab:red", "random": "0.6"}


@dataclass(frozen=True)
class Settings:
    corpus: Mapping[str, Any]
    artifacts: Mapping[str, Any]
    backbones: list[str | Mapping[str, Any]]
    encoders: list[str]
    random: bool
    download: bool
    unseen: Mapping[str, Mapping[str, Any]] | None
    measure: Mapping[str, Any]
    out: str
    csv: str | None


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    section = typed.settings(corpus_sections.ArtifactsSection, settings.artifacts, "artifacts")
    states = artifacts.states(section.states)
    measure = typed.settings(CompareSettings, settings.measure, "measure", states=states, severity=section.severity)
    encoders, left_out = candidates(settings)
    unseen = corpus_sections.make_corpora(settings.unseen or {}, "unseen")
    corpus, folder = corpus_sections.make_corpus(settings.corpus), Path(settings.out)
    targets = [folder / "table.csv", *([Path(settings.csv)] if settings.csv else [])]
    files.check_folder("out", folder)
    if settings.csv:
        files.check_file("csv", settings.csv)
    results = comparing.compare(encoders, corpus, unseen, measure, folder / "rows", stderr.print)
    about = {"command": shlex.join(["python", "scripts/compare.py", *sys.argv[1:]]), "commit": files.commit(__file__)}
    rows = [row | about for row in results]
    names = comparing.columns(rows)
    for target in targets:
        files.write_csv(target, [names, *([row.get(name) for name in names] for row in rows)])
    text = comparing.markdown(rows, list(unseen))
    files.write_text(folder / "table.md", text)
    draw(rows, list(unseen), folder / "figure.png")
    console.print("\n" + text, highlight=False, markup=False)
    for row in rows:
        if row["note"]:
            console.print(f"{row['name']}: {row['note']}", highlight=False, markup=False)
    for line in left_out:
        console.print(line, highlight=False, markup=False)
    console.print(f"table   {', '.join(map(str, targets))}, {folder}/table.md")
    console.print(f"figure  {folder}/figure.png")


def candidates(settings: Settings) -> tuple[list[Candidate], list[str]]:
    """What is compared, and a message for each backbone that has no weights here."""
    encoders, left_out = [], []
    for number, entry in enumerate(settings.backbones):
        if isinstance(entry, Mapping):
            sections.check_backbone(entry, f"backbones[{number}]")
        try:
            encoders.append(comparing.choose(entry, settings.random, settings.download))
        except WeightsError as error:
            left_out.append(str(error))
    encoders += [Candidate(encoder_name(name), "trained", name) for name in settings.encoders]
    if not encoders:
        raise ParameterError(f"There is nothing to compare. {' '.join(left_out)}")
    return encoders, left_out


def encoder_name(folder: str) -> str:
    """How an encoder is called in the table."""
    return folder if folder == "release" else Path(folder).name


def draw(rows: Sequence[dict[str, Any]], unseen: Sequence[str], path: Path) -> None:
    """Writes the figure: accuracy of every row on seen and unseen corpora, and accuracy against speed."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    size = (13, 2.2 + 0.42 * len(rows) * (1 + 0.35 * len(unseen)))
    figure, (bars, dots) = plt.subplots(1, 2, figsize=size, layout="constrained")
    kinds = [(f"{figure}{side}", f"{title}{label}")
             for side, label in [("", ""), *((f"_{name}", f", {name}") for name in unseen)]
             for figure, title in (("linear", "linear"), ("knn5", "kNN5"))]  # fmt: skip
    thick = 0.8 / len(kinds)
    shades = plt.get_cmap("tab20")
    for at, (key, title) in enumerate(kinds):
        places = [number + (at - (len(kinds) - 1) / 2) * thick for number in range(len(rows))]
        hatches = ["////" if row["weights"] == "random" else "" for row in rows]
        values = [row.get(key) or 0 for row in rows]
        bars.barh(places, values, thick, color=shades(at), hatch=hatches, edgecolor="white", label=title)
    bars.set_yticks(range(len(rows)), [f"{row['name']} ({row['weights']})" for row in rows])
    bars.invert_yaxis()
    bars.set(xlabel="macro-F1 over types (hatched: random weights)", xlim=(0, 1))
    bars.legend(fontsize="small")
    for row in (row for row in rows if row.get("linear") is not None):
        place = (1000 * row["cpu_seconds_per_s"], row["linear"])
        dots.scatter(*place, s=40, color=COLOURS[row["weights"]])
        dots.annotate(row["name"], place, xytext=(4, 4), textcoords="offset points", fontsize="small")
    dots.set(xscale="log", ylim=(0, 1), ylabel="linear macro-F1, seen corpus")
    dots.set_xlabel("milliseconds of the processor per second of audio")
    dots.xaxis.set_major_formatter("{x:g}")
    dots.xaxis.set_minor_formatter("")
    dots.margins(x=0.25)
    with files.atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110)
    plt.close(figure)
