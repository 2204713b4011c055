"""Measures how long it takes until the package answers: help of every verb, the import, the first rendered view.

    python benchmarks/start.py [--rounds 7]

Each row is a new process, from its start to its end; the rows take turns, so that a load of the machine is on all of
them. "python" is the interpreter with nothing to do. Writes results/start.csv: seconds (best round; median) and
whether the best is under the limit of half a second that stands for help and import.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

from contrastive_artifacts import cli
from contrastive_artifacts.core import files

RESULTS = Path(__file__).parent.parent / "results" / "start.csv"
LIMIT_S = 0.5
HELP = "import sys; from contrastive_artifacts import cli; sys.argv[1:] = {words!r}; cli.main()"
RENDER = "import numpy as np, contrastive_artifacts as ca; ca.render({name!r}, np.ones(44100, np.float32), 44100)"


def programs() -> dict[str, str]:
    """Row -> what the interpreter runs."""
    return {
        "python": "pass",
        "import contrastive_artifacts": "import contrastive_artifacts",
        "contrastive-artifacts --help": HELP.format(words=["--help"]),
        **{f"contrastive-artifacts {verb} --help": HELP.format(words=[verb, "--help"]) for verb in cli.verbs()},
        'ca.render("hum", ...)': RENDER.format(name="hum"),
        'ca.render("reverb", ...)': RENDER.format(name="reverb"),
        'ca.load("release")': "import contrastive_artifacts as ca; ca.load('release')",
    }


def measured(rounds: int) -> dict[str, list[float]]:
    """Seconds of each row in every round; the first round fills the cache of files and does not count."""
    root = str(Path(cli.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}
    seconds: dict[str, list[float]] = {name: [] for name in programs()}
    for _ in range(rounds + 1):
        for name, program in programs().items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL, env=environment)
            seconds[name].append(time.perf_counter() - start)
    return {name: values[1:] for name, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    about = [
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        files.commit(__file__),
        f"python benchmarks/start.py --rounds {rounds}",
    ]
    rows = []
    for name, values in measured(rounds).items():
        limited = "import" in name or "--help" in name
        under = ("yes" if min(values) < LIMIT_S else "no") if limited else ""
        rows.append([name, f"{min(values):.3f}", f"{statistics.median(values):.3f}", under])
        print(*rows[-1], sep="\t")
    columns = ["start", "seconds", "median", f"under {LIMIT_S:g} s", "machine", "commit", "command"]
    files.write_csv(RESULTS, [columns, *([*row, *about] for row in rows)])
    print(f"-> {RESULTS}")


if __name__ == "__main__":
    main()
