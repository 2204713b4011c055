"""Every verb is killed (SIGKILL, with its worker processes) at random moments: run again, it ends as if undisturbed.

The short version kills two verbs once, ``make campaign`` every verb many times.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from verbs import VERBS, Verb, record

pytestmark = pytest.mark.slow
KILLS = 8  # of each verb in the campaign


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("recordings"))


@pytest.fixture(scope="module")
def pretrained(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    (pretrain,) = (verb for verb in VERBS if verb.name == "pretrain")
    finish(pretrain, recordings, home := tmp_path_factory.mktemp("pretrained"))
    return home


def finish(verb: Verb, recordings: Path, home: Path) -> float:
    """Runs a verb to its end; returns the seconds that it took."""
    begin = time.monotonic()
    with verb.start(recordings, home) as process:
        _, stderr = process.communicate(timeout=600)
    assert process.returncode == 0, stderr
    return time.monotonic() - begin


def killed(verb: Verb, recordings: Path, home: Path, after: float) -> bool:
    """Runs a verb and kills all its processes after some seconds; whether it was still running."""
    with verb.start(recordings, home) as process:
        time.sleep(after)
        running = process.poll() is None
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return running


def kill_and_compare(verb: Verb, recordings: Path, start: Path | None, folder: Path, kills: int, seed: int) -> int:
    """Kills a verb again and again in one place, lets it end, and compares; returns how many kills met it alive."""
    straight, disturbed = folder / "straight", folder / "disturbed"
    for home in (straight, disturbed):
        shutil.copytree(start, home) if verb.run and start is not None else home.mkdir()
    rng, seconds = random.Random(seed), finish(verb, recordings, straight)
    met = sum(killed(verb, recordings, disturbed, rng.uniform(0.3, 1.0) * seconds) for _ in range(kills))
    finish(verb, recordings, disturbed)
    assert verb.result(disturbed) == verb.result(straight)
    assert not list(disturbed.rglob(".*.tmp*")), "temporary files of dead processes are removed"
    return met


@pytest.mark.parametrize("name", ["scan", "embed"])
def test_a_killed_verb_goes_on(recordings: Path, tmp_path: Path, name: str) -> None:
    (verb,) = (verb for verb in VERBS if verb.name == name)
    kill_and_compare(verb, recordings, None, tmp_path, kills=1, seed=0)


@pytest.mark.campaign
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_many_kills(recordings: Path, pretrained: Path, tmp_path: Path, verb: Verb) -> None:
    met = kill_and_compare(verb, recordings, pretrained, tmp_path, kills=KILLS, seed=int(time.time()))
    print(f"{verb.name}: {KILLS} kills, {met} of them while it ran")
