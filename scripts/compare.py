"""Compares backbones: python scripts/compare.py [backbones=[yamnet,mn04]] [encoders=[release]] [corpus=folder ...] ...

Accuracy of frozen features on seen and unseen corpora, speed, memory and size, in one table and one figure. Weights are
the published ones in the cache, else those of this project, else random ones; the last two are marked. A second run
computes missing rows only.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, stopped="Finished rows are kept; run the same command again for the others.")

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

from contrastive_artifacts import artifacts
from contrastive_artifacts.core import files
from contrastive_artifacts.core.console import console
from contrastive_artifacts.core.errors import ParameterError, WeightsError
from contrastive_artifacts.runs import comparing, sections, typed
from contrastive_artifacts.runs.comparing import Candidate, CompareSettings

COLOURS = {"published": "tab:blue", "given": "tab:cyan", "ours": "tab:green", "trained": "tab:red", "random": "0.6"}


def main(config: dict[str, Any]) -> None:
    section = config["artifacts"]
    about = {"states": artifacts.states(section["states"]), "severity": tuple(section["severity"])}
    settings = typed.settings(CompareSettings, {**config["measure"], **about}, "measure")
    compared, left_out = candidates(config)
    unseen = {name: sections.make_corpus(other) for name, other in (config["unseen"] or {}).items()}
    folder = Path(config["out"])
    measured = comparing.compare(
        compared,
        sections.make_corpus(config["corpus"]),
        unseen,
        settings,
        folder / "rows",
        lambda line: console.print(line),
    )
    provenance = {
        "command": shlex.join(["python", "scripts/compare.py", *sys.argv[1:]]),
        "commit": files.commit(__file__),
    }
    rows = [row | provenance for row in measured]
    names = comparing.columns(rows)
    targets = [folder / "table.csv", *([Path(config["csv"])] if config["csv"] else [])]
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


def candidates(config: dict[str, Any]) -> tuple[list[Candidate], list[str]]:
    """The candidates, and a message for each backbone that is left out because weights are missing."""
    compared, left_out = [], []
    for entry in config["backbones"]:
        try:
            compared.append(comparing.choose(entry, config["random"], config["download"]))
        except WeightsError as error:
            left_out.append(str(error))
    compared += [Candidate(encoder_name(name), "trained", name) for name in config["encoders"]]
    if not compared:
        raise ParameterError(f"There is nothing to compare. {' '.join(left_out)}")
    return compared, left_out


def encoder_name(folder: str) -> str:
    return folder if folder == "release" else Path(folder).name


def draw(rows: Sequence[dict[str, Any]], unseen: Sequence[str], path: Path) -> None:
    """Bars of the accuracy on seen and unseen corpora, and accuracy against speed."""
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
