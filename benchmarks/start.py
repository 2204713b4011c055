"""Measures how long it takes until the package answers: help of every verb, the import, the first view, short scans.

    python benchmarks/start.py [--rounds 7]

Each row is a new process, from its start to its end; the rows take turns, so that a load of the machine is on all of
them. "python" is the interpreter with nothing to do, "import torch" what every process that opens an encoder waits for
at least. Writes results/start.csv: seconds (best round; median), the best as a multiple of that of "import torch", and
whether it is under the limit of half a second that stands for help and import.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from contrastive_artifacts import audio, cli
from contrastive_artifacts.core import files

RESULTS = Path(__file__).parent.parent / "results" / "start.csv"
LIMIT_S = 0.5
FRESH = "FRESH"  # stands for a name that no round had before
PEER = "import torch"
RATE, CLIP_S = 16000, 8
VERB = "import sys; from contrastive_artifacts import cli; sys.argv[1:] = {words!r}; cli.main()"
RENDER = "import numpy as np, contrastive_artifacts as ca; ca.render({name!r}, np.ones(44100, np.float32), 44100)"


def programs() -> dict[str, str]:
    """Row -> what the interpreter runs."""
    return {
        "python": "pass",
        PEER: PEER,
        "import contrastive_artifacts": "import contrastive_artifacts",
        "contrastive-artifacts --help": VERB.format(words=["--help"]),
        **{f"contrastive-artifacts {verb} --help": VERB.format(words=[verb, "--help"]) for verb in cli.verbs()},
        'ca.render("hum", ...)': RENDER.format(name="hum"),
        'ca.render("reverb", ...)': RENDER.format(name="reverb"),
        'ca.load("release")': "import contrastive_artifacts as ca; ca.load('release')",
        "scan of a file that is missing": VERB.format(words=["scan", "missing.wav"]),
        f"scan of a file of {CLIP_S} s": VERB.format(words=["scan", "clips/0.wav", "out=scanned"]),
        f"scan of a folder of two files of {CLIP_S} s": VERB.format(words=["scan", "clips", f"out={FRESH}"]),
        "render of two files with one artifact": VERB.format(
            words=["render", "clips", f"to={FRESH}", "artifacts.states=[clean,hiss]", "workers=1"]
        ),
    }


def measured(rounds: int) -> dict[str, list[float]]:
    """Seconds of each row in every round; the first round fills the cache of files and does not count."""
    root = str(Path(cli.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}
    seconds: dict[str, list[float]] = {name: [] for name in programs()}
    with tempfile.TemporaryDirectory() as folder:
        for clip in range(2):
            samples = np.random.default_rng(clip).normal(0, 0.1, (1, CLIP_S * RATE)).astype(np.float32)
            audio.write(Path(folder) / "clips" / f"{clip}.wav", samples, RATE)
        for turn in range(rounds + 1):
            for name, program in programs().items():
                words = [sys.executable, "-c", program.replace(FRESH, f"{name}{turn}".replace(" ", "_"))]
                start = time.perf_counter()
                done = subprocess.run(words, capture_output=True, cwd=folder, env=environment)
                seconds[name].append(time.perf_counter() - start)
                assert done.returncode == ("missing" in name), done.stderr.decode()
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
    rows, seconds = [], measured(rounds)
    for name, values in seconds.items():
        limited = name == "import contrastive_artifacts" or "--help" in name
        under = ("yes" if min(values) < LIMIT_S else "no") if limited else ""
        ratio = min(values) / min(seconds[PEER])
        rows.append([name, f"{min(values):.3f}", f"{statistics.median(values):.3f}", f"{ratio:.2f}", under])
        print(*rows[-1], sep="\t")
    columns = ["start", "seconds", "median", f"times {PEER}", f"under {LIMIT_S:g} s", "machine", "commit", "command"]
    files.write_csv(RESULTS, [columns, *([*row, *about] for row in rows)])
    print(f"-> {RESULTS}")


if __name__ == "__main__":
    main()
